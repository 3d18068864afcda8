import { z } from 'zod';
import {
  adapt,
  type BucketState,
  countsFrom,
  fixedBucket,
  newBucket,
  type Reservation,
  recall,
  reserve,
} from '../domain/pacing.ts';
import type { EpochMs } from '../domain/types.ts';
import type { CallGate, CallKey } from '../ports/cloud.ts';
import type { Registers } from '../ports/registers.ts';
import type { Clock } from '../ports/system.ts';
import { readTyped } from './registers.ts';

const bucketSchema: z.ZodType<BucketState> = z.object({
  tat: z.number(),
  rate: z.number().positive(),
  limit: z.number().nullable(),
  cutAt: z.number(),
  ok: z.number(),
  throttled: z.number(),
  countedFrom: z.number(),
  settling: z.boolean(),
  share: z.number().nullable(),
  shareRate: z.number().positive(),
  tolerated: z.number(),
  at: z.number(),
});

export interface LimiterOptions {
  readonly registers: Registers;
  readonly clock: Clock;
  /** Calls a second over all operations and all workers: the policy's `limits.callsPerSecond`. */
  readonly ceiling: number;
  /** How much time's worth of slots one reservation takes, ms: longer costs fewer writes, shorter reacts sooner. */
  readonly reserveMs: number;
}

/** How many calls were made and throttled, by `service:Operation`. The shape of `apply --json`'s `calls`. */
export type CallCounts = Record<string, { count: number; throttled: number }>;

export interface Limiter extends CallGate {
  readonly counts: CallCounts;
}

const TOTAL = 'limiter/total';

/**
 * How many reservations' time an operation's slot may wait for one of the total: the total paces all calls anyway, and if both lapsed at
 * once, two processes whose turns don't meet would let each other's slots lapse for ever.
 */
const PATIENCE = 4;

/**
 * The limiter that all workers share (invariant 4): a bucket per (service, operation) that adapts to what the service lets through, so
 * that Organizations' throttling does not slow member calls, and one fixed bucket over all.
 */
export function createLimiter(options: LimiterOptions): Limiter {
  const buckets = new Map<string, Bucket>();
  const total = new Bucket(options, TOTAL, false);
  const counts: CallCounts = {};
  const bucketOf = ({ service, operation }: CallKey): Bucket => {
    const name = `limiter/${service}:${operation}`;
    const known = buckets.get(name) ?? new Bucket(options, name, true);
    buckets.set(name, known);
    return known;
  };
  return {
    counts,
    async acquire(key) {
      // The total last: its slots lapse soonest, and are not to stand waiting for the other's.
      const own = await bucketOf(key).take();
      const at = Math.max(own, await total.take());
      const wait = at - options.clock.now();
      // Timers are no finer than a millisecond, and the timeline keeps the average whatever the single call does.
      if (wait >= 1) await options.clock.sleep(wait);
      return options.clock.now();
    },
    report(key, outcome, leave) {
      const name = `${key.service}:${key.operation}`;
      const count = counts[name] ?? { count: 0, throttled: 0 };
      counts[name] = { count: count.count + 1, throttled: count.throttled + (outcome === 'throttled' ? 1 : 0) };
      bucketOf(key).report(outcome, leave ?? options.clock.now());
    },
  };
}

/** How a call was answered, and when it was made. */
interface Answer {
  readonly leave: EpochMs;
  readonly throttled: boolean;
}

/** This process's view of one bucket: the slots it has reserved and what it has seen since. */
class Bucket {
  readonly #options: LimiterOptions;
  readonly #name: string;
  readonly #adaptive: boolean;
  #slots: Reservation = { from: 0, everyMs: 0, count: 0 };
  #used = 0;
  /** How many of the present slots lapsed. */
  #lapsed = 0;
  /** How many slots to ask for next: more while all are used, as many as were used when some lapsed. */
  #want = 1;
  /** How late a slot may be used, ms: one interval, and the time that reserving it took, or a slow store would let none through. */
  #patienceMs = 0;
  #answers: Answer[] = [];
  #refill: Promise<void> | null = null;

  constructor(options: LimiterOptions, name: string, adaptive: boolean) {
    this.#options = options;
    this.#name = name;
    this.#adaptive = adaptive;
  }

  /** The time of the next slot of this process, epoch ms. */
  async take(): Promise<number> {
    for (;;) {
      while (this.#used < this.#slots.count) {
        const at = this.#slots.from + this.#used * this.#slots.everyMs;
        this.#used += 1;
        // What was reserved and not used in its time is gone: kept slots would come out all at once, in every process.
        if (at + this.#patienceMs >= this.#options.clock.now()) return at;
        this.#lapsed += 1;
      }
      if (this.#refill === null) this.#learn();
      this.#refill ??= this.#reserve().finally(() => {
        this.#refill = null;
      });
      await this.#refill;
    }
  }

  /** A process that calls seldom must not take slots from those that call often, and one that calls often should not write for each. */
  #learn(): void {
    const { count } = this.#slots;
    if (count > 0) this.#want = this.#lapsed === 0 ? count * 2 : Math.max(1, count - this.#lapsed);
  }

  report(outcome: 'ok' | 'throttled' | 'failed', leave: EpochMs): void {
    if (!this.#adaptive || outcome === 'failed') return;
    const throttled = outcome === 'throttled';
    this.#answers.push({ leave, throttled });
    // Slots that were reserved at the old, faster pace are let go; they lapse.
    if (throttled) this.#used = this.#slots.count;
  }

  async #reserve(): Promise<void> {
    const { registers, clock, reserveMs } = this.#options;
    for (let reach = reserveMs; ; reach += reserveMs) {
      const stored = await readTyped(registers, this.#name, bucketSchema);
      const now = clock.now();
      const answers = this.#answers.length;
      const state = this.#advance(stored?.value ?? null, now);
      const most = Math.max(1, Math.round((state.rate * reserveMs) / 1000));
      const count = Math.min(most, this.#want);
      const [next, slots] = reserve(state, now, count);
      // Who waits in line has no slot yet: those taken far ahead would go on at their old pace long after it was cut. Each wait lets
      // reach a little further, so that no process is always too late.
      const early = slots.from - now - reach;
      if (early >= 1) {
        await clock.sleep(early);
        continue;
      }
      if ((await registers.write(this.#name, next, stored?.version ?? null)) === null) continue;
      // What was reported while the write was under way counts next time.
      this.#answers = this.#answers.slice(answers);
      this.#slots = slots;
      this.#patienceMs = slots.everyMs + Math.max(0, clock.now() - now) + (this.#adaptive ? PATIENCE * reserveMs : 0);
      this.#used = 0;
      this.#lapsed = 0;
      return;
    }
  }

  #advance(stored: BucketState | null, now: EpochMs): BucketState {
    const { ceiling, reserveMs } = this.#options;
    if (!this.#adaptive) return { ...(stored ?? fixedBucket(now, ceiling)), rate: ceiling };
    const state = stored === null ? newBucket(now, ceiling) : recall(stored, now, ceiling);
    const from = countsFrom(state, reserveMs);
    const counted = this.#answers.filter(({ leave }) => leave >= from);
    const throttled = counted.filter((answer) => answer.throttled).length;
    return adapt(state, { ok: counted.length - throttled, throttled }, now, ceiling);
  }
}

/** The present rate of every bucket, calls a second, by `service:Operation` and `total`. */
export async function bucketRates(registers: Registers): Promise<Record<string, number>> {
  const rates: Record<string, number> = {};
  for (const { name, value } of await registers.list('limiter/')) {
    const bucket = bucketSchema.safeParse(value);
    if (bucket.success) rates[name.slice('limiter/'.length)] = Math.round(bucket.data.rate * 10) / 10;
  }
  return rates;
}
