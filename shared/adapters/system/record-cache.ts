import { setImmediate as nextTurn } from 'node:timers/promises';
import type { AccountRecord } from '../../domain/account/record.ts';
import type { AccountId } from '../../domain/enrollment/model.ts';
import { SharedRead } from '../../domain/shared-read.ts';
import type { RecordHead, Records } from '../../ports/records.ts';
import type { Clock } from '../../ports/system.ts';

/** Number of changed records that are read together: few enough to block the thread for about a millisecond. */
const PAGE = 40;
const SHOWN_PAGE = 1_000;

export interface RecordCacheOptions {
  /** Minimum time between two reads of the store. They may miss changes of this period. */
  readonly maxAgeMs: number;
  /** If there are more records than this, none are kept in memory. Ten thousand take about 12 MB. */
  readonly maxRecords: number;
  /** Differs after a restore: then a record can be another one, although its head has the same number. Default: the store is never restored. */
  readonly version?: () => Promise<string | null>;
}

/**
 * The same records, but `all()` and `getMany()` keep them in memory and read only those whose head has moved since the last time: reading and parsing ten
 * thousand records takes ten times as long as reading their heads. An unchanged record is the same object each time, so that callers can keep what
 * they have derived from it in a `WeakMap`.
 */
export function cachedRecords(records: Records, clock: Clock, options: RecordCacheOptions): Records {
  const cache = new RecordCache(records, clock, options);
  return { ...records, all: () => cache.all(), getMany: (ids) => cache.getMany(ids) };
}

class RecordCache {
  readonly #records: Records;
  readonly #clock: Clock;
  readonly #options: RecordCacheOptions;
  readonly #reading = new SharedRead<void>();
  #known = new Map<AccountId, AccountRecord>();
  #version: string | null = null;
  /** Epoch ms; `null`: there are too many records to keep. */
  #readAt: number | null = Number.NEGATIVE_INFINITY;

  constructor(records: Records, clock: Clock, options: RecordCacheOptions) {
    this.#records = records;
    this.#clock = clock;
    this.#options = options;
  }

  async *all(): AsyncGenerator<readonly AccountRecord[]> {
    if (!this.#isFresh()) await this.#reading.get(() => this.#refresh());
    if (this.#readAt === null) {
      yield* this.#records.all();
      return;
    }
    // All pages come from this copy, which a refresh does not change, so they belong to one state. The event loop gets no turn between two pages, because
    // each turn would take many milliseconds while the loop is busy.
    const found = [...this.#known.values()];
    for (let from = 0; from < found.length; from += SHOWN_PAGE) yield found.slice(from, from + SHOWN_PAGE);
  }

  async getMany(ids: readonly AccountId[]): Promise<ReadonlyMap<AccountId, AccountRecord>> {
    if (!this.#isFresh()) await this.#reading.get(() => this.#refresh());
    if (this.#readAt === null) return this.#records.getMany(ids);
    const known = this.#known;
    return new Map(
      ids.flatMap((id) => {
        const record = known.get(id);
        return record === undefined ? [] : [[id, record] as const];
      }),
    );
  }

  #isFresh(): boolean {
    const age = this.#clock.now() - (this.#readAt ?? Number.NEGATIVE_INFINITY);
    return age >= 0 && age < this.#options.maxAgeMs;
  }

  async #refresh(): Promise<void> {
    // Another caller may have refreshed while this one waited for its turn.
    if (this.#isFresh()) return;
    const readAt = this.#clock.now();
    // Read before the records: after a restore in between, the next refresh reads all of them again.
    const version = (await this.#options.version?.()) ?? null;
    if (version !== this.#version) this.#known = new Map();
    this.#version = version;
    const heads = await this.#heads();
    if (heads === null) {
      this.#known = new Map();
      this.#readAt = null;
      return;
    }
    const before = this.#known;
    const moved = heads.filter(({ accountId, seq }) => before.get(accountId)?.head.seq !== seq);
    const changed = moved.map(({ accountId }) => accountId);
    const read = new Map<AccountId, AccountRecord>();
    for (let from = 0; from < changed.length; from += PAGE) {
      if (from > 0) await nextTurn();
      for (const [id, record] of await this.#records.getMany(changed.slice(from, from + PAGE))) read.set(id, record);
    }
    // Usually the accounts are the same as before. The map then keeps its order, and only changed records are replaced.
    if (heads.length === before.size && changed.every((id) => before.has(id))) {
      for (const [id, record] of read) before.set(id, record);
    } else this.#known = joined(heads, read, before);
    this.#readAt = readAt;
  }

  /** @returns `null` if there are more than `maxRecords` */
  async #heads(): Promise<readonly RecordHead[] | null> {
    const heads: RecordHead[] = [];
    for await (const page of this.#records.heads()) {
      for (const head of page) heads.push(head);
      if (heads.length > this.#options.maxRecords) return null;
    }
    return heads;
  }
}

type RecordMap = ReadonlyMap<AccountId, AccountRecord>;

/** The records of these accounts, in this order. A record that was not read again is taken from `before`. */
function joined(heads: readonly RecordHead[], read: RecordMap, before: RecordMap): Map<AccountId, AccountRecord> {
  const records = new Map<AccountId, AccountRecord>();
  for (const { accountId } of heads) {
    const record = read.get(accountId) ?? before.get(accountId);
    if (record !== undefined) records.set(accountId, record);
  }
  return records;
}
