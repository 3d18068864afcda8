import type { EpochMs } from '../../../domain/enrollment/model.ts';
import type { LedgerEntry } from '../../../domain/ledger/entry.ts';
import { toIso } from '../../../domain/time.ts';
import type { LedgerFilter } from '../../../ports/ledger.ts';
import type { Clock } from '../../../ports/system.ts';
import type { EntryReader } from './caused-drift.ts';
import { auditList } from './list.ts';

/** Clocks of processes differ, so an entry may appear after one with a later time. The follower looks for late entries this long, ms. */
const OVERLAP_MS = 60_000;
const ALL = 1_000_000;

interface Followed {
  readonly ledger: EntryReader;
  readonly clock: Pick<Clock, 'now'>;
  readonly filter: LedgerFilter;
  /** Restricts the log to some of the entries that match the filter. */
  readonly of: (ledger: EntryReader) => EntryReader;
}

/** Returns the newest entries, and then each new entry once. It reads entries of the overlap repeatedly. */
export class LogFollower {
  readonly #clock: Followed['clock'];
  readonly #filter: LedgerFilter;
  readonly #reader: EntryReader;
  /** The entries of the overlap that were returned, with their times. */
  #returned: ReadonlyMap<string, string> = new Map();
  /** The latest entry that was read, even if the restriction removed it, and when it was first read. */
  #latest: { readonly at: EpochMs; readonly readAt: EpochMs } | null = null;
  /** Time of the oldest entry of the first page, ISO 8601. Earlier entries are never returned. */
  #from = '';
  /** Where the last read began, ISO 8601. It never goes back, because entries before it are forgotten. */
  #since: string | null;

  constructor({ ledger, clock, filter, of }: Followed) {
    this.#clock = clock;
    this.#filter = filter;
    this.#since = filter.since ?? null;
    this.#reader = of({
      query: async (wanted, page) => {
        const found = await ledger.query(wanted, page);
        for (const { at } of found.entries) this.#note(Date.parse(at));
        return found;
      },
    });
  }

  /** The newest entries, oldest first. */
  async first(limit: number): Promise<readonly LedgerEntry[]> {
    const query = { filter: this.#filter, limit, cursor: null, order: 'newestFirst' } as const;
    const { entries } = await auditList(this.#reader, query);
    this.#from = entries.at(-1)?.at ?? '';
    this.#remember(entries);
    return entries.toReversed();
  }

  /** The entries that were not returned before, oldest first. */
  async next(): Promise<readonly LedgerEntry[]> {
    this.#advance();
    const filter = this.#since === null ? this.#filter : { ...this.#filter, since: this.#since };
    const { entries } = await auditList(this.#reader, { filter, limit: ALL, cursor: null, order: 'oldestFirst' });
    const fresh = entries.filter(({ id, at }) => !this.#returned.has(id) && at >= this.#from);
    this.#remember(fresh);
    return fresh;
  }

  #note(at: EpochMs): void {
    if (this.#latest === null || at > this.#latest.at) this.#latest = { at, readAt: this.#clock.now() };
  }

  /** Shortens the overlap while nothing is new. */
  #advance(): void {
    if (this.#latest === null) return;
    const rest = OVERLAP_MS - (this.#clock.now() - this.#latest.readAt);
    const from = toIso(this.#latest.at - Math.min(OVERLAP_MS, Math.max(0, rest)));
    if (this.#since === null || from > this.#since) this.#since = from;
  }

  #remember(entries: readonly LedgerEntry[]): void {
    const known = [...this.#returned, ...entries.map(({ id, at }) => [id, at] as const)];
    const since = this.#since ?? '';
    this.#returned = new Map(known.filter(([, at]) => at >= since));
  }
}
