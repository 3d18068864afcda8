import { rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Reconcile } from '../../ports/restore.ts';
import { StoreError } from '../../ports/store-error.ts';
import type { Clock, NewId, Random } from '../../ports/system.ts';
import { backupTo, copySnapshot } from './backup.ts';
import { type Patience, whenFree } from './connection.ts';
import { openDatabase } from './database.ts';
import { storeError, toStoreError, translated, translating } from './errors.ts';
import { assertOurs, assertSound, databasePath, holdFile, inspectFile, migrate, pragma } from './file.ts';
import { makeDirectory, makePrivateFile, publishFile } from './private-files.ts';
import { reconcileAlone, reconcileWithRest, replaceContent } from './reconcile-restore.ts';
import { MIGRATIONS, type Migration } from './schema.ts';
import { assertSchema } from './schema-check.ts';
import { replaceDamaged } from './set-aside.ts';
import { Sql } from './sql.ts';
import { contentOf } from './stored-content.ts';

export interface RestoreOptions<Report> {
  readonly dataDir: string;
  /** The backup; it is only read. */
  readonly file: string;
  /** Decides which settings of the replaced store stay in force. */
  readonly reconcile: Reconcile<Report>;
  readonly clock: Clock;
  readonly newId: NewId;
  readonly random: Random;
  readonly busyTimeoutMs?: number;
  readonly migrations?: readonly Migration[];
}

export interface RestoreResult<Report> {
  /** The store's file. */
  readonly path: string;
  /** A copy of the content that was replaced; `null` if there was no store, or a damaged one. */
  readonly copy: string | null;
  /** Path to which a damaged store was moved; `null` if the store was not damaged. */
  readonly setAside: string | null;
  readonly report: Report;
}

/**
 * Replaces the store by a backup, even while other processes have the store open. For them the restore is one transaction. Register versions and chain
 * heads that they read before it no longer match, so their next write fails. The replaced content is never lost: it is copied, or set aside if it is
 * damaged.
 *
 * ```
 *  backup ──▶ draft: a copy, checked in full and migrated
 *               ├─▶ the store is sound: BEGIN IMMEDIATE, copy it, reconcile, replace every table, COMMIT
 *               ├─▶ there is no store: reconcile in the draft, give the draft the store's name
 *               └─▶ the store is damaged: reconcile in the draft with what can be read, set the store aside, rename the draft
 * ```
 * @throws StoreError `NotFound`, `Corrupt`, `ForeignFile`, `ForeignSchema`, `NewerVersion` about the backup; `ForeignFile`, `NewerVersion`,
 *   `DiskFull`, `NotWritable`, `Busy` about the store; and what `reconcile` throws. The store then has the content that it had.
 */
export async function restoreEmbeddedStore<Report>(options: RestoreOptions<Report>): Promise<RestoreResult<Report>> {
  const { dataDir, file, newId, clock, migrations = MIGRATIONS } = options;
  const patience: Patience = { clock, random: options.random, totalMs: options.busyTimeoutMs ?? 15_000 };
  const path = databasePath(dataDir);
  const draft = `${path}.${newId()}.restore`;
  await inspectBackup(file, migrations, patience);
  makeDirectory(dirname(path));
  try {
    await prepare(file, draft, newId(), migrations);
    const copy = join(dataDir, `before-restore-${newId()}.db`);
    const circumstances = { patience, migrations, reconcile: options.reconcile, copy };
    return await replace(draft, path, `${path}.damaged-${newId()}`, circumstances);
  } catch (error) {
    throw translated(error, path);
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
  if (found === null) throw storeError('NotFound', file, 'there is no such backup', 'Check the path.');
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
    const db = openDatabase(draft);
    try {
      assertSound(db, file, 'integrity_check(1)');
      migrate(db, draft, migrations);
      assertSchema(db, file, migrations, migrations.length);
      // Changes the version of every register. Otherwise a process that read a register before the restore could overwrite it afterwards.
      db.prepare('UPDATE register_versions SET generation = ?').run(generation);
      db.exec('PRAGMA journal_mode = DELETE');
    } finally {
      db.close();
    }
  } catch (error) {
    const known = toStoreError(error, draft);
    throw UNRELIABLE.has(known.code) ? aboutBackup(known, file) : known;
  }
}

interface Circumstances<Report> {
  readonly patience: Patience;
  readonly migrations: readonly Migration[];
  readonly reconcile: Reconcile<Report>;
  /** Path for the copy of the replaced content. */
  readonly copy: string;
}

/** Errors that mean that the content cannot be trusted. A store with such content is set aside and not replaced in place. */
const UNRELIABLE: ReadonlySet<string> = new Set(['Corrupt', 'ForeignSchema']);

async function replace<Report>(
  draft: string,
  path: string,
  aside: string,
  circumstances: Circumstances<Report>,
): Promise<RestoreResult<Report>> {
  const { patience, migrations, reconcile, copy } = circumstances;
  try {
    if ((await inspectFile(path, migrations, patience)) === null) {
      const report = reconcileAlone(draft, reconcile, { kind: 'absent' });
      if (publishFile(draft, path)) return { path, copy: null, setAside: null, report };
      throw storeError('Busy', path, 'another process has just created a store here', 'Run the command again.');
    }
    const report = await whenFree(patience, () => replaceInPlace(draft, path, circumstances));
    return { path, copy, setAside: null, report };
  } catch (error) {
    if (!isUnreliable(error, path)) throw error;
  }
  const report = reconcileWithRest(draft, path, reconcile);
  replaceDamaged(path, { aside, draft });
  return { path, copy: null, setAside: aside, report };
}

/** Whether the error says that the store's file is unreliable. Errors about the backup or from `reconcile` do not. */
function isUnreliable(error: unknown, path: string): boolean {
  return error instanceof StoreError && error.resource === path && UNRELIABLE.has(error.code);
}

/** Replaces the whole content in one transaction. A crash before its commit leaves the old content. */
async function replaceInPlace<Report>(
  draft: string,
  path: string,
  { patience, migrations, reconcile, copy }: Circumstances<Report>,
): Promise<Report> {
  const letGo = holdFile(path);
  const db = translating(path, () => openDatabase(path));
  const source = openDatabase(draft, { readOnly: true });
  let replaced = false;
  try {
    translating(path, () => {
      migrate(db, path, migrations);
      // No other process uses the draft, so it can be read without locks.
      db.prepare('ATTACH ? AS restored').run(`${pathToFileURL(draft).href}?immutable=1`);
      db.exec('PRAGMA synchronous = FULL; BEGIN IMMEDIATE');
      assertOurs(path, pragma(db, 'application_id'), pragma(db, 'user_version'), migrations.length);
      assertSchema(db, path, migrations, migrations.length);
    });
    // The open transaction keeps other processes from writing, so the copy has every entry that the restore removes.
    await copyReplaced(path, copy, patience);
    const report = replaceContent(db, path, { backup: contentOf(new Sql(source, draft)), reconcile });
    replaced = true;
    return report;
  } finally {
    // Closing the connection rolls back an uncommitted transaction.
    source.close();
    db.close();
    letGo();
    if (!replaced) rmSync(copy, { force: true });
  }
}

/** @throws StoreError about the store, not about the copy, if the store turns out to be damaged. */
async function copyReplaced(path: string, copy: string, patience: Patience): Promise<void> {
  try {
    await backupTo({ path, file: copy, unique: 'copy', patience });
  } catch (error) {
    const known = toStoreError(error, copy);
    throw known.code === 'Corrupt' ? new StoreError({ ...known.details, resource: path }, { cause: error }) : known;
  }
}

function aboutBackup(error: unknown, file: string): StoreError {
  const { details } = toStoreError(error, file);
  const remedy = 'The store was left as it is. Use another backup.';
  return new StoreError({ ...details, resource: file, remedy }, { cause: error });
}
