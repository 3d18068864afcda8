import { z } from 'zod';
import {
  adapt,
  type BucketState,
  type Feedback,
  fixedBucket,
  newBucket,
  type Reservation,
  recall,
  reserve,
} from '../domain/pacing.ts';
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
      const at = Math.max(...(await Promise.all([bucketOf(key).take(), total.take()])));
      const wait = at - options.clock.now();
      // Timers are no finer than a millisecond, and the timeline keeps the average whatever the single call does.
      if (wait >= 1) await options.clock.sleep(wait);
    },
    report(key, outcome) {
      const name = `${key.service}:${key.operation}`;
      const count = counts[name] ?? { count: 0, throttled: 0 };
      counts[name] = { count: count.count + 1, throttled: count.throttled + (outcome === 'throttled' ? 1 : 0) };
      bucketOf(key).report(outcome);
    },
  };
}

/** This process's view of one bucket: the slots it has reserved and what it has seen since. */
class Bucket {
  readonly #options: LimiterOptions;
  readonly #name: string;
  readonly #adaptive: boolean;
  #slots: Reservation = { from: 0, everyMs: 0, count: 0 };
  #used = 0;
  #feedback: Feedback = { ok: 0, throttled: 0 };
  #refill: Promise<void> | null = null;

  constructor(options: LimiterOptions, name: string, adaptive: boolean) {
    this.#options = options;
    this.#name = name;
    this.#adaptive = adaptive;
  }

  /** The time of the next slot of this process, epoch ms. */
  async take(): Promise<number> {
    while (this.#used >= this.#slots.count) {
      this.#refill ??= this.#reserve().finally(() => {
        this.#refill = null;
      });
      await this.#refill;
    }
    const at = this.#slots.from + this.#used * this.#slots.everyMs;
    this.#used += 1;
    return at;
  }

  report(outcome: 'ok' | 'throttled' | 'failed'): void {
    if (!this.#adaptive || outcome === 'failed') return;
    const { ok, throttled } = this.#feedback;
    if (outcome === 'ok') this.#feedback = { ok: ok + 1, throttled };
    else {
      this.#feedback = { ok, throttled: throttled + 1 };
      // Slots that were reserved at the old, faster pace are let go; they lapse.
      this.#used = this.#slots.count;
    }
  }

  async #reserve(): Promise<void> {
    const { registers, clock, ceiling, reserveMs } = this.#options;
    for (;;) {
      const stored = await readTyped(registers, this.#name, bucketSchema);
      const now = clock.now();
      const feedback = this.#feedback;
      const state = this.#advance(stored?.value ?? null, feedback, now, ceiling);
      const count = Math.max(1, Math.round((state.rate * reserveMs) / 1000));
      const [next, slots] = reserve(state, now, count);
      if ((await registers.write(this.#name, next, stored?.version ?? null)) === null) continue;
      // What was reported while the write was under way counts next time.
      this.#feedback = {
        ok: this.#feedback.ok - feedback.ok,
        throttled: this.#feedback.throttled - feedback.throttled,
      };
      this.#slots = slots;
      this.#used = 0;
      return;
    }
  }

  #advance(stored: BucketState | null, feedback: Feedback, now: number, ceiling: number): BucketState {
    if (!this.#adaptive) return { ...(stored ?? fixedBucket(now, ceiling)), rate: ceiling };
    return adapt(stored === null ? newBucket(now, ceiling) : recall(stored, now, ceiling), feedback, now, ceiling);
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
