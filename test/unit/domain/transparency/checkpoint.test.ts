import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  checkpointInNote,
  checkpointText,
  type LogCheckpoint,
  openCheckpoint,
  parseCheckpoint,
} from '../../../../shared/domain/transparency/checkpoint.ts';
import { cosignatureTime, cosigner } from '../../../../shared/domain/transparency/cosignature.ts';
import { MalformedError } from '../../../../shared/domain/transparency/errors.ts';
import { EMPTY_ROOT } from '../../../../shared/domain/transparency/hash.ts';
import { noteVerifier } from '../../../../shared/domain/transparency/note-verifier.ts';
import { type NoteSigner, parseNote, signNote } from '../../../../shared/domain/transparency/signed-note.ts';
import { verifierKey } from '../../../../shared/domain/transparency/verifier-key.ts';
import { ecdsaKey, ed25519Key } from './sample-keys.ts';
import { bytes, naiveHead } from './samples.ts';

const ORIGIN = 'log.example/rollcall';
const TIME = 1_679_315_147;

/** The example of C2SP tlog-cosignature. */
const EXAMPLE = `example.com/behind-the-sofa
20852163
CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==
`;

const log = ed25519Key(ORIGIN, 1);
const [witnessOne, witnessTwo] = [witness('witness.example/one', 2), witness('witness.example/two', 3)];

function witness(name: string, seed: number) {
  const { key, signer } = ed25519Key(name, seed);
  const cosignatureKey = verifierKey({ name, type: 'cosignature', publicKey: key.publicKey });
  const at = (time: number): NoteSigner => cosigner({ name, publicKey: key.publicKey, time, sign: signer.sign });
  return { verifier: noteVerifier(cosignatureKey), at, plain: signer };
}

function checkpoint(size: number, extensions: readonly string[] = []): LogCheckpoint {
  return { origin: ORIGIN, ...naiveHead(size), extensions };
}

function signed(signers: readonly NoteSigner[], of = checkpoint(7)): Promise<string> {
  return signNote({ text: checkpointText(of), signatures: [] }, signers);
}

const TRUST = { origin: ORIGIN, log: [noteVerifier(log.key)] };
const WITNESSED = { ...TRUST, witnesses: [witnessOne.verifier, witnessTwo.verifier] };

describe('the text of a checkpoint', () => {
  it('has origin, size and root, one a line', () => {
    expect(checkpointText(checkpoint(0))).toBe(`${ORIGIN}\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n`);
    expect(checkpointInNote(EXAMPLE)).toMatchObject({
      origin: 'example.com/behind-the-sofa',
      size: 20_852_163,
    });
  });

  it('is read back as it was written', () => {
    const line = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 }).filter((text) => !text.includes('\n'));
    const anyCheckpoint = fc.record({
      origin: line,
      size: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
      root: fc.uint8Array({ minLength: 32, maxLength: 32 }),
      extensions: fc.array(line, { maxLength: 4 }),
    });
    fc.assert(
      fc.property(anyCheckpoint, (each) => {
        expect(parseCheckpoint(checkpointText(each))).toEqual(each);
      }),
      { verbose: true },
    );
  });

  const ROOT = 'CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=';
  it.each([
    ['', 'it has fewer than three lines'],
    [`log\n7\n`, 'it has fewer than three lines'],
    [`log\n7\n${ROOT}`, 'it does not end with a line break'],
    [`\n7\n${ROOT}\n`, 'line 1: it is empty'],
    [`log\n\n${ROOT}\n`, 'line 2: it is empty'],
    [`log\n07\n${ROOT}\n`, 'line 2: not a decimal number without leading zeros: "07"'],
    [`log\n-7\n${ROOT}\n`, 'line 2: not a decimal number'],
    [`log\n+7\n${ROOT}\n`, 'line 2: not a decimal number'],
    [`log\n7e3\n${ROOT}\n`, 'line 2: not a decimal number'],
    [`log\n٣\n${ROOT}\n`, 'line 2: not a decimal number'],
    [`log\n9007199254740992\n${ROOT}\n`, 'line 2: above 2^53 − 1'],
    [`log\n7\n${ROOT.slice(0, -1)}\n`, 'line 3: not standard Base64'],
    [`log\n7\n${ROOT.replaceAll('+', '-')}_\n`, 'line 3: not standard Base64'],
    [`log\n7\nAAAA\n`, 'line 3: a hash has 32 bytes, not 3'],
    [`log\n0\n${ROOT}\n`, 'line 3: an empty tree has the hash of the empty string as its root'],
    [`log\n7\n${ROOT}\n\n`, 'line 4: it is empty'],
    [`log\n7\n${ROOT}\nextension\n\nmore\n`, 'line 5: it is empty'],
  ])('%j is refused with a reason', (text, reason) => {
    expect(() => parseCheckpoint(text)).toThrow(reason);
    expect(() => parseCheckpoint(text)).toThrow(MalformedError);
  });

  it('is not written from parts that could not be read back', () => {
    expect(() => checkpointText({ ...checkpoint(7), origin: '' })).toThrow('one line that is not empty');
    expect(() => checkpointText({ ...checkpoint(7), origin: 'log\n8' })).toThrow('one line that is not empty');
    expect(() => checkpointText(checkpoint(7, ['']))).toThrow('one line that is not empty');
    expect(() => checkpointText({ ...checkpoint(7), size: 0 })).toThrow(
      'an empty tree has the hash of the empty string',
    );
    expect(() => checkpointText({ ...checkpoint(7), root: bytes('x') })).toThrow('a hash has 32 bytes, not 1');
    expect(() => checkpointText({ ...checkpoint(7), size: 7.5 })).toThrow('tree size 7.5');
  });
});

describe('opening a checkpoint', () => {
  it('accepts one that the log has signed, with a key of either type', async () => {
    const note = await signed([log.signer], checkpoint(7, ['extension']));
    expect(openCheckpoint(note, TRUST)).toEqual({ ...checkpoint(7, ['extension']), witnesses: [] });
    const kms = ecdsaKey(ORIGIN);
    const both = { ...TRUST, log: [...TRUST.log, noteVerifier(kms.key)] };
    expect(openCheckpoint(bytes(await signed([kms.signer])), both)).toMatchObject({ size: 7 });
    expect(openCheckpoint(await signed([log.signer, kms.signer]), both)).toMatchObject({ size: 7 });
  });

  it('accepts the checkpoint of an empty log', async () => {
    expect(openCheckpoint(await signed([log.signer], checkpoint(0)), TRUST).root).toEqual(EMPTY_ROOT);
  });

  it('refuses another log, another key, and other contents', async () => {
    const note = await signed([log.signer]);
    expect(() => openCheckpoint(note, { ...TRUST, origin: 'log.example/other' })).toThrow(
      'checkpoint: it is of the log "log.example/rollcall", not "log.example/other"',
    );
    const other = await signed([ed25519Key(ORIGIN, 9).signer]);
    expect(() => openCheckpoint(other, TRUST)).toThrow('no signature by a trusted key');
    expect(() => openCheckpoint(note.replace('\n7\n', '\n8\n'), TRUST)).toThrow('does not match the text');
    expect(() => openCheckpoint(note, { ...TRUST, log: [] })).toThrow('no signature by a trusted key (trusted: none)');
    expect(() => openCheckpoint('log\n7\nroot\n', TRUST)).toThrow(
      'there is no empty line between a text and its signatures',
    );
  });

  it('never accepts a checkpoint after any byte has changed', async () => {
    const whole = bytes(await signed([log.signer, witnessOne.at(TIME)]));
    const trust = { ...TRUST, witnesses: [witnessOne.verifier], quorum: 1 };
    expect(openCheckpoint(whole, trust).size).toBe(7);
    fc.assert(
      fc.property(fc.nat(whole.length - 1), fc.integer({ min: 1, max: 255 }), (at, by) => {
        const mutated = whole.with(at, ((whole[at] ?? 0) + by) % 256);
        expect(() => openCheckpoint(mutated, trust)).toThrow(/^(?:signed note|checkpoint|cosignature)/);
      }),
      { verbose: true, numRuns: 2_000 },
    );
  });
});

describe('cosignatures of witnesses', () => {
  it('have their time, which is the published one in the example of the specification', () => {
    const [, cosignature] = parseNote(EXAMPLE).signatures;
    expect(cosignatureTime(cosignature?.signature ?? new Uint8Array())).toBe(TIME);
  });

  it('sign the published message', async () => {
    const messages: string[] = [];
    const { publicKey } = ed25519Key('w', 4).key;
    const sign: NoteSigner['sign'] = async (message) => {
      messages.push(new TextDecoder().decode(message));
      return new Uint8Array(64);
    };
    await cosigner({ name: 'w', publicKey, time: TIME, sign }).sign(bytes(parseNote(EXAMPLE).text));
    expect(messages).toEqual([
      `cosignature/v1\ntime ${TIME}\nexample.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n`,
    ]);
  });

  it('are counted by witness, and as many as the quorum must be there', async () => {
    const note = await signed([log.signer, witnessOne.at(TIME), witnessTwo.at(TIME + 5)]);
    expect(openCheckpoint(note, { ...WITNESSED, quorum: 2 }).witnesses).toEqual([
      { name: 'witness.example/one', time: TIME },
      { name: 'witness.example/two', time: TIME + 5 },
    ]);
    expect(openCheckpoint(note, TRUST).witnesses).toEqual([]);
    const one = await signed([log.signer, witnessOne.at(TIME)]);
    expect(openCheckpoint(one, { ...WITNESSED, quorum: 1 }).witnesses).toHaveLength(1);
    expect(() => openCheckpoint(one, { ...WITNESSED, quorum: 2 })).toThrow(
      'checkpoint: 1 of the trusted witnesses have signed it, and 2 must',
    );
    expect(() => openCheckpoint(note, { ...TRUST, quorum: 1 })).toThrow(
      '0 of the trusted witnesses have signed it, and 1 must',
    );
  });

  it('do not replace the signature of the log', async () => {
    const note = await signed([witnessOne.at(TIME), witnessTwo.at(TIME)]);
    expect(() => openCheckpoint(note, WITNESSED)).toThrow(`no signature by a trusted key (trusted: ${ORIGIN}`);
    const twice = { ...WITNESSED, log: [...WITNESSED.log, witnessOne.verifier] };
    expect(() => openCheckpoint(note, twice)).toThrow(
      'trusted keys: two of them have the name and ID witness.example/one',
    );
  });

  it('are refused with another time, over another checkpoint, or as a plain signature', async () => {
    const note = await signed([log.signer, witnessOne.at(TIME)]);
    const { text, signatures } = parseNote(note);
    const [ofLog, ofWitness] = signatures;
    if (ofLog === undefined || ofWitness === undefined) throw new Error('two signatures were expected');
    const withWitness = (signature: Uint8Array) => {
      const sign = async (): Promise<Uint8Array> => signature;
      return signNote({ text, signatures: [ofLog] }, [{ ...witnessOne.at(TIME), sign }]);
    };
    const later = ofWitness.signature.with(7, (ofWitness.signature[7] ?? 0) + 1);
    expect(() => openCheckpoint(note, WITNESSED)).not.toThrow();
    expect(await withWitness(later).then((each) => () => openCheckpoint(each, WITNESSED))).toThrow(
      'does not match the text',
    );
    const plain = await witnessOne.plain.sign(bytes(text));
    expect(await withWitness(plain).then((each) => () => openCheckpoint(each, WITNESSED))).toThrow(
      'cosignature: it has 64 bytes, not 72',
    );
    const timed = new Uint8Array([...ofWitness.signature.slice(0, 8), ...plain]);
    expect(await withWitness(timed).then((each) => () => openCheckpoint(each, WITNESSED))).toThrow(
      'does not match the text',
    );
    const moved = await signNote({ text: checkpointText(checkpoint(8)), signatures: [ofWitness] }, [log.signer]);
    expect(() => openCheckpoint(moved, WITNESSED)).toThrow('does not match the text');
  });

  it('have a time that a number represents exactly', () => {
    const { publicKey } = ed25519Key('w', 4).key;
    expect(() => cosignatureTime(new Uint8Array(72).fill(0x7f))).toThrow('its time is above 2^53 − 1 seconds');
    expect(() => cosigner({ name: 'w', publicKey, time: 1.5, sign: async () => new Uint8Array() })).toThrow('time 1.5');
    expect(cosignatureTime(new Uint8Array(72))).toBe(0);
  });
});
