import { rmSync } from 'node:fs';
import { backup } from 'node:sqlite';
import { StoreError } from '../../ports/store-error.ts';
import { type Patience, whenFree } from './connection.ts';
import { openDatabase } from './database.ts';
import { toStoreError } from './errors.ts';
import { makePrivateFile, publishFile, statsOf } from './private-files.ts';

export interface BackupRequest {
  /** Path of the database. */
  readonly path: string;
  readonly file: string;
  /** Text that makes the name of the temporary file unique. */
  readonly unique: string;
  readonly patience: Patience;
}

/** The number of pages that one step copies, on a separate thread. */
const PAGES_A_STEP = 4096;

/** See `EmbeddedStore.backup`. */
export async function backupTo({ path, file, unique, patience }: BackupRequest): Promise<void> {
  if (statsOf(path) === undefined) {
    throw new StoreError({
      code: 'NotFound',
      resource: path,
      found: 'there is no store',
      remedy: 'There is nothing to back up.',
    });
  }
  if (statsOf(file) !== undefined) throw taken(file);
  const draft = `${file}.${unique}.partial`;
  makePrivateFile(draft);
  try {
    await whenFree(patience, () => copySnapshot(path, draft));
    asOneFile(draft);
    if (!publishFile(draft, file)) throw taken(file);
  } catch (error) {
    throw toStoreError(error, file);
  } finally {
    rmSync(draft, { force: true });
  }
}

/**
 * Copies the state of one moment. A reading transaction on a separate connection stays open during the copy and pins the snapshot, so that writers
 * neither wait for the copy nor restart it.
 */
export async function copySnapshot(path: string, target: string): Promise<void> {
  const source = openDatabase(path, { readOnly: true });
  try {
    source.exec('BEGIN');
    source.prepare('SELECT count(*) FROM sqlite_schema').get();
    await backup(source, target, { rate: PAGES_A_STEP });
  } finally {
    source.close();
  }
}

/** Takes a database out of write-ahead logging, so that it is complete without a log beside it and can be read anywhere. */
function asOneFile(path: string): void {
  const db = openDatabase(path);
  try {
    db.exec('PRAGMA journal_mode = DELETE');
  } finally {
    db.close();
  }
}

function taken(file: string): StoreError {
  return new StoreError({
    code: 'Exists',
    resource: file,
    found: 'there is such a file already',
    remedy: 'Choose another name, or remove it first.',
  });
}
