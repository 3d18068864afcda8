import fc from 'fast-check';
import { expect } from 'vitest';
import { checkpointText } from '../../shared/domain/transparency/checkpoint.ts';
import { EMPTY_ROOT } from '../../shared/domain/transparency/hash.ts';
import { noteVerifier } from '../../shared/domain/transparency/note-verifier.ts';
import { openNote, parseNote, signNote } from '../../shared/domain/transparency/signed-note.ts';
import { signatureMatches, type VerifierKey, verifierKey } from '../../shared/domain/transparency/verifier-key.ts';
import type { CheckpointSigner } from '../../shared/ports/checkpoint-signer.ts';
import { contractOf } from './contract.ts';

const ORIGIN = 'rollcall/o-abc1234567/k3v9x2ab';

const keyOf = async (signer: CheckpointSigner): Promise<VerifierKey> =>
  verifierKey({ name: ORIGIN, ...(await signer.open()) });

export const checkpointSignerContract = contractOf<CheckpointSigner>()('CheckpointSigner', {
  async 'a signature matches its message and the public key, and no other message'({ port }) {
    const matches = signatureMatches(await keyOf(port));
    const messages = fc.uint8Array({ minLength: 1, maxLength: 4_095 });
    await fc.assert(
      fc.asyncProperty(messages, messages, async (message, other) => {
        const signature = await port.sign(message);
        expect(matches(message, signature)).toBe(true);
        expect(matches(other, signature)).toBe(Buffer.compare(message, other) === 0);
      }),
      { numRuns: 20 },
    );
  },

  async 'messages that are signed at the same time get their own signatures'({ port }) {
    const matches = signatureMatches(await keyOf(port));
    const messages = Array.from({ length: 10 }, (_, n) => new TextEncoder().encode(`message ${n}\n`));
    const signatures = await Promise.all(messages.map((message) => port.sign(message)));
    for (const [n, message] of messages.entries()) {
      expect(signatures.map((signature) => matches(message, signature)).indexOf(true)).toBe(n);
    }
  },

  async 'a message can be signed before the key is opened'({ port, another }) {
    const message = new TextEncoder().encode('first\n');
    const signature = await port.sign(message);
    const other = await another();
    expect(signatureMatches(await keyOf(other))(message, signature)).toBe(true);
  },

  async 'every client of a key has the same public key'({ port, another }) {
    expect(await (await another()).open()).toEqual(await port.open());
    expect(await port.open()).toEqual(await port.open());
  },

  async 'a checkpoint that it signs opens with its verifier key'({ port }) {
    const key = await keyOf(port);
    const text = checkpointText({ origin: ORIGIN, size: 0, root: EMPTY_ROOT, extensions: [] });
    const signer = { name: key.name, keyId: key.keyId, sign: (message: Uint8Array) => port.sign(message) };
    const note = await signNote({ text, signatures: [] }, [signer]);
    expect(openNote(parseNote(note), [noteVerifier(key)]).verified).toHaveLength(1);
  },
});
