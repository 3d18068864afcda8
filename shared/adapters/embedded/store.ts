import { statSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
import type { Registers } from '../../ports/registers.ts';
import { StoreError } from '../../ports/store-error.ts';
import type { Clock, Monotonic, NewId, Random } from '../../ports/system.ts';
import type { StoreParts } from '../store-parts.ts';
import { backupTo } from './backup.ts';
import { Connection, type Patience, whenFree } from './connection.ts';
import { openDatabase } from './database.ts';
import { sqliteDeadLetters } from './dead-letters.ts';
import { storeError, toStoreError } from './errors.ts';
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
  readonly random: Random;
  /** Creates nothing, and every write throws `NotWritable`. A missing store looks like an empty one. */
  readonly readOnly?: boolean;
  /** `false`: throws `NotFound` if there is no store (default `true`). */
  readonly create?: boolean;
  /** How long to wait for a lock that another process holds, before `Busy` (default 15 s). */
  readonly busyTimeoutMs?: number;
  /** After this many receives a message becomes a dead letter (default 100). */
  readonly maxReceives?: number;
  /** Maximum number of 4 KiB pages in the file, to test a full disk: writes beyond it throw `DiskFull`. */
  readonly maxPages?: number;
  /** Default: `MIGRATIONS`. */
  readonly migrations?: readonly Migration[];
}

/** The whole state of the embedded runtime, in one file. `close` finishes pending writes first. All methods throw `StoreError`. */
export interface EmbeddedStore extends StoreParts {
  /**
   * The same registers over a connection that does not wait for the disk, so a power failure can lose the last writes. For the rate limiter, whose
   * values are obsolete a second later and on which every AWS call waits.
   */
  readonly pacing: Registers;
  /**
   * Writes a complete copy with owner-only permissions while this and other processes continue. The file appears only when it is complete.
   * @throws StoreError `Exists` if the file exists, `DiskFull`, `NotFound` (no such directory, or no store)
   */
  backup(file: string): Promise<void>;
}

const BUSY_TIMEOUT_MS = 15_000;
/**
 * For messages whose workers are killed before they can record an error. Workers that survive move a message to the dead letters much earlier, with the
 * error as the reason.
 */
const DEFAULT_MAX_RECEIVES = 100;

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
  const hasty = connection.durable ? await openHasty(path, patience, options, connection) : connection;
  const { newId, maxReceives = DEFAULT_MAX_RECEIVES } = options;
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
      // The last connection to close moves the log's changes into the file, so it must be the one that waits for the disk.
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
    if (!create) {
      const remedy = 'Check --data-dir; `rollcall apply` or `rollcall serve` makes a store.';
      throw storeError('NotFound', path, 'there is no store', remedy);
    }
    if (readOnly) return emptyView(path, patience, migrations);
    createFile(path, migrations, options.newId());
    state = await inspectFile(path, migrations, patience);
  }
  if (readOnly && state !== null && state.version < migrations.length) throw outdated(path, state.version, migrations);
  return openFile(path, patience, options, (db) => configure(db, path, options));
}

async function openFile(
  path: string,
  patience: Patience,
  { readOnly = false, migrations = MIGRATIONS }: EmbeddedStoreOptions,
  configureIt: (db: DatabaseSync) => boolean,
): Promise<Connection> {
  const release = holdFile(path);
  let opened: DatabaseSync | null = null;
  try {
    const db = openDatabase(path, { readOnly });
    opened = db;
    const durable = await whenFree(patience, () => configureIt(db));
    const schema = new SchemaGuard(db, schemaCheck(path, migrations));
    const inode = statSync(path).ino;
    return new Connection({ db, path, patience, readOnly, durable, schema, inode, onClose: release });
  } catch (error) {
    opened?.close();
    release();
    throw toStoreError(error, path);
  }
}

/** Opens the connection of `EmbeddedStore.pacing`. If that fails, closes `first`. */
async function openHasty(
  path: string,
  patience: Patience,
  options: EmbeddedStoreOptions,
  first: Connection,
): Promise<Connection> {
  try {
    return await openFile(path, patience, options, (db) => {
      // With a write-ahead log a power failure loses the last commits, never the file [sqlite.org/pragma.html, synchronous].
      db.exec('PRAGMA cache_size = -500; PRAGMA synchronous = NORMAL');
      return false;
    });
  } catch (error) {
    await first.close();
    throw error;
  }
}

/**
 * Configures the main connection. With a write-ahead log and `synchronous = FULL`, a commit returns when the log is on the disk, so it survives a
 * power failure. A crash during a commit leaves none of it.
 * @returns whether commits wait for the disk
 */
function configure(db: DatabaseSync, path: string, options: EmbeddedStoreOptions): boolean {
  const { readOnly = false, maxPages, migrations = MIGRATIONS } = options;
  db.exec('PRAGMA cache_size = -8000; PRAGMA temp_store = MEMORY');
  if (readOnly) {
    db.exec('PRAGMA query_only = ON');
    return false;
  }
  const mode = db.prepare('PRAGMA journal_mode = WAL').get()?.['journal_mode'];
  if (mode !== 'wal') {
    const remedy = 'Choose a directory on a local disk with --data-dir.';
    throw storeError('NotWritable', path, 'no write-ahead log is possible here', remedy);
  }
  db.exec('PRAGMA synchronous = FULL; PRAGMA journal_size_limit = 67108864');
  if (maxPages !== undefined) db.exec(`PRAGMA max_page_count = ${Math.floor(maxPages)}`);
  migrate(db, path, migrations);
  return true;
}

/** Makes a check for the schema of an open file, which a newer version of Rollcall may migrate meanwhile. */
function schemaCheck(path: string, migrations: readonly Migration[]): (db: DatabaseSync) => void {
  return (db) => {
    assertOurs(path, pragma(db, 'application_id'), pragma(db, 'user_version'), migrations.length);
    assertSchema(db, path, migrations, migrations.length);
  };
}

/** An empty store in memory, for a read-only command when there is no store. */
function emptyView(path: string, patience: Patience, migrations: readonly Migration[]): Connection {
  const db = openDatabase(':memory:');
  migrate(db, path, migrations);
  db.exec('PRAGMA query_only = ON');
  const nothing = { schema: null, inode: null, onClose: () => undefined };
  return new Connection({ db, path, patience, readOnly: true, durable: false, ...nothing });
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
