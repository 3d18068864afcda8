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
  /** The account had no earlier state: it joined the organization in this state. */
  readonly joined: boolean;
}

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
    const counts = new Map<string, { actor: string | null; joined: boolean; drifts: number }>();
    for (const { actor, joined } of this.#known.values()) {
      const key = `${joined} ${actor}`;
      const known = counts.get(key) ?? { actor, joined, drifts: 0 };
      known.drifts += 1;
      counts.set(key, known);
    }
    const actors = [...counts.values()].sort((a, b) => b.drifts - a.drifts).slice(0, MOST_ACTORS);
    return { drifts: this.#known.size, actors };
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
    for await (const { id, at, before, detail } of entriesOf(ledger, { type: 'DriftDetected', since }, PAGE)) {
      const actor = detail?.changedBy?.actor ?? null;
      next.set(id, { at, actor, joined: actor === null && before === null });
      read += 1;
      if (read % PAGE.limit === 0) await this.#options.turn?.();
    }
    const kept = [...next].slice(-MOST_DRIFTS);
    this.#known = new Map(kept);
    this.#readAt = readAt;
    this.#version = version;
  }
}
