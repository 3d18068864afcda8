import { closeSync, openSync, readSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import { StoreError } from '../../ports/store-error.ts';
import { type Patience, whenFree } from './connection.ts';
import { openDatabase } from './database.ts';
import { storeError, toStoreError } from './errors.ts';
import { makeDirectory, makePrivateFile, publishFile } from './private-files.ts';
import { APPLICATION_ID, type Migration } from './schema.ts';
import { assertSchema } from './schema-check.ts';

const DATABASE_FILE = 'rollcall.db';

/** Files up to this size are checked as a whole when they are opened (about 20 ms), larger ones only by header and schema. */
const QUICK_CHECK_BYTES = 16 * 2 ** 20;

export interface FileState {
  readonly version: number;
  readonly bytes: number;
}

/**
 * Checks a store's file without changing it or creating files beside it: header, length, schema, and the content of files up to 16 MiB. Damage
 * elsewhere in a larger file is reported when that part is read.
 * @returns `null` if there is no file
 * @throws StoreError `Corrupt`, `ForeignFile`, `ForeignSchema`, `NewerVersion`, `NotWritable`
 */
export async function inspectFile(
  path: string,
  migrations: readonly Migration[],
  patience: Patience,
): Promise<FileState | null> {
  try {
    // Looks for the log first. A process that creates a store makes the file before the log, so a log without a file means that the file was deleted.
    const logged = hasLog(path);
    const stats = statSync(path, { throwIfNoEntry: false });
    if (stats === undefined && logged) throw corrupt(path, `the file is gone, but its log ${path}-wal is there`);
    if (stats === undefined) return null;
    if (!stats.isFile()) {
      const found = 'not a regular file, expected a database file';
      throw storeError('Corrupt', path, found, 'Choose another directory with --data-dir.');
    }
    const underLock = () => whenFree(patience, () => probe(path, stats.size, migrations));
    if (heldHere.has(inodeOf(path))) return await underLock();
    assertHeader(path, stats.size, migrations.length, !logged);
    if (logged) return await underLock();
    // Without a log the file is complete and can be read without locks. But another process may be opening it for writing, which can look like
    // damage. So damage counts only if a read under a lock finds it too.
    try {
      return probe(`${pathToFileURL(path).href}?immutable=1`, stats.size, migrations, path);
    } catch (error) {
      if (toStoreError(error, path).code !== 'Corrupt' || !hasLog(path)) throw error;
      return await underLock();
    }
  } catch (error) {
    throw toStoreError(error, path);
  }
}

/** Whether there is a write-ahead log, which contains changes that are not yet in the file itself. */
function hasLog(path: string): boolean {
  return (statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0) > 0;
}

/**
 * The databases that this process has open, with the number of connections. Such a file must be read only through SQLite: if the process opens and
 * closes it directly, the process loses its locks on it [sqlite.org/howtocorrupt.html, 2.2].
 */
const heldHere = new Map<string, number>();

function inodeOf(path: string): string {
  const { dev, ino } = statSync(path);
  return `${dev}:${ino}`;
}

/** Call it before opening a database. @returns a function to call after the database is closed */
export function holdFile(path: string): () => void {
  const inode = inodeOf(path);
  heldHere.set(inode, (heldHere.get(inode) ?? 0) + 1);
  return () => {
    const others = (heldHere.get(inode) ?? 1) - 1;
    if (others > 0) heldHere.set(inode, others);
    else heldHere.delete(inode);
  };
}

function probe(name: string, bytes: number, migrations: readonly Migration[], path: string = name): FileState {
  const db = openDatabase(name, { readOnly: true });
  try {
    const version = pragma(db, 'user_version');
    assertOurs(path, pragma(db, 'application_id'), version, migrations.length);
    if (bytes <= QUICK_CHECK_BYTES) assertSound(db, path, 'quick_check(1)');
    assertSchema(db, path, migrations, version);
    return { version, bytes };
  } finally {
    db.close();
  }
}

/** @throws StoreError `Corrupt` with SQLite's first finding. */
export function assertSound(db: DatabaseSync, path: string, check: 'quick_check(1)' | 'integrity_check(1)'): void {
  const [finding] = Object.values(db.prepare(`PRAGMA ${check}`).get() ?? {});
  if (finding !== 'ok') throw corrupt(path, `the database is damaged (${String(finding).replace(/\s+/g, ' ')})`);
}

export function pragma(db: DatabaseSync, name: 'user_version' | 'application_id'): number {
  const value = db.prepare(`PRAGMA ${name}`).get()?.[name];
  return typeof value === 'number' ? value : 0;
}

/**
 * Checks the first 100 bytes [sqlite.org/fileformat2.html, "The Database Header"], without SQLite.
 * @param complete whether no log exists, so that the file has all changes
 */
function assertHeader(path: string, bytes: number, latest: number, complete: boolean): void {
  const header = Buffer.alloc(100);
  const file = openSync(path, 'r');
  let length: number;
  try {
    length = readSync(file, header);
  } finally {
    closeSync(file);
  }
  if (length === 0) throw corrupt(path, 'the file is empty');
  if (length < header.length || !header.subarray(0, 16).equals(Buffer.from('SQLite format 3\0', 'latin1'))) {
    throw corrupt(path, 'this is not an SQLite database');
  }
  assertOurs(path, header.readInt32BE(68), header.readInt32BE(60), latest);
  const pageSize = header.readUInt16BE(16) === 1 ? 65_536 : header.readUInt16BE(16);
  const expected = header.readUInt32BE(28) * pageSize;
  // The number of pages is valid only if the program that changed the file last also updated it.
  const vouched = header.readUInt32BE(24) === header.readUInt32BE(92);
  if (complete && vouched && bytes < expected) {
    throw corrupt(path, `the file is cut off: it has ${bytes} bytes of ${expected}`);
  }
}

/** @throws StoreError `ForeignFile`, `NewerVersion` */
export function assertOurs(path: string, applicationId: number, version: number, latest: number): void {
  if (applicationId !== APPLICATION_ID) {
    throw new StoreError({
      code: 'ForeignFile',
      resource: path,
      found: `an SQLite database of another program (application id ${applicationId})`,
      expected: `Rollcall's (${APPLICATION_ID})`,
      remedy: 'It was left as it is. Choose another directory with --data-dir.',
    });
  }
  if (version > latest) {
    throw new StoreError({
      code: 'NewerVersion',
      resource: path,
      found: `schema version ${version}, written by a newer Rollcall`,
      expected: `at most ${latest}`,
      remedy: 'It was left as it is. Use that newer version, or another directory with --data-dir.',
    });
  }
}

/**
 * Makes the directory (0700) and in it an empty database (0600). The file gets its name only when it is complete. If another process has made the file
 * meanwhile, that file is kept.
 */
export function createFile(path: string, migrations: readonly Migration[], unique: string): void {
  const draft = `${path}.${unique}.new`;
  makeDirectory(dirname(path));
  makePrivateFile(draft);
  try {
    const db = openDatabase(draft);
    try {
      migrate(db, path, migrations);
      db.exec('PRAGMA journal_mode = WAL');
    } finally {
      db.close();
    }
    publishFile(draft, path);
  } catch (error) {
    throw toStoreError(error, path);
  } finally {
    rmSync(draft, { force: true });
  }
}

/** Migrates the schema, each step in one transaction with its version number. The version is read inside it, because another process may migrate too. */
export function migrate(db: DatabaseSync, path: string, migrations: readonly Migration[]): void {
  for (const [index, step] of migrations.entries()) {
    db.exec('BEGIN IMMEDIATE');
    try {
      const version = pragma(db, 'user_version');
      if (version > 0) assertOurs(path, pragma(db, 'application_id'), version, migrations.length);
      if (version === index) {
        step.up(db);
        db.exec(`PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${index + 1}`);
      }
      db.exec('COMMIT');
    } catch (error) {
      if (db.isTransaction) db.exec('ROLLBACK');
      throw error;
    }
  }
}

export function databasePath(dataDir: string): string {
  return join(dataDir, DATABASE_FILE);
}

function corrupt(path: string, found: string): StoreError {
  const remedy = 'It was left as it is. Restore a backup with `rollcall restore FILE`; this file is then set aside.';
  return storeError('Corrupt', path, found, remedy);
}
