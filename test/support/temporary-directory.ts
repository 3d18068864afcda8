import { accessSync, constants, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';

const MEMORY = '/dev/shm';
/** Enough for the files of all workers together; containers may have less. */
const WANTED_BYTES = 1024 ** 3;

/**
 * Where tests write: a file system in memory if the machine has a large one. SQLite syncs every commit, so that on a disk tests wait for that a third of their
 * time. No test depends on a disk: losses of power are simulated.
 */
export function temporaryDirectory(): string {
  if (process.env['TMPDIR'] !== undefined) return tmpdir();
  try {
    accessSync(MEMORY, constants.W_OK);
    const { bavail, bsize } = statfsSync(MEMORY);
    return bavail * bsize >= WANTED_BYTES ? MEMORY : tmpdir();
  } catch {
    return tmpdir();
  }
}
