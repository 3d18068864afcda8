import type { BucketState } from '../domain/pacing.ts';
import type { CallGate, CallKey } from '../ports/cloud.ts';
import type { Registers } from '../ports/registers.ts';
import type { Clock } from '../ports/system.ts';
import { Book } from './limiter-book.ts';
import { Operation } from './limiter-operation.ts';
import { LATE_MS, Slots } from './limiter-slots.ts';

export { bucketRates } from './limiter-book.ts';

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

/** How often a call that overslept its slot waits for another: a processor that is always late must not keep it from being made. */
const SECOND_CHANCES = 2;

/**
 * The limiter that all workers share (invariant 4): a bucket per (service, operation) that adapts to what the service lets through, so
 * that Organizations' throttling does not slow member calls, and one calendar of slots over all.
 */
export function createLimiter(options: LimiterOptions): Limiter {
  const { clock, registers, ceiling, reserveMs } = options;
  const book = new Book(registers, clock, ceiling);
  const operations = new Map<string, Operation>();
  const counts: CallCounts = {};
  const along = (stored: Readonly<Record<string, BucketState>>, now: number): Record<string, BucketState> => {
    const told = [...operations].flatMap(([name, operation]) => {
      const state = operation.told(stored[name] ?? null, now);
      return state === null ? [] : [[name, state] as const];
    });
    return Object.fromEntries(told);
  };
  const total = new Slots({ book, clock, ceiling, reserveMs, along });
  const operationOf = ({ service, operation }: CallKey): Operation => {
    const name = `${service}:${operation}`;
    const known = operations.get(name) ?? new Operation({ book, clock, name, ceiling, reserveMs });
    operations.set(name, known);
    return known;
  };
  const until = async (at: number): Promise<void> => {
    const wait = at - clock.now();
    // Timers are no finer than a millisecond, and the timeline keeps the average whatever the single call does.
    if (wait >= 1) await clock.sleep(wait);
  };
  return {
    counts,
    async acquire(key) {
      // The total last: its slots lapse soonest, and are not to stand waiting for the other's.
      const own = await operationOf(key).take();
      if (own !== null) await until(own);
      for (let chance = 0; ; chance += 1) {
        const at = await total.take();
        const begun = clock.now();
        await until(at);
        const now = clock.now();
        // Late by its own fault (a slot that was had late is none): it would crowd the calls that come now.
        if (now - Math.max(at, begun) <= LATE_MS || chance === SECOND_CHANCES) return now;
      }
    },
    report(key, outcome, leave) {
      const name = `${key.service}:${key.operation}`;
      const count = counts[name] ?? { count: 0, throttled: 0 };
      counts[name] = { count: count.count + 1, throttled: count.throttled + (outcome === 'throttled' ? 1 : 0) };
      operationOf(key).report(outcome, leave ?? clock.now());
    },
  };
}
