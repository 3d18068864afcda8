import { checkpointInNote, openCheckpoint } from '../../../../shared/domain/transparency/checkpoint.ts';
import { equalBytes } from '../../../../shared/domain/transparency/hash.ts';
import { noteVerifier } from '../../../../shared/domain/transparency/note-verifier.ts';
import { parseNote, signaturesBy } from '../../../../shared/domain/transparency/signed-note.ts';
import { verifierKey } from '../../../../shared/domain/transparency/verifier-key.ts';
import type { TreeHead } from '../../../../shared/domain/transparency/verify-proof.ts';
import type { Archive } from './archive.ts';
import type { EvidenceFile } from './evidence-file.ts';
import { type Check, count, EvidenceError, Failures, messageOf } from './finding.ts';
import type { GivenKey, PublicKey } from './keys.ts';
import type { Log } from './log.ts';

/** A checkpoint as its note says, signed or not. */
export interface ReadCheckpoint extends TreeHead {
  readonly origin: string;
}

/** @throws EvidenceError if the file has no checkpoint */
export function readCheckpoint(archive: Archive, file: string): ReadCheckpoint {
  const text = archive.text(file);
  try {
    return checkpointInNote(text);
  } catch (error) {
    throw new EvidenceError(`${file} is not a signed checkpoint: ${messageOf(error)}.`);
  }
}

/** @throws EvidenceError unless the key has signed the checkpoint */
export function verifySignature(archive: Archive, file: string, key: GivenKey): void {
  const { origin } = readCheckpoint(archive, file);
  if (key.name !== null && key.name !== origin) {
    throw new EvidenceError(`The public key is of the log ${key.name}, but ${file} is of the log ${origin}.`);
  }
  signedBy(archive.text(file), file, origin, key);
}

/** @param file names the checkpoint in messages @throws EvidenceError unless the key has signed the note */
export function signedBy(note: string, file: string, origin: string, key: GivenKey): void {
  try {
    openCheckpoint(note, { origin, log: [noteVerifier(keyOf(key, origin))] });
  } catch (error) {
    throw new EvidenceError(
      isByAnother(note, key, origin)
        ? `${file} is not signed by this public key: it was signed by another key, or for another log.`
        : `${file} was changed after it was signed: ${messageOf(error)}.`,
    );
  }
}

/** Checks that all checkpoints are of the same log: each root is that of the first entries of the newest. */
export async function checkOthers(
  archive: Archive,
  { checkpoints }: EvidenceFile,
  log: Log,
  key: GivenKey | null,
): Promise<Check> {
  const failures = new Failures();
  let otherKeys = 0;
  for (const { file, size } of checkpoints) {
    try {
      const checkpoint = readCheckpoint(archive, file);
      if (checkpoint.size !== size)
        throw new EvidenceError(
          `${file} covers ${count(checkpoint.size, 'entry', 'entries')}, but evidence.json says ${size}.`,
        );
      if (size > log.size) throw new EvidenceError(`${file} covers more entries than the newest checkpoint.`);
      if (!equalBytes(await log.root(size), checkpoint.root)) {
        throw new EvidenceError(
          `${file} is not consistent with the newest checkpoint: the log was rewritten or forked.`,
        );
      }
      if (key === null) continue;
      if (isByAnother(archive.text(file), key, checkpoint.origin)) otherKeys += 1;
      // After a restore the log has another name, and the same key.
      else verifySignature(archive, file, { ...key, name: null });
    } catch (error) {
      if (!(error instanceof EvidenceError)) throw error;
      failures.add(error.message);
    }
  }
  const named = new Set(checkpoints.map(({ file }) => file));
  const extra = archive.names.find((name) => name.startsWith('checkpoints/') && !named.has(name));
  if (extra !== undefined) failures.add(`evidence.json does not name ${extra}.`);
  const all = count(checkpoints.length, 'checkpoint');
  const limit =
    otherKeys === 0
      ? null
      : `The log extends ${all}. ${count(otherKeys, 'of them is', 'of them are')} signed by another key, whose signature was not verified.`;
  return failures.check('checkpoints', `The log extends ${all}.`, limit);
}

function keyOf(key: PublicKey, origin: string) {
  return verifierKey({ name: origin, type: key.type, publicKey: key.publicKey });
}

/** Whether the checkpoint has no signature with the name and ID of the key. */
function isByAnother(note: string, key: PublicKey, origin: string): boolean {
  return signaturesBy([keyOf(key, origin)], parseNote(note).signatures).length === 0;
}
