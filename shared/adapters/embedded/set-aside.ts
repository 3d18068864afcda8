import { copyFileSync, existsSync, linkSync, renameSync, type Stats, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { makePrivateFile, syncPath } from './private-files.ts';

/**
 * Renames a damaged store and its log to `aside`, and gives the draft the store's name. While they are moved, an empty file has that name, which
 * every process refuses as damaged. Without it, another process would find no file and create an empty store, which is not halted.
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
  // SQLite would apply a log that is left behind to the restored store.
  for (const suffix of ['-wal', '-shm']) {
    if (existsSync(path + suffix)) renameSync(path + suffix, aside + suffix);
  }
  syncPath(dirname(path));
  renameSync(draft, path);
  syncPath(dirname(path));
}

function keepAs(path: string, aside: string, stats: Stats): void {
  // Only regular files can have two names (hard links).
  if (!stats.isFile()) {
    renameSync(path, aside);
    return;
  }
  try {
    linkSync(path, aside);
  } catch {
    copyFileSync(path, aside); // the file system has no hard links
  }
}
