import { checkpointOrNull } from '../../domain/transparency/checkpoint.ts';
import { UnprovenError } from '../../domain/transparency/errors.ts';
import type { TreeHead } from '../../domain/transparency/verify-proof.ts';
import { ArchiveError, type CheckpointArchive } from '../../ports/checkpoint-archive.ts';
import type { NewestCheckpoint } from './checkpoint-state.ts';
import { sameHead } from './extension-proof.ts';

/** The newest checkpoint that is kept; `null`: none. @throws ArchiveError; UnprovenError if it is not a checkpoint of this origin */
export async function newestKept(archive: CheckpointArchive, origin: string): Promise<TreeHead | null> {
  const note = await archive.newest(origin);
  if (note === null) return null;
  const checkpoint = checkpointOrNull(note);
  if (checkpoint?.origin === origin) return checkpoint;
  throw new UnprovenError(
    `what ${archive.label} has as the newest checkpoint of ${origin} is not a checkpoint of that log`,
  );
}

/** Keeps a published checkpoint. May be repeated, also if the same state of the log is kept with other signatures. @throws ArchiveError */
export async function keepCheckpoint(
  archive: CheckpointArchive,
  { origin, size, note }: NewestCheckpoint,
): Promise<void> {
  try {
    await archive.keep({ origin, size, note });
  } catch (error) {
    if (!(error instanceof ArchiveError) || error.kind !== 'conflict') throw error;
    const kept = await archive.newest(origin);
    // ECDSA signs the same text in different ways, and two processes may have signed at the same time.
    if (kept === null || !isSame(kept, note)) throw error;
  }
}

function isSame(one: string, other: string): boolean {
  const [a, b] = [checkpointOrNull(one), checkpointOrNull(other)];
  return a !== null && b !== null && a.origin === b.origin && sameHead(a, b);
}
