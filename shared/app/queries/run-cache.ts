import type { EpochMs } from '../../domain/enrollment/model.ts';
import type { Clock } from '../../ports/system.ts';

/** Maximum age of the newest run, ms: it changes all the time. */
const LATEST_MS = 1_000;
/** Maximum age of the others, ms. Their open changes are judged by the present state of the accounts. */
const EARLIER_MS = 10_000;
/** Changes of all runs in memory, about 500 bytes each. */
const MOST_CHANGES = 20_000;

interface ReadRun {
  readonly traced: { readonly changes: readonly unknown[] };
}

interface Kept<R> {
  readonly at: EpochMs;
  readonly run: Promise<R | null>;
  /** 0 until the run is read. */
  changes: number;
}

/** Runs as they were read a moment ago, so that the list of runs, the page of a run and the list of its changes read it once. */
export class RunCache<R extends ReadRun> {
  readonly #clock: Pick<Clock, 'now'>;
  /** Least recently read first. */
  readonly #kept = new Map<string, Kept<R>>();

  constructor(clock: Pick<Clock, 'now'>) {
    this.#clock = clock;
  }

  /** @param read reads the run if it is not in memory */
  get(runId: string, isLatest: boolean, read: () => Promise<R | null>): Promise<R | null> {
    const now = this.#clock.now();
    const known = this.#kept.get(runId);
    const age = now - (known?.at ?? Number.NEGATIVE_INFINITY);
    if (known !== undefined && age >= 0 && age < (isLatest ? LATEST_MS : EARLIER_MS)) return known.run;
    const kept: Kept<R> = { at: now, run: read(), changes: 0 };
    this.#kept.delete(runId);
    this.#kept.set(runId, kept);
    void kept.run.then(
      (run) => {
        kept.changes = run?.traced.changes.length ?? 0;
        this.#evict();
      },
      () => {
        if (this.#kept.get(runId) === kept) this.#kept.delete(runId);
      },
    );
    return kept.run;
  }

  #evict(): void {
    let all = [...this.#kept.values()].reduce((sum, { changes }) => sum + changes + 1, 0);
    for (const [runId, { changes }] of this.#kept) {
      if (all <= MOST_CHANGES) return;
      this.#kept.delete(runId);
      all -= changes + 1;
    }
  }
}
