import * as fc from 'fast-check';
import { AUTO_RESERVE_MS } from '../../shared/app/rate-limiter/rate-limiter.ts';
import { LATE_MS, SPAN } from '../../shared/app/rate-limiter/total-budget.ts';
import {
  BLIND_CUT,
  CLEARLY_THROTTLED,
  CUT,
  DEEPEST_CUT,
  PROBE_PER_SECOND,
} from '../../shared/domain/rate-limit/adaptive-rate.ts';
import { MAX_CLOCK_ERROR_MS } from '../../shared/domain/rate-limit/clock-difference.ts';
import { autoRules, type RateRules } from '../../shared/domain/rate-limit/rate-rules.ts';
import { type AutoFleet, busiestSecond, type Fleet, type FleetResult, type FleetWorker } from './limiter-fleet.ts';

/** The first call waits up to a second for the comparison of the clocks, and reservations grow to their full size. */
const WARM_UP_MS = 5_000;

/** Calls all the time. */
export const steady: FleetWorker = { skewMs: 0, joinsAt: 0, diesAt: null, lanes: 6, callMs: 20 };

const allowedSkew = fc.oneof(
  fc.constantFrom(0, -MAX_CLOCK_ERROR_MS, MAX_CLOCK_ERROR_MS),
  fc.integer({ min: -MAX_CLOCK_ERROR_MS, max: MAX_CLOCK_ERROR_MS }),
);

const anyWorker: fc.Arbitrary<FleetWorker> = fc.record({
  skewMs: allowedSkew,
  joinsAt: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 14_000 })),
  diesAt: fc.oneof({ weight: 3, arbitrary: fc.constant(null) }, fc.integer({ min: 1_000, max: 18_000 })),
  lanes: fc.integer({ min: 1, max: 8 }),
  callMs: fc.integer({ min: 0, max: 200 }),
});

/** A local file answers immediately, so reservations are small; a table is slower, so they are larger. */
const anyStore = fc.oneof(
  fc.record({ reserveMs: fc.constant(100), storeMs: fc.integer({ min: 0, max: 5 }) }),
  fc.record({
    reserveMs: fc.constantFrom(1_000, 2_500),
    storeMs: fc.oneof(fc.constantFrom(0, 10, 40), fc.integer({ min: 0, max: 90 })),
  }),
);

/** Fleets whose clocks are within the allowed error; at least one worker can use the whole budget. */
export const anyFleet: fc.Arbitrary<Fleet> = fc
  .record({
    store: anyStore,
    rate: fc.oneof(fc.constantFrom(10, 20, 30, 50), fc.integer({ min: 10, max: 50 })),
    skewMs: allowedSkew,
    others: fc.array(anyWorker, { minLength: 1, maxLength: 7 }),
  })
  .map(({ store, rate, skewMs, others }) => ({
    ...{ ...store, rate, seconds: 25, workers: [{ ...steady, skewMs }, ...others] },
  }));

/** The maximum number of calls per second, as proven in limiter.ts for clocks that are off by at most `errorMs`. */
export function provenMost(rate: number, errorMs: number = MAX_CLOCK_ERROR_MS): number {
  // Times are floating-point sums around 10^12, so they are exact to a thousandth of a millisecond.
  return Math.floor((rate * (1_000 + 2 * errorMs + LATE_MS + 0.001)) / 1_000 + 1);
}

export interface Judged {
  /** The busiest second as a share of the proven bound. */
  readonly most: number;
  /** Calls as a share of the budget; `null` if a worker reserves slots that it is too slow to use. */
  readonly used: number | null;
}

export function judge(fleet: Fleet, { calls }: FleetResult): Judged {
  const { rate, seconds, reserveMs, workers } = fleet;
  const errorMs = Math.max(...workers.map(({ skewMs }) => Math.abs(skewMs)));
  const most = busiestSecond(calls).calls / provenMost(rate, errorMs);
  const quick = workers.every(({ lanes, callMs }) => callMs === 0 || (lanes * 1_000) / callMs >= 1.3 * rate);
  const deaths = workers.filter(({ diesAt }) => diesAt !== null).length;
  // The reservation of a worker that dies is lost.
  const usableMs = seconds * 1_000 - WARM_UP_MS - deaths * SPAN * reserveMs;
  const made = calls.filter((at) => at >= WARM_UP_MS).length;
  return { most, used: quick && usableMs > 5_000 ? made / ((rate * usableMs) / 1_000) : null };
}

/** The time that a fleet without a total budget has to find what the service accepts, ms. */
const LEARNING_MS = 30_000;

/** Processes without a total budget that together want to call more often than the service accepts. */
export const anyAutoFleet: fc.Arbitrary<AutoFleet> = fc
  .record({
    store: anyStore,
    service: fc.record({
      rate: fc.oneof(fc.constantFrom(5, 10, 20, 50), fc.integer({ min: 5, max: 100 })),
      meteredIn: fc.constantFrom('caller' as const, 'member' as const),
    }),
    skewMs: allowedSkew,
    callMs: fc.integer({ min: 5, max: 200 }),
    others: fc.array(
      fc.record({
        skewMs: allowedSkew,
        joinsAt: fc.integer({ min: 0, max: 10_000 }),
        lanes: fc.integer({ min: 1, max: 8 }),
      }),
      { maxLength: 7 },
    ),
  })
  .map(({ store, service, skewMs, callMs, others }) => {
    // One worker alone can use what the service accepts.
    const lanes = Math.max(8, Math.ceil((1.5 * service.rate * callMs) / 1_000));
    const common = { callMs, diesAt: null };
    const workers = [{ skewMs, joinsAt: 0, lanes }, ...others].map((worker) => ({ ...common, ...worker }));
    return { ...store, rate: null, service, seconds: 80, workers };
  });

export interface AutoJudged {
  /** The share of throttled calls after the fleet has learned the limit. */
  readonly throttled: number;
  /** Accepted calls in that time, as a share of what the service accepts. */
  readonly used: number;
  /** Throttled calls while the fleet learns. */
  readonly learning: number;
}

export function judgeAuto({ service, seconds }: AutoFleet, { calls, throttled }: FleetResult): AutoJudged {
  const late = (at: number): boolean => at >= LEARNING_MS;
  const [made, refused] = [calls.filter(late).length, throttled.filter(late).length];
  const accepts = (service.rate * (seconds * 1_000 - LEARNING_MS)) / 1_000;
  return {
    throttled: refused / made,
    used: (made - refused) / accepts,
    learning: throttled.length - refused,
  };
}

const rulesOf = ({ meteredIn }: AutoFleet['service']): RateRules =>
  autoRules({ service: 'compute-optimizer', meteredIn });

/**
 * The maximum number of throttled calls while a fleet learns the limit L:
 *
 *  1. Each accepted call raises the rate by ln(growth), and the service accepts a burst of 2L above L. A rate that grows from B = max(start, L) by the
 *     factor e^x until the burst is used up is then B·e^x = B + L·x + 2L·ln(growth). x is largest for B = L.
 *  2. Calls above the limit are throttled until the cut takes effect, after the time T: the call's answer, a read and a write of the store, the same
 *     again because another worker may write first, and the slots that were reserved before.
 *  3. The first cut is to the share BLIND_CUT. The calls above the limit in another T, and CLEARLY_THROTTLED answers, end its evaluation.
 *  4. The next cuts are to what was let through. Their evaluations, at most two, end after CLEARLY_THROTTLED answers each.
 */
export function mostWhileLearning({ service, storeMs, workers }: AutoFleet): number {
  const { rate: limit } = service;
  const { start, growth } = rulesOf(service);
  const growing = 2 * Math.log(growth);
  let x = 1;
  for (let step = 0; step < 50; step += 1) x = Math.log(1 + x + growing);
  const peak = Math.max(start, limit) + limit * (x + growing);
  const reactionMs = Math.max(...workers.map(({ callMs }) => callMs)) + 4 * storeMs + AUTO_RESERVE_MS;
  const overrun = (rate: number): number => (Math.max(0, rate - limit) * reactionMs) / 1_000;
  return overrun(peak) + overrun(peak * BLIND_CUT) + 3 * CLEARLY_THROTTLED;
}

/**
 * The minimum share of the limit that a fleet uses: one evaluation of a few answers may cut the rate to DEEPEST_CUT of it. If no call is throttled at
 * that rate, the limit counts as rate / CUT. 5% of the slots may lapse.
 */
export function leastUsed({ service }: AutoFleet): number {
  return (0.95 * rulesOf(service).use * DEEPEST_CUT) / CUT;
}

/** The share of throttled calls that a fleet keeps to in the long run. */
export const MOST_THROTTLED = 0.02;

/**
 * The same in the time after learning. Throttled calls come from attempts to find a higher limit. From one to the next it takes at least holdMs and the
 * time to use up the burst of 2L at a rate that grows from the used share of L by PROBE_PER_SECOND·L a second. The time after learning may begin
 * right before an attempt, and hold one attempt more than it has room for.
 */
export function mostThrottled({ service, seconds }: AutoFleet): number {
  const { holdMs, use } = rulesOf(service);
  const attemptMs = holdMs + (1_000 * (1 - use + Math.sqrt(4 * PROBE_PER_SECOND))) / PROBE_PER_SECOND;
  const judgedMs = seconds * 1_000 - LEARNING_MS;
  return (MOST_THROTTLED * attemptMs * (Math.floor(judgedMs / attemptMs) + 1)) / judgedMs;
}
