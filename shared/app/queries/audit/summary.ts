import { NOBODY_NAMED } from '../../../domain/actor.ts';
import type { EpochMs } from '../../../domain/enrollment/model.ts';
import { toIso } from '../../../domain/time.ts';
import type { EntryFacts, Ledger, LedgerFilter } from '../../../ports/ledger.ts';
import type { KnownDrifts } from '../known-drifts.ts';

/*
 * What a reader chooses filters from: how many entries match, when they were written, and how many there are for each actor, run, type,
 * enrollment and caller. The facts of the period's entries are read once, newest first, and counted in memory. Callers come from `KnownDrifts`.
 */

/** At most this many entries are counted. If the period has more, only its newest entries are counted. */
const MOST = 50_000;
/** At most this many runs and actors are offered. */
const CHOICES = 100;

const [MINUTE, HOUR, DAY] = [60_000, 3_600_000, 86_400_000];
/** The intervals of the histogram, ms. */
const STEPS = [MINUTE, 5 * MINUTE, 15 * MINUTE, HOUR, 6 * HOUR, DAY, 7 * DAY, 28 * DAY];
/** The histogram has at most this many bars. */
const BARS = 60;

/** The filters of single values. */
const FACETS = ['actor', 'runId', 'type', 'enrollment', 'accountId', 'changedBy'] as const;
/** The filters whose values are offered as choices. */
const OFFERED = ['actor', 'runId', 'type', 'enrollment', 'changedBy'] as const;
type Offered = (typeof OFFERED)[number];

export interface SummaryFilter extends LedgerFilter {
  /** Only drift that this caller caused; `NOBODY_NAMED`: drift whose caller is unknown. */
  readonly changedBy?: string;
}

interface SummarySources {
  readonly ledger: Pick<Ledger, 'facts' | 'query'>;
  readonly drifts: KnownDrifts;
}

/** @param now end of the histogram if the filter has no `until` */
export async function auditSummary(sources: SummarySources, filter: SummaryFilter, now: EpochMs) {
  const { since, until, changedBy } = filter;
  const caused = await countDrift(sources, filter);
  // Only drift has a caller, so a summary of the drift of one caller needs no other entries.
  const { counting, isComplete } = changedBy === undefined ? await countEntries(sources.ledger, filter) : caused;
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
      .choices('runId', ({ runId, at }) => (runId === null ? null : { runId, at: toIso(at) }))
      .sort((a, b) => (a.at < b.at ? 1 : -1)),
    callers: caused.counting.choices('changedBy', ({ changedBy: caller }) => (caller === null ? null : { caller })),
  };
}

async function countEntries(ledger: Pick<Ledger, 'facts'>, filter: LedgerFilter) {
  const { since, until } = filter;
  const period = { ...(since !== undefined && { since }), ...(until !== undefined && { until }) };
  const counting = new Counting(filter);
  let isComplete = true;
  for await (const page of ledger.facts(period)) {
    const room = MOST - counting.read;
    for (const facts of page.slice(0, room)) counting.add({ ...facts, changedBy: null });
    isComplete = page.length <= room;
    if (!isComplete) break;
  }
  return { counting, isComplete };
}

async function countDrift({ ledger, drifts }: SummarySources, filter: SummaryFilter) {
  const { since, until } = filter;
  const known = await drifts.since(ledger, since === undefined ? Number.NEGATIVE_INFINITY : Date.parse(since));
  const end = until === undefined ? Number.POSITIVE_INFINITY : Date.parse(until);
  const counting = new Counting(filter);
  for (const drift of known.drifts) {
    if (drift.at < end) counting.add({ ...drift, changedBy: drift.caller ?? NOBODY_NAMED });
  }
  return { counting, isComplete: known.isComplete };
}

/** `changedBy`: the caller of a drift; `null`: not a drift, or not read. */
interface Counted extends EntryFacts {
  readonly changedBy: string | null;
}

interface Choice {
  entries: number;
  /** Its oldest entry. */
  first: Counted;
}

class Counting {
  readonly #filter: SummaryFilter;
  readonly #choices = byFacet(() => new Map<string, Choice>());
  /** When the matching entries were written, epoch ms. */
  readonly times: number[] = [];
  /** The number of entries read, matching or not. */
  read = 0;
  /** When the oldest of them was written, epoch ms. */
  oldest: number | null = null;

  constructor(filter: SummaryFilter) {
    this.#filter = filter;
  }

  /** An entry counts as a choice of a filter if it matches all the others. */
  add(entry: Counted): void {
    this.read += 1;
    this.oldest = Math.min(this.oldest ?? entry.at, entry.at);
    let [misses, missed]: [number, string | null] = [0, null];
    for (const facet of FACETS) {
      const wanted = this.#filter[facet];
      if (wanted === undefined || entry[facet] === wanted) continue;
      misses += 1;
      missed = facet;
    }
    if (misses === 0) this.times.push(entry.at);
    if (misses > 1) return;
    for (const facet of OFFERED) if (misses === 0 || facet === missed) this.#count(facet, entry);
  }

  #count(facet: Offered, entry: Counted): void {
    const value = entry[facet];
    if (value === null) return;
    const choices = this.#choices[facet];
    const known = choices.get(value);
    if (known === undefined) {
      choices.set(value, { entries: 1, first: entry });
      return;
    }
    known.entries += 1;
    if (entry.at < known.first.at) known.first = entry;
  }

  /** Most frequent first. */
  choices<T extends object>(facet: Offered, of: (first: Counted) => T | null): (T & { entries: number })[] {
    const all = [...this.#choices[facet]];
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

function byFacet<T>(make: () => T): Readonly<Record<Offered, T>> {
  return { actor: make(), runId: make(), type: make(), enrollment: make(), changedBy: make() };
}
