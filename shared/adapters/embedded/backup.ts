import { rmSync } from 'node:fs';
import { backup } from 'node:sqlite';
import type { StoreError } from '../../ports/store-error.ts';
import { type Patience, whenFree } from './connection.ts';
import { openDatabase } from './database.ts';
import { storeError, toStoreError } from './errors.ts';
import { makePrivateFile, publishFile, statsOf } from './private-files.ts';

export interface BackupRequest {
  /** Path of the database. */
  readonly path: string;
  /** Path of the backup. */
  readonly file: string;
  /** Makes the name of the temporary file unique. */
  readonly unique: string;
  readonly patience: Patience;
}

/** How many pages SQLite copies in one step. Each step runs on a separate thread. */
const PAGES_A_STEP = 4096;

/** Implements `EmbeddedStore.backup`. */
export async function backupTo({ path, file, unique, patience }: BackupRequest): Promise<void> {
  if (statsOf(path) === undefined) {
    throw storeError('NotFound', path, 'there is no store', 'There is nothing to back up.');
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
 * Copies the database as it is at one moment. A read transaction stays open during the copy. Without it, every write by another process would
 * restart the copy.
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

/** Turns write-ahead logging off, so that the file is complete without a log beside it. */
function asOneFile(path: string): void {
  const db = openDatabase(path);
  try {
    db.exec('PRAGMA journal_mode = DELETE');
  } finally {
    db.close();
  }
}

function taken(file: string): StoreError {
  return storeError('Exists', file, 'the file already exists', 'Choose another name, or remove it first.');
}
