import { statSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
import type { Ledger } from '../../ports/ledger.ts';
import type { DeadLetters, WorkQueue } from '../../ports/queue.ts';
import type { Records } from '../../ports/records.ts';
import type { Registers } from '../../ports/registers.ts';
import type { SnapshotStore } from '../../ports/snapshot-store.ts';
import { StoreError } from '../../ports/store-error.ts';
import type { StoreTime } from '../../ports/store-time.ts';
import type { Clock, Monotonic, NewId, Random } from '../../ports/system.ts';
import { backupTo } from './backup.ts';
import { Connection, type Patience, whenFree } from './connection.ts';
import { openDatabase } from './database.ts';
import { sqliteDeadLetters } from './dead-letters.ts';
import { toStoreError } from './errors.ts';
import { assertOurs, createFile, databasePath, holdFile, inspectFile, migrate, pragma } from './file.ts';
import { hostTime } from './host-time.ts';
import { sqliteLedger } from './ledger.ts';
import { assertDirectory } from './private-files.ts';
import { sqliteQueue } from './queue.ts';
import { sqliteRecords } from './records.ts';
import { sqliteRegisters } from './registers.ts';
import { MIGRATIONS, type Migration } from './schema.ts';
import { assertSchema, SchemaGuard } from './schema-check.ts';
import { sqliteSnapshots } from './snapshots.ts';

export interface EmbeddedStoreOptions {
  /** The directory of `rollcall.db`; created with owner-only permissions if it is missing. */
  readonly dataDir: string;
  readonly clock: Clock;
  readonly monotonic: Monotonic;
  readonly newId: NewId;
  /** For the pauses between attempts to get a lock. */
  readonly random: Random;
  /** Writes and creates nothing; a missing store looks like an empty one. Every write throws `NotWritable`. */
  readonly readOnly?: boolean;
  /** `false`: throws `NotFound` if there is no store (default `true`). */
  readonly create?: boolean;
  /** How long to wait for a lock that another process holds, before `Busy` (default 15 s). */
  readonly busyTimeoutMs?: number;
  /** See `QueueOptions.maxReceives` (default 100). */
  readonly maxReceives?: number;
  /** The largest number of 4 KiB pages in the file; writes beyond it throw `DiskFull`. For tests of a full disk. */
  readonly maxPages?: number;
  /** Default: `MIGRATIONS`; tests of migration use others. */
  readonly migrations?: readonly Migration[];
}

/** The whole state of the embedded runtime, in one file. All methods throw `StoreError`. */
export interface EmbeddedStore {
  readonly ledger: Ledger;
  readonly records: Records;
  readonly queue: WorkQueue;
  readonly deadLetters: DeadLetters;
  readonly registers: Registers;
  /**
   * The same registers over a connection that does not wait for the disk: writes survive a crash of the process, but a power failure can lose the last
   * ones. For values that are obsolete a second later: every AWS call waits for a slot of the rate limiter, and should not wait for the disk too.
   */
  readonly pacing: Registers;
  /** This machine's clock. */
  readonly time: StoreTime;
  readonly snapshots: SnapshotStore;
  /**
   * Writes a complete copy of the present state with owner-only permissions, while this and other processes continue. The file appears only when it
   * is complete.
   * @throws StoreError `Exists` if the file exists, `DiskFull`, `NotFound` (no such directory, or no store)
   */
  backup(file: string): Promise<void>;
  /** Finishes pending writes, then closes the store. Idempotent. */
  close(): Promise<void>;
}

const BUSY_TIMEOUT_MS = 15_000;
const MAX_RECEIVES = 100;

/**
 * Opens the store of a data directory. Any number of processes may have it open.
 * @throws StoreError `NewerVersion`, `Corrupt`, `ForeignFile`, `ForeignSchema` (all leave the file as it is), `OlderVersion` (read-only),
 *   `NotFound`, `NotADirectory`, `NotWritable`, `DiskFull`, `Busy`
 */
export async function openEmbeddedStore(options: EmbeddedStoreOptions): Promise<EmbeddedStore> {
  const { clock, random, busyTimeoutMs = BUSY_TIMEOUT_MS } = options;
  const patience: Patience = { clock, random, totalMs: busyTimeoutMs };
  const path = databasePath(options.dataDir);
  const connection = await connect(path, patience, options);
  const hasty = connection.durable ? await connectHasty(path, patience, options, connection) : connection;
  const { newId, maxReceives = MAX_RECEIVES } = options;
  return {
    ledger: sqliteLedger(connection),
    records: sqliteRecords(connection),
    queue: sqliteQueue(connection, { clock, newId, maxReceives }),
    deadLetters: sqliteDeadLetters(connection, clock),
    registers: sqliteRegisters(connection),
    pacing: sqliteRegisters(hasty),
    time: hostTime(clock, options.monotonic),
    snapshots: sqliteSnapshots(connection),
    backup: (file) => backupTo({ path, file, unique: newId(), patience }),
    async close() {
      // The last connection to close moves the log into the file, so it must be the one that syncs.
      await hasty.close();
      await connection.close();
    },
  };
}

async function connect(path: string, patience: Patience, options: EmbeddedStoreOptions): Promise<Connection> {
  const { dataDir, readOnly = false, create = true, migrations = MIGRATIONS } = options;
  assertDirectory(dataDir);
  let state = await inspectFile(path, migrations, patience);
  if (state === null) {
    if (!create) throw absent(path);
    if (readOnly) return emptyView(path, patience, migrations);
    createFile(path, migrations, options.newId());
    state = await inspectFile(path, migrations, patience);
  }
  if (readOnly && state !== null && state.version < migrations.length) throw outdated(path, state.version, migrations);

  try {
    return await openFile(path, patience, options);
  } catch (error) {
    throw toStoreError(error, path);
  }
}

async function openFile(path: string, patience: Patience, options: EmbeddedStoreOptions): Promise<Connection> {
  const { readOnly = false, migrations = MIGRATIONS } = options;
  const letGo = holdFile(path);
  try {
    const db = openDatabase(path, { readOnly });
    try {
      await whenFree(patience, () => configure(db, path, options));
      const schema = new SchemaGuard(db, schemaCheck(path, migrations));
      const common = { db, path, patience, readOnly, durable: !readOnly, schema };
      return new Connection({ ...common, inode: statSync(path).ino, onClose: letGo });
    } catch (error) {
      db.close();
      throw error;
    }
  } catch (error) {
    letGo();
    throw error;
  }
}

/** @throws StoreError, with `first` closed. */
async function connectHasty(
  path: string,
  patience: Patience,
  { migrations = MIGRATIONS }: EmbeddedStoreOptions,
  first: Connection,
): Promise<Connection> {
  const letGo = holdFile(path);
  const db = openDatabase(path);
  try {
    // With a write-ahead log a power failure loses the last commits, never the file [sqlite.org/pragma.html, synchronous].
    await whenFree(patience, () => db.exec('PRAGMA cache_size = -500; PRAGMA synchronous = NORMAL'));
    return new Connection({
      db,
      path,
      patience,
      readOnly: false,
      durable: false,
      schema: new SchemaGuard(db, schemaCheck(path, migrations)),
      inode: statSync(path).ino,
      onClose: letGo,
    });
  } catch (error) {
    db.close();
    letGo();
    await first.close();
    throw toStoreError(error, path);
  }
}

/**
 * Write-ahead log with `synchronous = FULL`: a commit returns when the log is synced to the disk. Acknowledged writes survive a crash of the process or
 * the system and a power failure, if the disk keeps what it confirms. A crash during a commit leaves none of it.
 */
function configure(db: DatabaseSync, path: string, options: EmbeddedStoreOptions): void {
  const { readOnly = false, maxPages, migrations = MIGRATIONS } = options;
  db.exec('PRAGMA cache_size = -8000; PRAGMA temp_store = MEMORY');
  if (readOnly) {
    db.exec('PRAGMA query_only = ON');
    return;
  }
  const mode = db.prepare('PRAGMA journal_mode = WAL').get()?.['journal_mode'];
  if (mode !== 'wal') {
    const remedy = 'Choose a directory on a local disk with --data-dir.';
    throw new StoreError({ code: 'NotWritable', resource: path, found: 'no write-ahead log is possible here', remedy });
  }
  db.exec('PRAGMA synchronous = FULL; PRAGMA journal_size_limit = 67108864');
  if (maxPages !== undefined) db.exec(`PRAGMA max_page_count = ${Math.floor(maxPages)}`);
  migrate(db, path, migrations);
}

/** Checks the schema of an open file, which a newer version may have migrated since it was opened. */
function schemaCheck(path: string, migrations: readonly Migration[]): (db: DatabaseSync) => void {
  return (db) => {
    assertOurs(path, pragma(db, 'application_id'), pragma(db, 'user_version'), migrations.length);
    assertSchema(db, path, migrations, migrations.length);
  };
}

/** A read-only command without a store sees an empty one, in memory. */
function emptyView(path: string, patience: Patience, migrations: readonly Migration[]): Connection {
  const db = openDatabase(':memory:');
  migrate(db, path, migrations);
  db.exec('PRAGMA query_only = ON');
  return new Connection({
    db,
    path,
    patience,
    readOnly: true,
    durable: false,
    schema: null,
    inode: null,
    onClose: () => undefined,
  });
}

function absent(path: string): StoreError {
  const remedy = 'Check --data-dir; `rollcall apply` or `rollcall serve` makes a store.';
  return new StoreError({ code: 'NotFound', resource: path, found: 'there is no store', remedy });
}

function outdated(path: string, version: number, migrations: readonly Migration[]): StoreError {
  return new StoreError({
    code: 'OlderVersion',
    resource: path,
    found: `schema version ${version}`,
    expected: `${migrations.length}`,
    remedy: 'This command only reads. One that writes (`rollcall apply`, `rollcall serve`) brings the file up to date.',
  });
}
