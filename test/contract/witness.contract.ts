import { expect } from 'vitest';
import { checkpointText } from '../../shared/domain/transparency/checkpoint.ts';
import { noteVerifier } from '../../shared/domain/transparency/note-verifier.ts';
import { openNote, parseNote, signNote } from '../../shared/domain/transparency/signed-note.ts';
import type { VerifierKey } from '../../shared/domain/transparency/verifier-key.ts';
import type { CosignRequest, Witness, WitnessAnswer } from '../../shared/ports/witness.ts';
import { ed25519Key } from '../unit/domain/transparency/sample-keys.ts';
import { NAIVE, naiveHead } from '../unit/domain/transparency/samples.ts';
import { contractOf } from './contract.ts';

/** The log whose key the witness under test must know. */
export const LOG = ed25519Key('rollcall/o-abc1234567/k3v9x2ab', 7);
const STRANGER = ed25519Key('rollcall/o-abc1234567/zzzzzzzz', 8);

export interface WitnessBed {
  readonly witness: Witness;
  readonly key: VerifierKey;
}

async function checkpoint(size: number, { key, signer } = LOG): Promise<string> {
  const text = checkpointText({ origin: key.name, ...naiveHead(size), extensions: [] });
  return signNote({ text, signatures: [] }, [signer]);
}

export async function cosignRequest(oldSize: number, size: number): Promise<CosignRequest> {
  const proof = oldSize === 0 || oldSize === size ? [] : NAIVE.proof(oldSize, size);
  return { oldSize, proof, checkpoint: await checkpoint(size) };
}

function expectCosigned(answer: WitnessAnswer, { checkpoint: note }: CosignRequest, key: VerifierKey): void {
  if (answer.kind !== 'cosigned') throw new Error(`not cosigned, but ${answer.kind}`);
  const { text } = parseNote(note);
  expect(openNote({ text, signatures: answer.signatures }, [noteVerifier(key)]).verified).toHaveLength(1);
}

export const witnessContract = contractOf<WitnessBed>()('Witness', {
  async 'a growing log gets cosignatures that verify'({ port: { witness, key } }) {
    expect(witness.name).toBe(key.name);
    let oldSize = 0;
    for (const size of [1, 2, 7, 7, 64, 100]) {
      const request = await cosignRequest(oldSize, size);
      expectCosigned(await witness.cosign(request), request, key);
      oldSize = size;
    }
  },

  async 'another old size is a conflict, after which a proof from the right one is accepted'({ port }) {
    const { witness, key } = port;
    await witness.cosign(await cosignRequest(0, 40));
    for (const [oldSize, size] of [
      [0, 50],
      [20, 50],
      [45, 50],
    ] as const) {
      expect(await witness.cosign(await cosignRequest(oldSize, size))).toEqual({ kind: 'conflict', size: 40 });
    }
    const request = await cosignRequest(40, 50);
    expectCosigned(await witness.cosign(request), request, key);
  },

  async 'a log that it does not know is refused'({ port: { witness } }) {
    const request = { oldSize: 0, proof: [], checkpoint: await checkpoint(5, STRANGER) };
    expect(await witness.cosign(request)).toEqual({
      kind: 'refused',
      reason: expect.stringContaining('does not know'),
    });
  },

  async 'a checkpoint that another key signed is refused'({ port: { witness } }) {
    const { text } = parseNote(await checkpoint(5));
    const forged = await signNote({ text, signatures: [] }, [STRANGER.signer]);
    const answer = await witness.cosign({ oldSize: 0, proof: [], checkpoint: forged });
    expect(answer).toEqual({ kind: 'refused', reason: expect.stringContaining('another key') });
  },

  async 'a tree that is not consistent with the one that it has seen is refused'({ port: { witness } }) {
    await witness.cosign(await cosignRequest(0, 40));
    const forked = checkpointText({ origin: LOG.key.name, size: 50, root: naiveHead(49).root, extensions: [] });
    const note = await signNote({ text: forked, signatures: [] }, [LOG.signer]);
    const answer = await witness.cosign({ oldSize: 40, proof: NAIVE.proof(40, 50), checkpoint: note });
    expect(answer).toEqual({ kind: 'refused', reason: expect.stringContaining('another tree') });
  },

  async 'another tree of the same size is refused'({ port: { witness } }) {
    await witness.cosign(await cosignRequest(0, 40));
    const forked = checkpointText({ origin: LOG.key.name, size: 40, root: naiveHead(39).root, extensions: [] });
    const note = await signNote({ text: forked, signatures: [] }, [LOG.signer]);
    const answer = await witness.cosign({ oldSize: 40, proof: [], checkpoint: note });
    expect(answer).toEqual({ kind: 'refused', reason: expect.stringContaining('another tree') });
  },

  async 'an old size above the new one is refused'({ port: { witness } }) {
    const answer = await witness.cosign({ oldSize: 9, proof: [], checkpoint: await checkpoint(5) });
    expect(answer).toEqual({ kind: 'refused', reason: expect.stringContaining('malformed') });
  },

  async 'every client of a witness sees the same state'({ port, another }) {
    await port.witness.cosign(await cosignRequest(0, 40));
    const other = await another();
    expect(await other.witness.cosign(await cosignRequest(0, 50))).toEqual({ kind: 'conflict', size: 40 });
  },
});
