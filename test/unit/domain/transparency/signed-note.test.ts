import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MalformedError } from '../../../../shared/domain/transparency/errors.ts';
import { noteVerifier } from '../../../../shared/domain/transparency/note-verifier.ts';
import {
  type NoteVerifier,
  openNote,
  parseNote,
  parseSignatures,
  signNote,
  writeNote,
} from '../../../../shared/domain/transparency/signed-note.ts';
import { parseVerifierKey, writeVerifierKey } from '../../../../shared/domain/transparency/verifier-key.ts';
import {
  ENOCH,
  ENOCH_LINE,
  FOO,
  FOO_NOTE,
  NOTE,
  PETER,
  PETER_LINE,
  PETER_SECRET,
  PIXEL,
  PIXEL_NOTE,
  REKOR,
  REKOR_NOTE,
  SUMDB,
  SUMDB_NOTE,
  TEXT,
} from './published-notes.ts';
import { ecdsaKey, ed25519FromSeed, ed25519Key } from './sample-keys.ts';
import { bytes } from './samples.ts';

const [PETER_VERIFIER, ENOCH_VERIFIER] = [noteVerifier(PETER), noteVerifier(ENOCH)];

const namesOf = (signatures: readonly { readonly name: string }[]): readonly string[] =>
  signatures.map(({ name }) => name);

describe('a signed note', () => {
  it.each([
    ['of the specification', FOO, FOO_NOTE],
    ['of sum.golang.org', SUMDB, SUMDB_NOTE],
    ['of Rekor, by ECDSA', REKOR, REKOR_NOTE],
    ['of the Pixel log, by ECDSA', PIXEL, PIXEL_NOTE],
  ])('%s is verified', (_title, key, note) => {
    const parsed = parseNote(bytes(note));
    expect(openNote(parsed, [noteVerifier(key)]).verified).toEqual(parsed.signatures);
    expect(writeNote(parsed)).toBe(note);
    const other = { ...parsed, text: parsed.text.replace(/[0-9a-z]/, '-') };
    expect(() => openNote(other, [noteVerifier(key)])).toThrow('does not match the text');
  });

  it('keeps signatures by unknown keys, and verifies all that are known', () => {
    const note = parseNote(NOTE);
    expect(note.text).toBe(TEXT);
    const opened = openNote(note, [PETER_VERIFIER]);
    expect([namesOf(opened.verified), namesOf(opened.unknown)]).toEqual([['PeterNeumann'], ['EnochRoot']]);
    expect(namesOf(openNote(note, [ENOCH_VERIFIER, PETER_VERIFIER]).verified)).toEqual(['PeterNeumann', 'EnochRoot']);
  });

  it('is refused without a signature by a trusted key', () => {
    const { keyId } = parseVerifierKey(PETER);
    const note = parseNote(`${TEXT}\n${PETER_LINE}`);
    expect(() => openNote(note, [ENOCH_VERIFIER])).toThrow(
      'no signature by a trusted key (trusted: EnochRoot+af0cfe78)',
    );
    expect(() => openNote(note, [])).toThrow('no signature by a trusted key (trusted: none)');
    // A key is known by name and ID: neither suffices.
    const namesake: NoteVerifier = { ...PETER_VERIFIER, keyId: keyId + 1, verify: () => true };
    expect(() => openNote(note, [namesake, { ...namesake, name: 'Peter', keyId }])).toThrow(
      'no signature by a trusted key',
    );
  });

  it('is refused if one of the known keys did not sign this text', () => {
    const broken = PETER_LINE.replace('x08go/ZJ', 'x08go/ZK');
    expect(() => openNote(parseNote(`${TEXT}\n${broken}${ENOCH_LINE}`), [PETER_VERIFIER, ENOCH_VERIFIER])).toThrow(
      'signed note: the signature by the key PeterNeumann+c74f20a3 does not match the text',
    );
    expect(namesOf(openNote(parseNote(`${TEXT}\n${broken}${ENOCH_LINE}`), [ENOCH_VERIFIER]).unknown)).toEqual([
      'PeterNeumann',
    ]);
  });

  it('is refused with the same line twice, and with two signatures by a known key', () => {
    expect(() => parseNote(`${NOTE}${PETER_LINE}`)).toThrow(
      'signed note, line 6: the same signature stands in an earlier line',
    );
    const second = parseNote(`${NOTE}${PETER_LINE.replace('x08go/ZJ', 'x08go/ZK')}`);
    expect(() => openNote(second, [PETER_VERIFIER])).toThrow('two signatures by the key PeterNeumann+c74f20a3');
    expect(openNote(second, [ENOCH_VERIFIER]).unknown).toHaveLength(2);
    expect(() => openNote(parseNote(NOTE), [PETER_VERIFIER, PETER_VERIFIER])).toThrow(
      'trusted keys: two of them have the name and ID PeterNeumann+c74f20a3',
    );
  });

  it.each([
    ['', 'it does not end with a line break'],
    [TEXT, 'there is no empty line between a text and its signatures'],
    [`${TEXT}\n`, 'it has no signature'],
    [NOTE.slice(0, -1), 'it does not end with a line break'],
    [`\u0001${NOTE}`, 'line 1: it has a control character'],
    [NOTE.replace('problem is', 'problem\tis'), 'line 2: it has a control character'],
    [NOTE.replaceAll('\n', '\r\n'), 'line 1: it has a control character'],
    [`\ud800${NOTE}`, 'not valid Unicode'],
    [`${NOTE}Unexpected line.\n`, 'line 6: a signature line begins with an em dash and a space: "Unexpected line."'],
    [NOTE.replace('— Peter', '- Peter'), 'line 4: a signature line begins with an em dash'],
    [NOTE.replace('— Peter', '—Peter'), 'line 4: a signature line begins with an em dash'],
    [NOTE.replace('— PeterNeumann', '— Peter Neumann'), 'line 4: not standard Base64'],
    [NOTE.replace('— PeterNeumann', '— '), 'line 4: a key name is not empty'],
    [NOTE.replace('— PeterNeumann', '— Peter\u00a0Neumann'), 'line 4: a key name is not empty and has no spaces'],
    [NOTE.replace('— PeterNeumann', '— Peter\u0085Neumann'), 'line 4: a key name is not empty and has no spaces'],
    [NOTE.replace('— PeterNeumann', '— Peter+Neumann'), 'line 4: a key name is not empty and has no spaces and no "+"'],
    [NOTE.replace('EnochRoot rwz', 'EnochRootrwz'), 'line 5: there is no signature after the key name'],
    [NOTE.replace('JnAM=', 'JnAM'), 'line 4: not standard Base64'],
    [NOTE.replace('JnAM=', 'JnAN='), 'line 4: not standard Base64'],
    [NOTE.replace('JnAM=', 'JnAM= '), 'line 4: not standard Base64'],
    [`${TEXT}\n— log AAAAAA==\n`, 'line 4: there is no signature after the key ID'],
    [
      `${TEXT}\n${Array.from({ length: 101 }, (_, at) => `— log${at} AAAAAAA=\n`).join('')}`,
      'it has 101 signatures, more than 100',
    ],
    [`${'a'.repeat(1_000_000)}\n`, 'it has more than 1000000 characters'],
  ])('%j is refused with a reason', (note, reason) => {
    expect(() => parseNote(note)).toThrow(reason);
    expect(() => parseNote(note)).toThrow(MalformedError);
  });

  it('is refused as bytes that are not UTF-8, and a byte order mark is part of its text', () => {
    expect(() => parseNote(new Uint8Array([0xff, ...bytes(NOTE)]))).toThrow('signed note: not valid UTF-8');
    const marked = parseNote(new Uint8Array([0xef, 0xbb, 0xbf, ...bytes(NOTE)]));
    expect(marked.text).toBe(`\ufeff${TEXT}`);
    expect(() => openNote(marked, [PETER_VERIFIER])).toThrow('does not match the text');
  });

  it('is divided at its last empty line', async () => {
    const { key, signer } = ed25519Key('log', 1);
    const text = 'one\n\n— not a signature\n\n\n';
    const note = parseNote(await signNote({ text, signatures: [] }, [signer]));
    expect(openNote(note, [noteVerifier(key)]).text).toBe(text);
  });
});

describe('signing a note', () => {
  it('gives the published signature for the published key', async () => {
    const { key, signer } = ed25519FromSeed(
      'PeterNeumann',
      new Uint8Array(Buffer.from(PETER_SECRET, 'base64')).slice(1),
    );
    expect(writeVerifierKey(key)).toBe(PETER);
    expect(await signNote({ text: TEXT, signatures: [] }, [signer])).toBe(`${TEXT}\n${PETER_LINE}`);
    // The earlier signature of the same key is replaced, those of other keys stay.
    const stale = parseNote(`${TEXT}\n${PETER_LINE.replace('x08go/ZJ', 'x08go/ZK')}${ENOCH_LINE}`);
    expect(await signNote(stale, [signer])).toBe(`${TEXT}\n${ENOCH_LINE}${PETER_LINE}`);
  });

  it('works with P-256 keys, as AWS KMS has them', async () => {
    const { key, signer } = ecdsaKey('log.example');
    const note = parseNote(await signNote({ text: TEXT, signatures: [] }, [signer]));
    const verifier = noteVerifier(writeVerifierKey(key));
    expect(namesOf(openNote(note, [verifier]).verified)).toEqual(['log.example']);
    expect(() => openNote({ ...note, text: `${TEXT}more\n` }, [verifier])).toThrow('does not match the text');
  });

  it('refuses what could not be read back', async () => {
    const { signer } = ed25519Key('log', 1);
    const signature = { name: 'log', keyId: 1, signature: new Uint8Array(64) };
    await expect(signNote({ text: 'abc', signatures: [] }, [signer])).rejects.toThrow('does not end with a line break');
    await expect(signNote({ text: TEXT, signatures: [] }, [])).rejects.toThrow('it has no signature');
    const named = (name: string) => signNote({ text: TEXT, signatures: [] }, [{ ...signer, name }]);
    await expect(named('a+b')).rejects.toThrow('a key name is not empty');
    await expect(named('log AAAAAAA=\n— other')).rejects.toThrow('a key name is not empty');
    expect(() => writeNote({ text: TEXT, signatures: [{ ...signature, keyId: 2 ** 32 }] })).toThrow(
      'not a 32-bit number',
    );
    expect(() => writeNote({ text: TEXT, signatures: [{ ...signature, signature: new Uint8Array() }] })).toThrow(
      'no signature after the key ID',
    );
    expect(() => writeNote({ text: TEXT, signatures: [signature, signature] })).toThrow('the same signature');
  });

  it('is read back for any text and any signatures', () => {
    const anyText = fc
      .string({ unit: 'grapheme', maxLength: 200 })
      .map((text) => `${text.replaceAll(/\p{Cc}/gu, '\n')}\n`);
    const anySignature = fc.record({
      name: fc.stringMatching(/^[!-*,-~é—]{1,20}$/u),
      keyId: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
      signature: fc.uint8Array({ minLength: 1, maxLength: 80 }),
    });
    const anyNote = fc.record({
      text: anyText,
      signatures: fc.uniqueArray(anySignature, { minLength: 1, maxLength: 20, selector: ({ name }) => name }),
    });
    fc.assert(
      fc.property(anyNote, (note) => {
        expect(parseNote(writeNote(note))).toEqual(note);
        expect(parseNote(bytes(writeNote(note)))).toEqual(note);
      }),
      { verbose: true },
    );
  });

  it('never verifies after any byte has changed', () => {
    const whole = bytes(`${TEXT}\n${PETER_LINE}`);
    const change = fc.record({ at: fc.nat(whole.length - 1), by: fc.integer({ min: 1, max: 255 }) });
    const removal = fc.record({ at: fc.nat(whole.length - 1), length: fc.integer({ min: 1, max: 40 }) });
    fc.assert(
      fc.property(fc.oneof(change, removal), (mutation) => {
        const { at } = mutation;
        const mutated =
          'by' in mutation
            ? whole.with(at, ((whole[at] ?? 0) + mutation.by) % 256)
            : new Uint8Array([...whole.slice(0, at), ...whole.slice(at + mutation.length)]);
        expect(() => openNote(parseNote(mutated), [PETER_VERIFIER])).toThrow(/^(?:signed note|verifier)/);
      }),
      { verbose: true, numRuns: 2_000 },
    );
  });

  it('reads signature lines alone, as a witness returns them', () => {
    expect(namesOf(parseSignatures(PETER_LINE + ENOCH_LINE))).toEqual(['PeterNeumann', 'EnochRoot']);
    expect(() => parseSignatures('')).toThrow('it has no signature');
    expect(() => parseSignatures(`${PETER_LINE}\n`)).toThrow('line 2: a signature line begins with an em dash');
  });
});
