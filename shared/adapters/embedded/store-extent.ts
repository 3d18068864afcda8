import { existsSync, statSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { openDatabase } from './database.ts';
import { databasePath } from './file.ts';

/** The size of the audit log of a store or a backup. */
interface StoreExtent {
  readonly entries: number;
  /** Epoch ms; `null`: it has no entry. */
  readonly newest: number | null;
}

/** `absent`: there is no file. `unreadable`: it cannot be read as a store; a restore says why. */
export type FoundExtent = StoreExtent | 'absent' | 'unreadable';

export const storeExtent = (dataDir: string): FoundExtent => fileExtent(databasePath(dataDir));

/** Reads a store or a backup without creating files beside it. */
export function fileExtent(path: string): FoundExtent {
  if (!existsSync(path)) return 'absent';
  try {
    // Opening a pipe would wait for a writer.
    if (!statSync(path).isFile()) return 'unreadable';
    // Without a write-ahead log, the file is complete.
    const name = existsSync(`${path}-wal`) ? path : `${pathToFileURL(path).href}?immutable=1`;
    const db = openDatabase(name, { readOnly: true });
    try {
      const { entries, newest } = db.prepare('SELECT count(*) AS entries, max(at) AS newest FROM ledger').get() ?? {};
      return { entries: Number(entries), newest: typeof newest === 'number' ? newest : null };
    } finally {
      db.close();
    }
  } catch {
    return 'unreadable';
  }
}
