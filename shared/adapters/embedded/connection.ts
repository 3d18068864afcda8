import { statSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
import { setImmediate as nextTurn, setTimeout as pause } from 'node:timers/promises';
import type { StoreError } from '../../ports/store-error.ts';
import type { Clock, Random } from '../../ports/system.ts';
import { isBusy, storeError, toStoreError } from './errors.ts';
import type { SchemaGuard } from './schema-check.ts';
import { Sql } from './sql.ts';

/** How to wait for a lock that another process holds. */
export interface Patience {
  readonly clock: Clock;
  readonly random: Random;
  /** After this many ms the attempt fails with `Busy`. */
  readonly totalMs: number;
}

/** How long SQLite may block the event loop while it waits for a lock, ms. Another process's commit is shorter; longer waits do not block. */
export const BLOCKING_WAIT_MS = 20;
const LONGEST_PAUSE_MS = 100;

/** Retries `attempt`, with growing random pauses, while another connection holds the lock. @throws the last error */
export async function whenFree<T>(patience: Patience, attempt: () => T | Promise<T>): Promise<T> {
  const { clock, random } = patience;
  const giveUpAt = clock.now() + patience.totalMs;
  for (let pause = 5; ; pause = Math.min(pause * 2, LONGEST_PAUSE_MS)) {
    try {
      return await attempt();
    } catch (error) {
      if (!isBusy(error) || clock.now() >= giveUpAt) throw error;
    }
    await clock.sleep(1 + random() * pause);
  }
}

/**
 * Yields the pages of a listing, ordered by a text column; other work of the event loop runs between two pages.
 * @param read reads the page after a value of the column
 * @param keyOf that value of an item
 */
export async function* inPages<T>(
  read: (after: string) => Promise<readonly T[]>,
  keyOf: (item: T) => string,
): AsyncGenerator<readonly T[]> {
  for (let after: string | null = ''; after !== null; ) {
    await nextTurn();
    const page: readonly T[] = await read(after);
    if (page.length > 0) yield page;
    const last = page.at(-1);
    after = last === undefined ? null : keyOf(last);
  }
}

/** A change that waits for its commit. */
interface PendingWrite {
  /** Makes the change; called again after a rollback. @returns a function to call after the commit, which resolves the caller's promise */
  readonly run: (sql: Sql) => () => void;
  readonly fail: (error: StoreError) => void;
}

export interface ConnectionOptions {
  readonly db: DatabaseSync;
  readonly path: string;
  readonly patience: Patience;
  readonly readOnly: boolean;
  /** Whether a commit waits for the disk. If so, changes are collected and committed together. */
  readonly durable: boolean;
  /** Checks the schema in each write transaction; `null`: no other program can change it. */
  readonly schema: SchemaGuard | null;
  /** Inode of the opened file, to detect that it was replaced; `null` for a database in memory. */
  readonly inode: number | null;
  readonly onClose: () => void;
}

/** A turn of the event loop that takes longer than this, ms, means that the loop has other work. */
const QUIET_TURN_MS = 0.1;
/** How many turns of the event loop a commit waits at most while the loop has other work. */
const MOST_TURNS = 10;
/** If the last commit had several changes, the next one waits for more: this share of the last commit's duration, at most {@link LONGEST_WAIT_MS}. */
const WAIT_SHARE = 0.25;
const LONGEST_WAIT_MS = 5;

/** Maximum number of changes in one transaction. A larger transaction would block the event loop for too long. */
const LARGEST_GROUP = 256;

/**
 * One connection with group commit. Each SQLite commit costs one fsync, and node:sqlite blocks the event loop meanwhile. So changes that are
 * requested while the event loop is busy share one transaction. No transaction stays open across an `await`.
 *
 * ```
 *  write() ──▶ pending ──(quiet turn)──▶ BEGIN IMMEDIATE, all, COMMIT ──▶ every caller resolves
 *                 ▲                        │ locked: wait, repeat
 *                 └── next group           │ one threw: ROLLBACK, then each in a separate transaction,
 *                                          ▼            so that a failing change affects no other
 * ```
 */
export class Connection {
  readonly #given: ConnectionOptions;
  readonly #sql: Sql;
  #pending: PendingWrite[] = [];
  #draining: Promise<void> | null = null;
  /** The last commit: its number of changes and its duration. */
  #last = { size: 0, ms: 0 };
  #closed = false;

  constructor(options: ConnectionOptions) {
    this.#given = options;
    this.#sql = new Sql(options.db, options.path);
  }

  get durable(): boolean {
    return this.#given.durable;
  }

  /** Runs a query of one statement. Several statements need {@link Connection.snapshot}. */
  async read<T>(query: (sql: Sql) => T): Promise<T> {
    this.#assertOpen();
    try {
      return await whenFree(this.#given.patience, () => query(this.#sql));
    } catch (error) {
      throw toStoreError(error, this.#given.path);
    }
  }

  /** Runs several statements that all see the same state. */
  snapshot<T>(query: (sql: Sql) => T): Promise<T> {
    return this.read((sql) => {
      this.#given.db.exec('BEGIN');
      try {
        return query(sql);
      } finally {
        this.#given.db.exec('COMMIT');
      }
    });
  }

  /**
   * Makes a change. It is committed when the promise resolves.
   * @param change may run twice, so it must have no effects outside the database. If it throws, none of it is stored.
   */
  write<T>(change: (sql: Sql) => T): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#assertOpen();
      if (this.#given.readOnly)
        throw this.#defect('NotWritable', 'a write to a store that was opened for reading only');
      const run = (sql: Sql) => {
        const value = change(sql);
        return () => resolve(value);
      };
      this.#pending.push({ run, fail: reject });
      this.#draining ??= this.#drain();
    });
  }

  /** Waits for pending changes, then closes. Idempotent. */
  async close(): Promise<void> {
    if (this.#closed) return this.#draining ?? undefined;
    this.#closed = true;
    await this.#draining;
    // When the last connection closes, SQLite moves the log's changes into the file and removes the log.
    this.#given.db.close();
    this.#given.onClose();
  }

  async #drain(): Promise<void> {
    while (this.#pending.length > 0) {
      if (this.#given.durable) await this.#gather();
      const group = this.#pending.slice(0, LARGEST_GROUP);
      this.#pending = this.#pending.slice(LARGEST_GROUP);
      await this.#commit(group);
    }
    this.#draining = null;
  }

  /** Waits while the event loop has other work, so that the changes which that work requests join the same commit. Otherwise returns immediately. */
  async #gather(): Promise<void> {
    for (let turn = 0; turn < MOST_TURNS && this.#pending.length < LARGEST_GROUP; turn += 1) {
      const known = this.#pending.length;
      const start = performance.now();
      await nextTurn();
      if (this.#pending.length === known && performance.now() - start < QUIET_TURN_MS) break;
    }
    const waitMs = this.#last.size > 1 ? Math.floor(Math.min(LONGEST_WAIT_MS, this.#last.ms * WAIT_SHARE)) : 0;
    if (waitMs > 0 && this.#pending.length < LARGEST_GROUP) await pause(waitMs);
  }

  async #commit(group: readonly PendingWrite[]): Promise<void> {
    try {
      const answers = await whenFree(this.#given.patience, () => this.#transaction(group));
      for (const answer of answers) answer();
    } catch (error) {
      const [only, ...others] = group;
      if (only === undefined) return;
      if (others.length === 0 || isBusy(error)) {
        for (const write of group) write.fail(toStoreError(error, this.#given.path));
        return;
      }
      for (const write of group) await this.#commit([write]);
    }
  }

  #transaction(group: readonly PendingWrite[]): readonly (() => void)[] {
    this.#assertInPlace();
    this.#given.db.exec('BEGIN IMMEDIATE');
    try {
      this.#given.schema?.assertUnchanged();
      const answers = group.map((write) => write.run(this.#sql));
      const start = performance.now();
      this.#given.db.exec('COMMIT');
      this.#last = { size: group.length, ms: performance.now() - start };
      return answers;
    } catch (error) {
      // After some errors, such as a full disk, SQLite has already rolled back.
      if (this.#given.db.isTransaction) this.#given.db.exec('ROLLBACK');
      throw error;
    }
  }

  /** Without this check, writes to a deleted or replaced file would succeed and be lost. */
  #assertInPlace(): void {
    if (this.#given.inode === null) return;
    const now = statSync(this.#given.path, { throwIfNoEntry: false });
    if (now?.ino === this.#given.inode) return;
    const found = `the file was ${now === undefined ? 'deleted' : 'replaced'} while it was open`;
    throw storeError('Moved', this.#given.path, found, 'Stop this process and start it again.');
  }

  #assertOpen(): void {
    if (this.#closed) throw this.#defect('Closed', 'the store was closed before');
  }

  #defect(code: 'Closed' | 'NotWritable', found: string): StoreError {
    return storeError(code, this.#given.path, found, 'This is a defect of Rollcall; please report it.');
  }
}
