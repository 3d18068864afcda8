import * as fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { checkpointText } from '../../../../shared/domain/transparency/checkpoint.ts';
import { MalformedError } from '../../../../shared/domain/transparency/errors.ts';
import { EMPTY_ROOT, leafHash } from '../../../../shared/domain/transparency/hash.ts';
import { noteVerifier } from '../../../../shared/domain/transparency/note-verifier.ts';
import { signNote } from '../../../../shared/domain/transparency/signed-note.ts';
import {
  parseProof,
  type TlogProof,
  verifyProof,
  writeProof,
} from '../../../../shared/domain/transparency/tlog-proof.ts';
import { ed25519Key } from './sample-keys.ts';
import { bytes, LARGEST, LEAVES, NAIVE, naiveHead } from './samples.ts';

const ORIGIN = 'log.example/rollcall';
const log = ed25519Key(ORIGIN, 1);
const TRUST = { origin: ORIGIN, log: [noteVerifier(log.key)] };

const checkpoints: string[] = [];
beforeAll(async () => {
  for (let size = 0; size <= LARGEST; size += 1) {
    const text = checkpointText({ origin: ORIGIN, ...naiveHead(size), extensions: [] });
    checkpoints.push(await signNote({ text, signatures: [] }, [log.signer]));
  }
});

function proofOf(index: number, size: number, extra: Uint8Array | null = null): TlogProof {
  return { index, path: NAIVE.path(index, 0, size), checkpoint: checkpoints[size] ?? '', extra };
}

describe('a proof', () => {
  it('has the lines of the specification', () => {
    const path = '1A+c7kQiZ0BM7lOc1jrzrJcI6yqsyT6ETXGzC8tS0Q8=';
    const text = writeProof({ ...proofOf(0, 2, bytes('extra')), path: [new Uint8Array(Buffer.from(path, 'base64'))] });
    expect(text).toBe(`c2sp.org/tlog-proof@v1\nextra ZXh0cmE=\nindex 0\n${path}\n\n${checkpoints[2]}`);
    expect(writeProof(proofOf(0, 1))).toBe(`c2sp.org/tlog-proof@v1\nindex 0\n\n${checkpoints[1]}`);
  });

  it('is read back as it was written, and proves its entry and no other', () => {
    const extra = fc.option(fc.uint8Array({ maxLength: 100 }));
    const part = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: LARGEST }), part, extra, (size, where, data) => {
        const index = Math.floor(where * size);
        const proof = proofOf(index, size, data);
        const read = parseProof(bytes(writeProof(proof)));
        expect(read).toEqual(proof);
        expect(parseProof(writeProof(proof))).toEqual(proof);
        expect(verifyProof(read, LEAVES[index] ?? EMPTY_ROOT, TRUST).size).toBe(size);
        expect(() => verifyProof(read, leafHash(bytes('another entry')), TRUST)).toThrow(
          'it does not lead to the root',
        );
      }),
      { verbose: true },
    );
  });

  it('is refused after any byte has changed', () => {
    const index = 37;
    const whole = bytes(writeProof(proofOf(index, 100)));
    fc.assert(
      fc.property(fc.nat(whole.length - 1), fc.integer({ min: 1, max: 255 }), (at, by) => {
        const mutated = whole.with(at, ((whole[at] ?? 0) + by) % 256);
        expect(() => verifyProof(parseProof(mutated), LEAVES[index] ?? EMPTY_ROOT, TRUST)).toThrow(
          /^(?:proof|inclusion proof|signed note|checkpoint)/,
        );
      }),
      { verbose: true, numRuns: 2_000 },
    );
  });

  it('is refused with the checkpoint of another log, of another size, or by another key', async () => {
    const leaf = LEAVES[3] ?? EMPTY_ROOT;
    const proof = proofOf(3, 7);
    expect(() => verifyProof(proof, leaf, { ...TRUST, origin: 'other' })).toThrow('it is of the log');
    expect(() => verifyProof({ ...proof, checkpoint: checkpoints[8] ?? '' }, leaf, TRUST)).toThrow('inclusion proof');
    expect(() => verifyProof({ ...proof, checkpoint: checkpoints[3] ?? '' }, leaf, TRUST)).toThrow(
      'not below the tree size 3',
    );
    const text = checkpointText({ origin: ORIGIN, ...naiveHead(7), extensions: [] });
    const forged = await signNote({ text, signatures: [] }, [ed25519Key(ORIGIN, 2).signer]);
    expect(() => verifyProof({ ...proof, checkpoint: forged }, leaf, TRUST)).toThrow('no signature by a trusted key');
  });

  it('is refused with a reason if it is not in this form', () => {
    const text = writeProof(proofOf(1, 2, bytes('extra')));
    const refused = (from: string, to: string, reason: string): void => {
      expect(() => parseProof(text.replace(from, to))).toThrow(reason);
      expect(() => parseProof(text.replace(from, to))).toThrow(MalformedError);
    };
    refused(text, '', 'proof: there is no empty line before a checkpoint');
    refused('@v1', '@v2', 'proof, line 1: it is not "c2sp.org/tlog-proof@v1": "c2sp.org/tlog-proof@v2"');
    refused('extra ZXh0cmE=', 'extra ZXh0cmE', 'proof, line 2: not standard Base64');
    refused('extra ZXh0cmE=', 'more ZXh0cmE=', 'proof, line 2: it is not "index" and a number');
    refused('extra ZXh0cmE=\n', 'extra ZXh0cmE=\nextra ZXh0cmE=\n', 'proof, line 3: it is not "index" and a number');
    refused('index 1', 'index 01', 'proof, line 3: not a decimal number without leading zeros');
    refused('index 1', 'index -1', 'proof, line 3: not a decimal number');
    refused('index 1', 'index 18446744073709551615', 'proof, line 3: above 2^53 − 1');
    refused('index 1\n', 'index 1\nAAAA\n', 'proof, line 4: a hash has 32 bytes, not 3');
    refused('index 1\n', '', 'it is not "index" and a number');
    refused(`\n\n${ORIGIN}\n2\n`, `\n\n${ORIGIN}\n02\n`, 'checkpoint, line 2: not a decimal number');
    refused(checkpoints[2] ?? '', 'a checkpoint\n', 'signed note: there is no empty line');
    expect(() => parseProof(new Uint8Array([0xff]))).toThrow('proof: not valid UTF-8');
  });

  it('is not written from parts that could not be read back', () => {
    expect(() => writeProof({ ...proofOf(0, 1), index: -1 })).toThrow('entry index -1');
    expect(() => writeProof({ ...proofOf(0, 1), path: [bytes('x')] })).toThrow('proof: a hash has 32 bytes, not 1');
    expect(() => writeProof({ ...proofOf(0, 1), checkpoint: 'log\n' })).toThrow('signed note: there is no empty line');
  });
});
