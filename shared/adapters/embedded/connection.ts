import { statSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
import { setImmediate as nextTurn, setTimeout as pause } from 'node:timers/promises';
import { StoreError } from '../../ports/store-error.ts';
import type { Clock, Random } from '../../ports/system.ts';
import { isBusy, toStoreError } from './errors.ts';
import type { SchemaGuard } from './schema-check.ts';
import { Sql } from './sql.ts';

/** How to wait for a lock that another process holds. */
export interface Patience {
  readonly clock: Clock;
  readonly random: Random;
  /** After this many ms the attempt fails with `Busy`. */
  readonly totalMs: number;
}

/**
 * How long SQLite itself may block the event loop while it waits for a lock. Another process's commit takes less than
 * this; longer waits do not block.
 */
export const BLOCKING_WAIT_MS = 20;
const LONGEST_PAUSE_MS = 100;

/** Retries `attempt`, with growing random pauses, while another connection holds the lock. Throws the last error. */
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

/** A change that waits for its commit. `run` may be called again after a rollback. */
interface PendingWrite {
  /** Makes the change. @returns the function that resolves the caller's promise once the change is durable. */
  readonly run: (sql: Sql) => () => void;
  readonly fail: (error: StoreError) => void;
}

export interface ConnectionOptions {
  readonly db: DatabaseSync;
  readonly path: string;
  readonly patience: Patience;
  readonly readOnly: boolean;
  /** Whether a commit waits for the disk, so that one commit for many changes is faster. */
  readonly durable: boolean;
  /** Called in each writing transaction; `null`: no other program can change the schema. */
  readonly schema: SchemaGuard | null;
  /** Inode of the opened file, to detect that it was replaced; `null` for a database in memory. */
  readonly inode: number | null;
  readonly onClose: () => void;
}

/** If a turn of the event loop takes longer than this, ms, the loop has other work. */
const QUIET_TURN_MS = 0.1;
/** The largest number of turns with other work that a commit waits for. */
const MOST_TURNS = 10;
/** If commits are slow and the last one had several changes, the next waits this share of their duration, up to a limit in ms, for more changes. */
const WAIT_SHARE = 0.25;
const LONGEST_WAIT_MS = 5;

/** The most changes that one transaction takes, so that one commit does not block the event loop for long. */
const LARGEST_GROUP = 256;

/**
 * One connection with group commit. A SQLite commit costs one fsync, and node:sqlite blocks meanwhile. Therefore changes that are requested while the
 * event loop is busy share one transaction, and all of them resolve after its fsync. No transaction is open across an `await`.
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
  /** The number of changes of the last group, and the duration of its commit. */
  #last = { size: 0, ms: 0 };
  #closed = false;

  constructor(options: ConnectionOptions) {
    this.#given = options;
    this.#sql = new Sql(options.db, options.path);
  }

  get durable(): boolean {
    return this.#given.durable;
  }

  /** Reads from one consistent state, by one statement or inside {@link Connection.snapshot}. */
  async read<T>(query: (sql: Sql) => T): Promise<T> {
    this.#assertOpen();
    try {
      return await whenFree(this.#given.patience, () => query(this.#sql));
    } catch (error) {
      throw toStoreError(error, this.#given.path);
    }
  }

  /** Several statements that must see the same state. */
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
   * Makes a change; durable when it returns.
   * @param change synchronous, without effects outside the database: it may run twice. If it throws, none of it is stored.
   */
  write<T>(change: (sql: Sql) => T): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#assertOpen();
      if (this.#given.readOnly) throw this.#refusal();
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
    // The last connection to close moves the log into the file and removes it.
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

  /**
   * A commit blocks the event loop for as long as the disk takes, for one change or many. While the loop has other work, that work goes first, and
   * the changes that it requests join the group. Without other work the commit happens immediately.
   */
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
      // After some errors, for example a full disk, SQLite has already rolled back.
      if (this.#given.db.isTransaction) this.#given.db.exec('ROLLBACK');
      throw error;
    }
  }

  /** A deleted or replaced file would accept every write without an error and keep none. */
  #assertInPlace(): void {
    if (this.#given.inode === null) return;
    const now = statSync(this.#given.path, { throwIfNoEntry: false });
    if (now?.ino === this.#given.inode) return;
    const found =
      now === undefined ? 'the file was deleted while it was open' : 'the file was replaced while it was open';
    throw new StoreError({
      code: 'Moved',
      resource: this.#given.path,
      found,
      remedy: 'Stop this process and start it again.',
    });
  }

  #assertOpen(): void {
    if (!this.#closed) return;
    const remedy = 'This is a defect of Rollcall; please report it.';
    throw new StoreError({ code: 'Closed', resource: this.#given.path, found: 'the store was closed before', remedy });
  }

  #refusal(): StoreError {
    return new StoreError({
      code: 'NotWritable',
      resource: this.#given.path,
      found: 'a write to a store that was opened for reading only',
      remedy: 'This is a defect of Rollcall; please report it.',
    });
  }
}
