import { copyFileSync, existsSync, linkSync, renameSync, type Stats, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { makePrivateFile, syncPath } from './private-files.ts';

/**
 * Renames a damaged store and its log to `aside`, and gives the draft the store's name. The name is never free in between: a process that
 * found no file would create an empty store there, which is not halted. While the parts are moved, the name belongs to an empty file, which
 * every process refuses as damaged; so a restore that is killed leaves the damaged store, the empty file, or the restored store.
 */
export function replaceDamaged(
  path: string,
  { aside, draft }: { readonly aside: string; readonly draft: string },
): void {
  const empty = `${aside}.empty`;
  makePrivateFile(empty);
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats !== undefined) keepAs(path, aside, stats);
  renameSync(empty, path);
  // A log left behind would be read as the restored store's log.
  for (const suffix of ['-wal', '-shm']) {
    if (existsSync(path + suffix)) renameSync(path + suffix, aside + suffix);
  }
  syncPath(dirname(path));
  renameSync(draft, path);
  syncPath(dirname(path));
}

function keepAs(path: string, aside: string, stats: Stats): void {
  if (!stats.isFile()) {
    // Only regular files can have two names (hard links).
    renameSync(path, aside);
    return;
  }
  try {
    linkSync(path, aside);
  } catch {
    // The file system has no hard links.
    copyFileSync(path, aside);
  }
}
