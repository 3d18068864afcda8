import type { EpochMs } from '../../../domain/enrollment/model.ts';
import type { LedgerEntry } from '../../../domain/ledger/entry.ts';
import { toIso } from '../../../domain/time.ts';
import type { Ledger, LedgerFilter } from '../../../ports/ledger.ts';

/*
 * What a reader chooses filters from: how many entries match, when they were written, and how many there are for each actor, run, type and
 * enrollment. The entries of the period are read once, newest first, and counted in memory.
 */

/** At most this many entries are read. Those of a longer period are counted from its end. */
const MOST = 50_000;
const PAGE = 1_000;
/** At most this many runs and actors are offered. */
const CHOICES = 100;

const [MINUTE, HOUR, DAY] = [60_000, 3_600_000, 86_400_000];
/** The intervals of the histogram, ms. */
const STEPS = [MINUTE, 5 * MINUTE, 15 * MINUTE, HOUR, 6 * HOUR, DAY, 7 * DAY, 28 * DAY];
/** The histogram has at most this many bars. */
const BARS = 60;

/** The filters of single values. */
const FACETS = ['actor', 'runId', 'type', 'enrollment', 'accountId'] as const;
type Facet = (typeof FACETS)[number];

/** @param now end of the histogram if the filter has no `until` */
export async function auditSummary(ledger: Pick<Ledger, 'query'>, filter: LedgerFilter, now: EpochMs) {
  const { since, until } = filter;
  const period = { ...(since !== undefined && { since }), ...(until !== undefined && { until }) };
  const counting = new Counting(filter);
  let [cursor, read]: [string | null, number] = [null, 0];
  do {
    const page: Awaited<ReturnType<Ledger['query']>> = await ledger.query(period, { limit: PAGE, cursor });
    for (const entry of page.entries) counting.add(entry);
    read += page.entries.length;
    cursor = page.next;
  } while (cursor !== null && read < MOST);
  const isComplete = cursor === null;
  const from = since === undefined || !isComplete ? (counting.oldest ?? now) : Date.parse(since);
  const to = until === undefined ? now : Math.min(now, Date.parse(until));
  return {
    total: counting.times.length,
    complete: isComplete,
    ...counting.histogram(from, Math.max(from, to)),
    actors: counting.choices('actor', ({ actor }) => ({ actor })),
    types: counting.choices('type', ({ type }) => ({ type })),
    enrollments: counting.choices('enrollment', ({ enrollment }) => (enrollment === null ? null : { enrollment })),
    runs: counting
      .choices('runId', ({ runId, at }) => (runId === null ? null : { runId, at }))
      .sort((a, b) => (a.at < b.at ? 1 : -1)),
  };
}

interface Choice {
  entries: number;
  /** Its oldest entry. */
  first: LedgerEntry;
}

class Counting {
  readonly #filter: LedgerFilter;
  readonly #choices = new Map<Facet, Map<string, Choice>>(FACETS.map((facet) => [facet, new Map()]));
  /** When the matching entries were written, epoch ms. */
  readonly times: number[] = [];
  /** When the oldest entry was written, matching or not, epoch ms. */
  oldest: number | null = null;

  constructor(filter: LedgerFilter) {
    this.#filter = filter;
  }

  /** An entry counts as a choice of a filter if it matches all the others. */
  add(entry: LedgerEntry): void {
    const at = Date.parse(entry.at);
    this.oldest = Math.min(this.oldest ?? at, at);
    const missed = FACETS.filter((facet) => {
      const wanted = this.#filter[facet];
      return wanted !== undefined && entry[facet] !== wanted;
    });
    if (missed.length === 0) this.times.push(at);
    if (missed.length > 1) return;
    for (const facet of missed.length === 0 ? FACETS : missed) this.#count(facet, entry);
  }

  #count(facet: Facet, entry: LedgerEntry): void {
    const value = entry[facet];
    const choices = this.#choices.get(facet);
    if (value === null || choices === undefined) return;
    const known = choices.get(value);
    if (known === undefined) choices.set(value, { entries: 1, first: entry });
    else {
      known.entries += 1;
      if (entry.at < known.first.at) known.first = entry;
    }
  }

  /** Most frequent first. */
  choices<T extends object>(facet: Facet, of: (first: LedgerEntry) => T | null): (T & { entries: number })[] {
    const all = [...(this.#choices.get(facet) ?? [])];
    all.sort(([a, { entries: most }], [b, { entries }]) => entries - most || (a < b ? -1 : 1));
    return all.slice(0, CHOICES).flatMap(([, { first, entries }]) => {
      const named = of(first);
      return named === null ? [] : [{ ...named, entries }];
    });
  }

  histogram(from: number, to: number) {
    const step = STEPS.find((each) => (to - from) / each <= BARS) ?? DAY * 28;
    const first = Math.floor(from / step) * step;
    const counts = new Array<number>(Math.floor((to - first) / step) + 1).fill(0);
    for (const time of this.times) {
      const bar = Math.floor((time - first) / step);
      if (counts[bar] !== undefined) counts[bar] += 1;
    }
    return { intervalMs: step, bars: counts.map((entries, bar) => ({ at: toIso(first + bar * step), entries })) };
  }
}
