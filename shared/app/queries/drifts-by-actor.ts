import type * as z from 'zod';
import { SharedRead } from '../../domain/shared-read.ts';
import { toIso } from '../../domain/time.ts';
import type { Clock } from '../../ports/system.ts';
import type { Stores } from '../context.ts';
import type { overviewAnswer } from './answers/overview.ts';
import { entriesOf } from './audit/all-entries.ts';

const DAY_MS = 24 * 3_600_000;
/** How far each query reaches back before the time of the previous one, ms. A process whose clock is behind writes entries with earlier times. */
const OVERLAP_MS = 60_000;
/** Maximum number of drifts that are counted: the newest. */
const MOST_DRIFTS = 20_000;
const MOST_ACTORS = 8;
/** `limit` is so small that a query counts as short and does not wait for long reads (`open-api.ts`). */
const PAGE = { limit: 100, order: 'oldestFirst' } as const;

interface Drift {
  /** ISO 8601. */
  readonly at: string;
  /** Who caused it; `null`: unknown. */
  readonly actor: string | null;
  readonly accountId: string | null;
  /** The enrollment had no earlier state, and nobody is known to have changed it. */
  readonly isFirstSeen: boolean;
}

type Actors = z.infer<typeof overviewAnswer>['changedBy']['actors'];

export interface DriftsByActorOptions {
  /** As in `auditReport`. */
  readonly turn?: () => Promise<void>;
  /** Differs after a restore. Default: the store is never restored. */
  readonly version?: () => Promise<string | null>;
}

/** Whose changes caused the drift of the last 24 hours. Reads only the entries that are new since the last time. */
export class DriftsByActor {
  readonly #clock: Clock;
  readonly #options: DriftsByActorOptions;
  readonly #reading = new SharedRead<void>();
  /** By id of the entry, oldest first. */
  #known = new Map<string, Drift>();
  #readAt = Number.NEGATIVE_INFINITY;
  #version: string | null = null;

  constructor(clock: Clock, options: DriftsByActorOptions = {}) {
    this.#clock = clock;
    this.#options = options;
  }

  async get(stores: Pick<Stores, 'ledger'>): Promise<z.infer<typeof overviewAnswer>['changedBy']> {
    await this.#reading.get(() => this.#refresh(stores));
    const scanned = await firstScanEnd(stores.ledger);
    const groups = new Map<string, Omit<Actors[number], 'drifts' | 'accounts'> & { readonly of: Drift[] }>();
    for (const drift of this.#known.values()) {
      const { actor, at, isFirstSeen } = drift;
      const firstScan = isFirstSeen && (scanned === null || at <= scanned);
      const joined = isFirstSeen && !firstScan;
      const key = `${joined} ${firstScan} ${actor}`;
      const group = groups.get(key) ?? { actor, joined, firstScan, of: [] };
      group.of.push(drift);
      groups.set(key, group);
    }
    const actors = [...groups.values()].map(({ of, ...group }) => {
      return { ...group, drifts: of.length, accounts: new Set(of.map(({ accountId }) => accountId)).size };
    });
    return { drifts: this.#known.size, actors: actors.sort((a, b) => b.drifts - a.drifts).slice(0, MOST_ACTORS) };
  }

  async #refresh({ ledger }: Pick<Stores, 'ledger'>): Promise<void> {
    const version = (await this.#options.version?.()) ?? null;
    const isRestored = version !== this.#version;
    const known = isRestored ? new Map<string, Drift>() : this.#known;
    const readAt = this.#clock.now();
    const start = toIso(readAt - DAY_MS);
    const reached = isRestored ? Number.NEGATIVE_INFINITY : this.#readAt - OVERLAP_MS;
    const since = toIso(Math.max(Date.parse(start), reached));
    const next = new Map([...known].filter(([, { at }]) => at >= start && at < since));
    let read = 0;
    for await (const { id, at, accountId, before, detail } of entriesOf(
      ledger,
      { type: 'DriftDetected', since },
      PAGE,
    )) {
      const actor = detail?.changedBy?.actor ?? null;
      next.set(id, { at, actor, accountId, isFirstSeen: actor === null && before === null });
      read += 1;
      if (read % PAGE.limit === 0) await this.#options.turn?.();
    }
    const kept = [...next].slice(-MOST_DRIFTS);
    this.#known = new Map(kept);
    this.#readAt = readAt;
    this.#version = version;
  }
}

/** When the first scan was complete, ISO 8601; `null`: none is. */
async function firstScanEnd(ledger: Pick<Stores['ledger'], 'query'>): Promise<string | null> {
  const { entries } = await ledger.query({ type: 'ScanCompleted' }, { limit: 1, order: 'oldestFirst' });
  return entries[0]?.at ?? null;
}
