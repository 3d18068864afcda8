import type { EpochMs } from '../../domain/enrollment/model.ts';
import type { LedgerEntry } from '../../domain/ledger/entry.ts';
import { SharedRead } from '../../domain/shared-read.ts';
import { toIso } from '../../domain/time.ts';
import type { EntryFacts, Ledger } from '../../ports/ledger.ts';
import type { Clock } from '../../ports/system.ts';
import { entriesOf } from './audit/all-entries.ts';

const DAY_MS = 24 * 3_600_000;
/** How far each query reaches back before the time of the previous one, ms. A process whose clock is behind writes entries with earlier times. */
const OVERLAP_MS = 60_000;
/** The number of drifts kept in memory, about 300 bytes each. Only the newest are kept. */
const MOST = 20_000;
/** The pages are so small that a query counts as short and does not wait for long reads (`open-api.ts`). */
const PAGE = 100;

/** A `DriftDetected` entry. */
export interface KnownDrift extends EntryFacts {
  /** Who caused it; `null`: unknown. */
  readonly caller: string | null;
  /** The enrollment had no earlier state, and nobody is known to have changed it. */
  readonly isFirstSeen: boolean;
}

export interface KnownDriftsOptions {
  /** As in `auditReport`. */
  readonly turn?: () => Promise<void>;
  /** Differs after a restore. Default: the store is never restored. */
  readonly version?: () => Promise<string | null>;
  /** Maximum number of drifts that are kept. */
  readonly most?: number;
}

type Keyed = readonly [key: string, drift: KnownDrift];
type Drifts = ReadonlyMap<string, KnownDrift>;

interface Known {
  /** By place of the entry, oldest first. */
  readonly drifts: Drifts;
  /** All drifts from this time on are known. */
  readonly from: EpochMs;
  readonly readAt: EpochMs;
  readonly version: string | null;
}

type DriftReader = Pick<Ledger, 'query'>;

/**
 * The drifts of a period with their callers. The log has no index of callers, so each entry is read once and kept: later reads add the entries that are
 * new, and older ones if a longer period is asked for.
 */
export class KnownDrifts {
  readonly #clock: Pick<Clock, 'now'>;
  readonly #options: KnownDriftsOptions;
  readonly #most: number;
  readonly #reading = new SharedRead<void>();
  #known: Known | null = null;
  /** The earliest start of the periods that the next read has to cover. */
  #wanted: EpochMs = Number.POSITIVE_INFINITY;

  constructor(clock: Pick<Clock, 'now'>, options: KnownDriftsOptions = {}) {
    this.#clock = clock;
    this.#options = options;
    this.#most = options.most ?? MOST;
  }

  /**
   * The drifts at or after `since`, oldest first. `isComplete`: `false` if there are older ones in the period that are not kept.
   * @param since epoch ms; `-Infinity`: all
   */
  async since(ledger: DriftReader, since: EpochMs) {
    this.#wanted = Math.min(this.#wanted, since);
    await this.#reading.get(() => this.#refresh(ledger));
    const { drifts, from } = this.#known ?? { drifts: new Map<string, KnownDrift>(), from: 0 };
    return { drifts: [...drifts.values()].filter(({ at }) => at >= since), isComplete: from <= since };
  }

  async #refresh(ledger: DriftReader): Promise<void> {
    const wanted = this.#wanted;
    this.#wanted = Number.POSITIVE_INFINITY;
    const version = (await this.#options.version?.()) ?? null;
    const readAt = this.#clock.now();
    const nothing = { drifts: new Map<string, KnownDrift>(), from: readAt, readAt };
    const before = this.#known?.version === version ? this.#known : nothing;
    const newer = await this.#newer(ledger, before.readAt - OVERLAP_MS);
    const older = await this.#older(ledger, { wanted, before });
    const merged = mergeDrifts(before.drifts, [...older.drifts, ...newer]);
    const present = wanted < readAt - DAY_MS ? await withoutPruned(ledger, merged) : merged;
    this.#known = { ...limited(present, this.#most, older.from), readAt, version };
  }

  async #newer(ledger: DriftReader, since: EpochMs): Promise<readonly Keyed[]> {
    const filter = { type: 'DriftDetected', since: toIso(since) } as const;
    return this.#read(entriesOf(ledger, filter, { limit: PAGE, order: 'oldestFirst' }), Number.POSITIVE_INFINITY);
  }

  /** The newest drifts before the known ones, as many as there is room for. `from`: all drifts since then are known. */
  async #older(
    ledger: DriftReader,
    { wanted, before }: { readonly wanted: EpochMs; readonly before: Known | Omit<Known, 'version'> },
  ) {
    const room = this.#most - before.drifts.size;
    if (wanted >= before.from || room <= 0) return { drifts: [], from: before.from };
    const since = Number.isFinite(wanted) ? { since: toIso(wanted) } : {};
    const filter = { type: 'DriftDetected', until: toIso(before.from), ...since } as const;
    const read = await this.#read(entriesOf(ledger, filter, { limit: PAGE, order: 'newestFirst' }), room + 1);
    const last = read.at(-1);
    // Entries with the same time as the last one may be missing.
    const from = last !== undefined && read.length > room ? last[1].at + 1 : wanted;
    return { drifts: read.toReversed(), from };
  }

  async #read(entries: AsyncIterable<LedgerEntry>, most: number): Promise<readonly Keyed[]> {
    const found: Keyed[] = [];
    for await (const entry of entries) {
      found.push([`${entry.chain}#${entry.seq}`, toKnown(entry)]);
      if (found.length >= most) break;
      if (found.length % PAGE === 0) await this.#options.turn?.();
    }
    return found;
  }
}

function toKnown({ at, type, accountId, enrollment, runId, actor, before, detail }: LedgerEntry): KnownDrift {
  const caller = detail?.changedBy?.actor ?? null;
  const isFirstSeen = caller === null && before === null;
  return { at: Date.parse(at), type, accountId, enrollment, runId, actor, caller, isFirstSeen };
}

/** Sorted by time. Drifts in the overlap of two reads are usually known already. */
function mergeDrifts(known: Drifts, read: readonly Keyed[]): Drifts {
  const fresh = read.filter(([key]) => !known.has(key));
  return fresh.length === 0 ? known : new Map([...known, ...fresh].sort(([, a], [, b]) => a.at - b.at));
}

/** Keeps only the newest. `from`: all drifts since then are kept. */
function limited(drifts: Drifts, most: number, from: EpochMs): Pick<Known, 'drifts' | 'from'> {
  if (drifts.size <= most) return { drifts, from };
  const all = [...drifts];
  const dropped = all[all.length - most - 1]?.[1].at ?? from;
  return { drifts: new Map(all.slice(-most)), from: Math.max(from, dropped + 1) };
}

/** Forgets the drifts whose entries retention has removed: those before the oldest entry that is left. */
async function withoutPruned(ledger: DriftReader, drifts: Drifts): Promise<Drifts> {
  const { entries } = await ledger.query({ type: 'DriftDetected' }, { limit: 1, order: 'oldestFirst' });
  const oldest = entries[0] === undefined ? Number.POSITIVE_INFINITY : Date.parse(entries[0].at);
  const [first] = drifts.values();
  if (first === undefined || first.at >= oldest) return drifts;
  return new Map([...drifts].filter(([, { at }]) => at >= oldest));
}
