import { checkpointText } from '../../domain/transparency/checkpoint.ts';
import { UnprovenError } from '../../domain/transparency/errors.ts';
import { noteVerifier } from '../../domain/transparency/note-verifier.ts';
import { openNote, parseNote, signNote } from '../../domain/transparency/signed-note.ts';
import { verifierKey } from '../../domain/transparency/verifier-key.ts';
import type { TreeHead } from '../../domain/transparency/verify-proof.ts';
import { type CheckpointSigner, SignerError } from '../../ports/checkpoint-signer.ts';

/** The signed note of a checkpoint. The name of the key is the origin. @throws SignerError */
export async function signedCheckpoint(signer: CheckpointSigner, origin: string, head: TreeHead): Promise<string> {
  const key = verifierKey({ name: origin, ...(await signer.open()) });
  const text = checkpointText({ origin, ...head, extensions: [] });
  const own = { name: origin, keyId: key.keyId, sign: (message: Uint8Array) => signer.sign(message) };
  const note = await signNote({ text, signatures: [] }, [own]);
  try {
    openNote(parseNote(note), [noteVerifier(key)]);
  } catch (error) {
    if (!(error instanceof UnprovenError)) throw error;
    throw new SignerError('invalid', 'the signature does not match the public key that the signer names', {
      cause: error,
    });
  }
  return note;
}
