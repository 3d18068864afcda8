import type { LedgerEntry } from '../../../shared/domain/ledger/entry.ts';
import { SharedRead } from '../../../shared/domain/shared-read.ts';
import { toIso } from '../../../shared/domain/time.ts';
import type { Ledger, LedgerPage } from '../../../shared/ports/ledger.ts';
import type { Clock } from '../../../shared/ports/system.ts';

/** How far each query overlaps the previous one, ms. Another process whose clock is behind writes entries with earlier times. */
export const OVERLAP_MS = 2_000;
const PAGE = 1_000;
/** A stream with more new entries than this gets a gap instead. */
const MAX_NEW_ENTRIES = 1_000;
/** Entries older than the newest by more than this are dropped, ms. A stream requests the entries since its last query, plus the overlap. */
const KEPT_MS = 3 * OVERLAP_MS;

export interface RecentEntry {
  readonly entry: LedgerEntry;
  /** Epoch ms. */
  readonly at: number;
  /** The entry as JSON. */
  readonly text: string;
}

/** The latest entries of the ledger: read, parsed and written as JSON once for all event streams. */
export class RecentEntries {
  readonly #ledger: Pick<Ledger, 'query'>;
  readonly #clock: Clock;
  readonly #maxAgeMs: number;
  readonly #reading = new SharedRead<void>();
  /** Every entry since `from` (epoch ms), oldest first. */
  #kept: { readonly from: number; readonly entries: readonly RecentEntry[] };
  #readAt = Number.NEGATIVE_INFINITY;

  /** @param maxAgeMs minimum time between two queries for the latest entries */
  constructor(ledger: Pick<Ledger, 'query'>, clock: Clock, maxAgeMs: number) {
    this.#ledger = ledger;
    this.#clock = clock;
    this.#maxAgeMs = maxAgeMs;
    this.#kept = { from: Number.POSITIVE_INFINITY, entries: [] };
  }

  /** The entries since `at` (epoch ms) that are new to the caller, oldest first; `null`: too many. */
  async since(at: number, isNew: (id: string) => boolean): Promise<readonly RecentEntry[] | null> {
    await this.#reading.get(() => this.#refresh());
    const { from, entries } = this.#kept;
    const found = from <= at ? entries : await this.#read(at, isNew);
    const fresh = found?.filter((each) => each.at >= at && isNew(each.entry.id)) ?? null;
    return fresh !== null && fresh.length <= MAX_NEW_ENTRIES ? fresh : null;
  }

  async #refresh(): Promise<void> {
    const now = this.#clock.now();
    const age = now - this.#readAt;
    if (age >= 0 && age < this.#maxAgeMs) return;
    const { from, entries } = this.#kept;
    const newest = entries.at(-1)?.at ?? Math.min(from + OVERLAP_MS, now);
    const since = newest - OVERLAP_MS;
    const known = new Map(entries.map((each) => [each.entry.id, each]));
    const read = await this.#read(since, (id) => !known.has(id));
    this.#readAt = now;
    if (read === null) {
      this.#kept = { from: now, entries: [] };
      return;
    }
    const before = entries.filter(({ at }) => at < since);
    const all = [...before, ...read.map((each) => known.get(each.entry.id) ?? each)];
    const kept = Math.max(Math.min(from, since), (all.at(-1)?.at ?? newest) - KEPT_MS);
    this.#kept = { from: kept, entries: all.filter(({ at }) => at >= kept) };
  }

  /** All entries since `at`; `null`: too many of them are new. */
  async #read(at: number, isNew: (id: string) => boolean): Promise<readonly RecentEntry[] | null> {
    const found: LedgerEntry[] = [];
    let fresh = 0;
    for (let cursor: string | null = null, first = true; first || cursor !== null; first = false) {
      const order = 'oldestFirst';
      const page: LedgerPage = await this.#ledger.query({ since: toIso(at) }, { limit: PAGE, order, cursor });
      found.push(...page.entries);
      fresh += page.entries.filter(({ id }) => isNew(id)).length;
      if (fresh > MAX_NEW_ENTRIES) return null;
      cursor = page.next;
    }
    return found.map((entry) => ({ entry, at: Date.parse(entry.at), text: JSON.stringify(entry) }));
  }
}
