import type { EpochMs } from '../../domain/enrollment/model.ts';
import type { BucketState } from '../../domain/rate-limit/adaptive-rate.ts';
import { autoRules, fixedRules } from '../../domain/rate-limit/rate-rules.ts';
import type { CallGate, CallKey, MeteredCall } from '../../ports/cloud.ts';
import type { Registers } from '../../ports/registers.ts';
import type { StoreTime } from '../../ports/store-time.ts';
import type { Clock, Monotonic } from '../../ports/system.ts';
import { ClockCheck } from './clock-check.ts';
import { OperationBudget } from './operation-budget.ts';
import { SharedLimiterState } from './shared-state.ts';
import { LATE_MS, TotalBudget } from './total-budget.ts';

export { bucketRates } from './shared-state.ts';

export interface LimiterOptions {
  readonly registers: Registers;
  readonly clock: Clock;
  readonly monotonic: Monotonic;
  /** The clock of the store that holds `registers`. */
  readonly storeTime: StoreTime;
  /** See {@link ClockCheckOptions.mayWait} (default `true`). */
  readonly mayWait?: boolean;
  /** Calls a second over all operations and all workers: the policy's `limits.callsPerSecond`; `null`: `auto`, no total. */
  readonly ceiling: number | null;
  /** How many milliseconds of slots one reservation takes: more costs fewer writes, less reacts sooner. */
  readonly reserveMs: number;
}

/** How many calls were made and throttled, by `service:Operation`. The shape of `apply --json`'s `calls`. */
export type CallCounts = Record<string, { count: number; throttled: number }>;

export interface Limiter extends CallGate {
  readonly counts: CallCounts;
}

/**
 * How often a call waits for another slot after the machine woke it too late. After that the call is made late, so that a slow machine still makes
 * progress.
 */
const SECOND_CHANCES = 2;

/**
 * How late a slot of an operation may be used under a total budget, as a multiple of `reserveMs`. Late use does no harm, because the total spaces the
 * calls of all operations. With a shorter time, slots would lapse while the process waits for that budget.
 */
const PATIENCE = 4;
/** The same without a total budget, ms: enough for a busy event loop, and too short to save slots for a burst. */
const AUTO_LATE_MS = 250;
/** Without a total budget, a reservation covers at most this time, ms, because slots that other workers reserved keep their spacing after a cut. */
export const AUTO_RESERVE_MS = 250;
/** The same for calls that come more slowly than slots, ms: after a cut, the process makes these calls no faster than before it. */
const AUTO_CALM_RESERVE_MS = 1_000;

/**
 * The rate limiter that all workers share (invariant 4): a bucket per (service, operation) that adapts to what the service accepts, so that throttling
 * by Organizations does not slow member calls; and, unless `callsPerSecond` is `auto`, one calendar of slots for all operations together. In both cases
 * one worker's throttled answer slows all workers, because they share the buckets.
 *
 * The states of a slot of the calendar. T = 1 s / rate, L = LATE_MS, E = MAX_CLOCK_ERROR_MS:
 *
 *    nT                                        nT + L            by the owner's clock
 *    free ──▶ reserved ──▶│◀── a call may leave ──▶│ lapsed
 *    (compare-and-set)
 *          nT − E │◀────── the call leaves ─────────────▶│ nT + L + E      by the store's clock
 *
 * The bound: in any second, all workers together make at most rate × (1 s + 2E + L) / 1 s + 1 calls.
 *
 *  1. Slots are the moments nT for whole numbers n. The calendar gives each n to one worker, once: a reservation is one compare-and-set that
 *     marks it as taken, and neither the head of the calendar nor a mark ever moves back. After a change of the rate, new slots begin after
 *     every slot that was taken. (The calendar starts again only if the stored state is from the future, which clocks within E cannot write.)
 *  2. A slot permits one call (callsPerTick calls above 1,000 a second). The call leaves when its owner's clock shows a time in [nT, nT + L];
 *     after that the slot has lapsed.
 *  3. Every clock is within E of the store's. So a call that leaves at the store's time t has a slot nT in [t − E − L, t + E].
 *  4. The calls of a second [s, s + 1 s) therefore have slots in [s − E − L, s + 1 s + E), which is 1 s + 2E + L long and holds at most
 *     (1 s + 2E + L) / T + 1 multiples of T.
 *
 * With equal clocks (E = 0: the embedded runtime) this is the rate, 5% and one call. The assumption is checked: a worker whose clock is off by more
 * makes no call (clock-check.ts). The bound does not hold on a machine that wakes a process more than L late three times in a row.
 *
 * Without a total, calls per second have no such bound. Calls above what the service accepts are throttled from the moment when its burst allowance is
 * used up until the cut takes effect: while the limit is learned, the excess of the rate over the limit times the time of an answer, two writes and a
 * reservation, plus the throttled answers that end the evaluation of each cut (mostWhileLearning in test/support/limiter-fleets.ts). In the long run,
 * attempts to find a higher limit throttle under 2% of the calls.
 *
 * @returns a gate whose `acquire` rejects with ClockDifferenceError while this machine's clock is off
 */
export function createLimiter(options: LimiterOptions): Limiter {
  const { clock, monotonic, storeTime, registers, ceiling, reserveMs, mayWait = true } = options;
  const check = new ClockCheck({ clock, monotonic, store: storeTime, mayWait });
  const shared = new SharedLimiterState({ registers, clock, ceiling, check });
  const operations = new Map<string, OperationBudget>();
  const counts: CallCounts = {};
  const operationsToStore = (
    stored: Readonly<Record<string, BucketState>>,
    now: number,
  ): Record<string, BucketState> => {
    const changed = [...operations.values()].flatMap((operation) => {
      const state = operation.toStore(stored[operation.name] ?? null, now);
      return state === null ? [] : [[operation.name, state] as const];
    });
    return Object.fromEntries(changed);
  };
  const common = { shared, clock, check };
  // Under a total budget, calls keep the slots that they wait for. The pause would let the service's burst allowance grow, so the limit would be
  // overestimated by a few percent, and there a rate uses nearly all of it.
  const recalls = ceiling === null;
  const total = ceiling === null ? null : new TotalBudget({ ...common, ceiling, reserveMs, operationsToStore });
  const slots =
    ceiling === null
      ? { reserveMs: Math.min(AUTO_RESERVE_MS, reserveMs), patienceMs: AUTO_LATE_MS }
      : { reserveMs, patienceMs: PATIENCE * reserveMs };
  const calmReserveMs = (meteredIn: MeteredCall['meteredIn']): number =>
    ceiling === null && meteredIn === 'caller' ? Math.min(AUTO_CALM_RESERVE_MS, reserveMs) : slots.reserveMs;
  const operationOf = (call: MeteredCall): OperationBudget => {
    const name = nameOf(call);
    // An operation that is called in the caller's account and in members has one bucket, but its calls follow different rules.
    const id = ceiling === null ? `${name} ${call.meteredIn}` : name;
    const rules = ceiling === null ? autoRules(call) : fixedRules(ceiling);
    const known =
      operations.get(id) ??
      new OperationBudget({ ...common, ...slots, recalls, calmReserveMs: calmReserveMs(call.meteredIn), name, rules });
    operations.set(id, known);
    return known;
  };
  /** Waits until this machine's clock shows the time. Returns `false` if the clock was set during the wait, so that the time means another moment. */
  const until = async (at: EpochMs): Promise<boolean> => {
    const steps = check.steps();
    for (let wait = at - clock.now(); wait > 0; wait = at - clock.now()) {
      await clock.sleep(wait);
      if (check.steps() !== steps) return false;
    }
    return true;
  };
  return {
    counts,
    async acquire(call) {
      for (;;) {
        const own = await operationOf(call).take();
        if (own === null || ((await until(own.at)) && own.isValid())) break;
      }
      // The total budget comes last, because its slots lapse soonest and would lapse while waiting for the operation's slot.
      for (let chance = 0; total !== null; ) {
        const at = await total.take();
        if (!(await until(at))) continue;
        if (clock.now() - at <= LATE_MS || chance === SECOND_CHANCES) break;
        chance += 1;
      }
      return clock.now();
    },
    report(call, outcome, leave) {
      const name = nameOf(call);
      const count = counts[name] ?? { count: 0, throttled: 0 };
      counts[name] = { count: count.count + 1, throttled: count.throttled + (outcome === 'throttled' ? 1 : 0) };
      operationOf(call).report(outcome, leave ?? clock.now());
    },
  };
}

const nameOf = ({ service, operation }: CallKey): string => `${service}:${operation}`;
