import { closeSync, fsyncSync, linkSync, mkdirSync, openSync, readSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import { BLOCKING_WAIT_MS, type Patience, whenFree } from './connection.ts';
import { StoreError, toStoreError } from './errors.ts';
import { APPLICATION_ID, type Migration } from './schema.ts';

export const DATABASE_FILE = 'rollcall.db';

/** Up to this size the whole file is checked when it is opened (some 20 ms); above it the structure only. */
const QUICK_CHECK_BYTES = 16 * 2 ** 20;

export interface FileState {
  readonly version: number;
  readonly bytes: number;
}

/**
 * Looks at a file without changing anything in it or beside it, and refuses what we must not touch.
 * What is checked is cheap by design (a store may have gigabytes): the header, that the file is as long as its header says, that
 * the schema can be read, and up to 16 MiB the whole content. The rest shows when it is read, as `Corrupt`; a backup
 * is always checked in full before it is restored.
 * @returns `null` if there is no file.
 * @throws StoreError `Corrupt`, `ForeignFile`, `NewerVersion`, `NotWritable`
 */
export async function inspectFile(path: string, latest: number, patience: Patience): Promise<FileState | null> {
  try {
    // The log first: another process that makes the store makes the file first.
    const orphan = hasLog(path);
    const stats = statSync(path, { throwIfNoEntry: false });
    if (stats === undefined && orphan) throw corrupt(path, `the file is gone, but its log ${path}-wal is there`);
    if (stats === undefined) return null;
    if (!stats.isFile()) throw notAFile(path);
    // Without a log nobody has the file open, and it can be read without locks and without leaving files beside it. But
    // someone may open it this very moment; so a bad finding counts only if it is found under a lock as well.
    if (hasLog(path)) return await whenFree(patience, () => probe(path, stats.size, latest, false));
    try {
      return probe(path, stats.size, latest, true);
    } catch (error) {
      if (toStoreError(error, path).code !== 'Corrupt' || !hasLog(path)) throw error;
      return await whenFree(patience, () => probe(path, stats.size, latest, false));
    }
  } catch (error) {
    throw toStoreError(error, path);
  }
}

/** Changes that are not yet moved into the file itself. */
function hasLog(path: string): boolean {
  return (statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0) > 0;
}

function probe(path: string, bytes: number, latest: number, alone: boolean): FileState {
  const header = readHeader(path);
  if (header !== null) {
    assertOurs(path, header.applicationId, header.version, latest);
    if (alone && header.bytes !== null && bytes < header.bytes) throw truncated(path, bytes, header.bytes);
  }
  const name = alone ? `${pathToFileURL(path).href}?immutable=1` : path;
  const db = new DatabaseSync(name, { readOnly: true, timeout: BLOCKING_WAIT_MS });
  try {
    const version = pragma(db, 'user_version');
    assertOurs(path, pragma(db, 'application_id'), version, latest);
    if (bytes <= QUICK_CHECK_BYTES) assertSound(db, path, 'quick_check(1)');
    return { version, bytes };
  } finally {
    db.close();
  }
}

/** @throws StoreError `Corrupt` with SQLite's first finding. */
export function assertSound(db: DatabaseSync, path: string, check: 'quick_check(1)' | 'integrity_check(1)'): void {
  const [finding] = Object.values(db.prepare(`PRAGMA ${check}`).get() ?? {});
  if (finding !== 'ok') throw corrupt(path, `the database is damaged (${String(finding)})`);
}

export function pragma(db: DatabaseSync, name: 'user_version' | 'application_id'): number {
  const value = db.prepare(`PRAGMA ${name}`).get()?.[name];
  return typeof value === 'number' ? value : 0;
}

interface Header {
  readonly applicationId: number;
  readonly version: number;
  /** `null` where the header does not vouch for it. */
  readonly bytes: number | null;
}

/** The first 100 bytes [sqlite.org/fileformat2.html, "The Database Header"]; `null` for an empty file. */
function readHeader(path: string): Header | null {
  const header = Buffer.alloc(100);
  const file = openSync(path, 'r');
  let length: number;
  try {
    length = readSync(file, header);
  } finally {
    closeSync(file);
  }
  if (length < header.length || !header.subarray(0, 16).equals(Buffer.from('SQLite format 3\0', 'latin1'))) {
    throw corrupt(path, length === 0 ? 'the file is empty' : 'this is not an SQLite database');
  }
  const pageSize = header.readUInt16BE(16) === 1 ? 65_536 : header.readUInt16BE(16);
  const vouched = header.readUInt32BE(24) === header.readUInt32BE(92);
  return {
    applicationId: header.readInt32BE(68),
    version: header.readInt32BE(60),
    bytes: vouched ? header.readUInt32BE(28) * pageSize : null,
  };
}

function assertOurs(path: string, applicationId: number, version: number, latest: number): void {
  if (applicationId !== APPLICATION_ID) {
    throw new StoreError({
      code: 'ForeignFile',
      path,
      found: `an SQLite database of another program (application id ${applicationId})`,
      expected: `Rollcall's (${APPLICATION_ID})`,
      remedy: 'It was left as it is. Choose another directory with --data-dir.',
    });
  }
  if (version > latest) {
    throw new StoreError({
      code: 'NewerVersion',
      path,
      found: `schema version ${version}, written by a newer Rollcall`,
      expected: `at most ${latest}`,
      remedy: 'It was left as it is. Use that newer version, or another directory with --data-dir.',
    });
  }
}

/**
 * Makes the directory (0700) and in it a new, complete and empty database (0600). The file appears under its name only when it is
 * complete, so that no crash and no second process ever sees half of one; if another process was faster, its file stays.
 */
export function createFile(path: string, migrations: readonly Migration[], unique: string): void {
  const draft = `${path}.${unique}.new`;
  try {
    makeDirectory(dirname(path));
    makePrivateFile(draft);
    const db = new DatabaseSync(draft);
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

/** Owner only; directories that exist already are the user's and stay as they are. */
export function makeDirectory(path: string): void {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats === undefined) {
    mkdirSync(path, { recursive: true, mode: 0o700 });
  } else if (!stats.isDirectory()) {
    const remedy = 'Choose another directory with --data-dir.';
    throw new StoreError({ code: 'NotADirectory', path, found: 'a file', expected: 'a directory', remedy });
  }
}

/** SQLite would make it readable for all; its log takes over the permissions of the file. */
export function makePrivateFile(path: string): void {
  closeSync(openSync(path, 'wx', 0o600));
}

/** Gives a complete file its name, durably; does nothing if the name is taken. @returns whether it has it now. */
export function publishFile(draft: string, path: string): boolean {
  try {
    linkSync(draft, path);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : null;
    if (code === 'EEXIST') return false;
    // A file system without hard links.
    if (statSync(path, { throwIfNoEntry: false }) !== undefined) return false;
    renameSync(draft, path);
  }
  rmSync(draft, { force: true });
  syncPath(path);
  syncPath(dirname(path));
  return true;
}

/** Puts a file's content, or a directory's names, on the disk. */
export function syncPath(path: string): void {
  const file = openSync(path, 'r');
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/**
 * Brings the schema forward, each step in a transaction together with its number, so that a crash leaves a file of one
 * version or the next. Another process may have done it meanwhile; so the version is read inside the transaction.
 */
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
  return new StoreError({ code: 'Corrupt', path, found, remedy });
}

function truncated(path: string, bytes: number, expected: number): StoreError {
  return corrupt(path, `the file is cut off: it has ${bytes} bytes of ${expected}`);
}

function notAFile(path: string): StoreError {
  const remedy = 'Choose another directory with --data-dir.';
  return new StoreError({ code: 'Corrupt', path, found: 'not a regular file', expected: 'a database file', remedy });
}
