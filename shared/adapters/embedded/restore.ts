import { existsSync, renameSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { backup, DatabaseSync } from 'node:sqlite';
import type { Clock, NewId, Random } from '../../ports/system.ts';
import { systemRandom } from '../system/random.ts';
import { copySnapshot } from './backup.ts';
import { BLOCKING_WAIT_MS, type Patience, whenFree } from './connection.ts';
import { StoreError, toStoreError } from './errors.ts';
import {
  assertSound,
  databasePath,
  holdFile,
  inspectFile,
  makeDirectory,
  makePrivateFile,
  migrate,
  publishFile,
} from './file.ts';
import { MIGRATIONS, type Migration } from './schema.ts';

export interface RestoreOptions {
  readonly dataDir: string;
  /** The backup; it is only read. */
  readonly file: string;
  readonly clock: Clock;
  readonly newId: NewId;
  readonly random?: Random;
  readonly busyTimeoutMs?: number;
  readonly migrations?: readonly Migration[];
}

export interface RestoreResult {
  /** The store's file. */
  readonly path: string;
  /** Where a damaged store was put aside; `null` if there was none. */
  readonly setAside: string | null;
}

/** SQLite copies everything in one step, and thus in one transaction. */
const ALL_PAGES = 2 ** 31 - 1;

/**
 * Puts a backup's state in the place of the store's, also while other processes have the store open: for them it is one
 * transaction, before which they see the old state and after which they see the restored one, and what they still hold
 * (versions of registers, heads of chains) no longer fits. The backup is checked in full first, and if it is
 * of an older version, a copy is brought forward. A store that is damaged is set aside, never deleted.
 * @throws StoreError `NotFound`, `Corrupt`, `ForeignFile`, `NewerVersion` about the backup; about the store the same except
 *   `Corrupt`, and `DiskFull`, `NotWritable`, `Busy`. The store is then as it was.
 */
export async function restoreEmbeddedStore(options: RestoreOptions): Promise<RestoreResult> {
  const { dataDir, file, newId, clock, migrations = MIGRATIONS } = options;
  const patience: Patience = {
    clock,
    random: options.random ?? systemRandom,
    totalMs: options.busyTimeoutMs ?? 15_000,
  };
  const path = databasePath(dataDir);
  const draft = `${path}.${newId()}.restore`;
  await inspectBackup(file, migrations, patience);
  makeDirectory(dirname(path));
  try {
    await prepare(file, draft, newId(), migrations);
    const setAside = await swapIn(draft, path, `${path}.damaged-${newId()}`, { patience, migrations });
    return { path, setAside };
  } catch (error) {
    throw toStoreError(error, path);
  } finally {
    rmSync(draft, { force: true });
  }
}

async function inspectBackup(file: string, migrations: readonly Migration[], patience: Patience): Promise<void> {
  let found: unknown;
  try {
    found = await inspectFile(file, migrations, patience);
  } catch (error) {
    throw aboutBackup(error, file);
  }
  if (found !== null) return;
  throw new StoreError({ code: 'NotFound', path: file, found: 'there is no such backup', remedy: 'Check the path.' });
}

/** Makes a checked copy of the backup that is ready to take the store's place. */
async function prepare(
  file: string,
  draft: string,
  generation: string,
  migrations: readonly Migration[],
): Promise<void> {
  makePrivateFile(draft);
  try {
    await copySnapshot(file, draft);
    const db = new DatabaseSync(draft);
    try {
      assertSound(db, file, 'integrity_check(1)');
      migrate(db, draft, migrations);
      // Whoever read a register before the restore must not overwrite it after: every version becomes a new one.
      db.prepare('UPDATE register_versions SET generation = ?').run(generation);
      db.prepare("UPDATE registers SET version = ? || '-r' || rowid").run(generation);
      db.exec('PRAGMA journal_mode = DELETE');
    } finally {
      db.close();
    }
  } catch (error) {
    const known = toStoreError(error, draft);
    throw known.code === 'Corrupt' ? aboutBackup(known, file) : known;
  }
}

interface Circumstances {
  readonly patience: Patience;
  readonly migrations: readonly Migration[];
}

/** @returns the new name of the damaged store that was in the way, if there was one. */
async function swapIn(draft: string, path: string, aside: string, { patience, migrations }: Circumstances) {
  try {
    const present = await inspectFile(path, migrations, patience);
    if (present === null && publishFile(draft, path)) return null;
    await whenFree(patience, () => overwrite(draft, path));
    return null;
  } catch (error) {
    if (toStoreError(error, path).code !== 'Corrupt') throw error;
  }
  for (const suffix of ['', '-wal', '-shm']) {
    if (existsSync(path + suffix)) renameSync(path + suffix, aside + suffix);
  }
  publishFile(draft, path);
  return aside;
}

/** Replaces the whole content in one transaction; a crash in the middle of it leaves the old one. */
async function overwrite(draft: string, path: string): Promise<void> {
  const source = new DatabaseSync(draft, { readOnly: true, timeout: BLOCKING_WAIT_MS });
  const letGo = holdFile(path);
  try {
    await backup(source, path, { rate: ALL_PAGES });
  } finally {
    letGo();
    source.close();
  }
}

function aboutBackup(error: unknown, file: string): StoreError {
  const { facts } = toStoreError(error, file);
  const remedy = 'The store was left as it is. Use another backup.';
  return new StoreError({ ...facts, path: file, remedy }, { cause: error });
}
