import type { EpochMs } from '../../domain/enrollment/model.ts';
import { toIso } from '../../domain/time.ts';
import type { Clock } from '../../ports/system.ts';
import type { CallCounts } from './rate-limiter.ts';

interface Sample {
  readonly at: EpochMs;
  /** Calls and throttled calls since the meter was made, by `service:Operation`. */
  readonly counts: ReadonlyMap<string, readonly [calls: number, throttled: number]>;
}

/** For how long samples are kept, ms. */
const KEPT_MS = 60 * 60_000;
/** The current rate is the average of this time, ms. */
const WINDOW_MS = 30_000;
/** Time between two points of the history, ms. */
const POINT_MS = 60_000;

export interface CallUse {
  /** Calls a second, the average of the last half minute. */
  readonly used: number;
  /** Throttled calls in the last hour. */
  readonly throttled: number;
}

/** Measures how many calls a process makes each second. Call `take` every few seconds. */
export class CallMeter {
  readonly #clock: Clock;
  readonly #samples: Sample[] = [];
  /** The last counts of the limiter. */
  #last: CallCounts = {};
  #total: Sample['counts'] = new Map();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The present counts of the process's limiter. A new limiter counts from zero. */
  take(counts: CallCounts): void {
    const total = new Map(this.#total);
    for (const [name, { count, throttled }] of Object.entries(counts)) {
      const known = this.#last[name];
      const before = known === undefined || known.count > count ? { count: 0, throttled: 0 } : known;
      const [calls, refused] = total.get(name) ?? [0, 0];
      total.set(name, [calls + count - before.count, refused + throttled - before.throttled]);
    }
    this.#last = structuredClone(counts);
    this.#total = total;
    const at = this.#clock.now();
    this.#samples.push({ at, counts: total });
    while ((this.#samples[0]?.at ?? at) < at - KEPT_MS) this.#samples.shift();
  }

  /** Calls and throttled calls since the meter was made, by `service:Operation`. */
  get totals(): Sample['counts'] {
    return this.#total;
  }

  /** The use of each operation that was called in the last hour. */
  operations(): ReadonlyMap<string, CallUse> {
    const now = this.#samples.at(-1);
    if (now === undefined) return new Map();
    const oldest = this.#samples[0] ?? now;
    const recent = this.#since(this.#clock.now() - WINDOW_MS) ?? now;
    const uses = [...now.counts.keys()].map((name) => {
      const throttled = (now.counts.get(name)?.[1] ?? 0) - (oldest.counts.get(name)?.[1] ?? 0);
      return [name, { used: rateOf(recent, now, name), throttled }] as const;
    });
    return new Map(uses);
  }

  /** Calls a second of all operations in each minute of the last hour, oldest first. */
  history(): readonly { readonly at: string; readonly used: number }[] {
    const now = this.#clock.now();
    const points = [];
    for (let end = now - KEPT_MS + POINT_MS; end <= now; end += POINT_MS) {
      const [from, to] = [this.#since(end - POINT_MS), this.#samples.findLast(({ at }) => at <= end)];
      if (from === undefined || to === undefined || to.at <= from.at) continue;
      points.push({ at: toIso(end), used: rateOf(from, to) });
    }
    return points;
  }

  #since(at: EpochMs): Sample | undefined {
    return this.#samples.find((each) => each.at >= at);
  }
}

/** Calls a second between two samples, of one operation or of all, with one decimal. */
function rateOf(from: Sample, to: Sample, name?: string): number {
  const sum = ({ counts }: Sample): number =>
    name === undefined ? [...counts.values()].reduce((all, [calls]) => all + calls, 0) : (counts.get(name)?.[0] ?? 0);
  const seconds = (to.at - from.at) / 1_000;
  return seconds <= 0 ? 0 : Math.round(((sum(to) - sum(from)) / seconds) * 10) / 10;
}
