import type { EpochMs } from '../enrollment/model.ts';
import type { RateRules } from './rate-rules.ts';
import { isIndependent, type ThrottlingSample } from './throttling-cause.ts';

/**
 * The arithmetic of one operation's bucket. Its state is a small document that all workers on all machines advance by compare-and-set; everything
 * here is a pure function of that document, the time and the outcomes that a worker reports.
 *
 * Slots: a reservation takes the next `count` slots of a virtual timeline (GCRA: one timestamp, the "theoretical arrival time",
 * moves on by one interval a slot). A slot is a moment at which one call may be made, so calls are spaced by construction and no
 * window holds more than the rate. Slots that a crashed worker reserved stay unused.
 *
 * Rate: below the ceiling the rate follows what the service accepts, as congestion control does. `growth`, `use`, `holdMs` and `outdated` are in
 * {@link RateRules}:
 *
 *            no throttling: × growth a second           ┌──────────── ceiling
 *   probing ───────────────────────────▶ (ceiling)      │
 *      │ throttled ▲                                    │ +3 % of the known limit a second, more the longer it goes well;
 *      │           └────────────────────────────────────┤ above known limit × outdated, the limit is unknown again
 *      ▼                                                │
 *   settling: wait until answers show how much was accepted; that is the known limit
 *      │                                                │
 *      ▼            recovers within RECOVER_MS          │
 *   known limit × 0.9 ──────────────▶ known limit × use, held for holdMs
 */
export interface BucketState {
  /** The next slot is not before this time. */
  readonly tat: EpochMs;
  /** The current rate, calls a second. */
  readonly rate: number;
  /** What the service last accepted, calls a second; `null` until the first throttling. */
  readonly limit: number | null;
  /** When the rate was last cut (or when the bucket began). */
  readonly cutAt: EpochMs;
  /** Outcomes since the last cut that belong to the current estimate. */
  readonly ok: number;
  readonly throttled: number;
  /** When `ok` and `throttled` began to be counted. */
  readonly countedFrom: EpochMs;
  /** When the last counted call was made; `null`: none was counted. */
  readonly countedTo: EpochMs | null;
  /** Whether a cut was made and its effect is being measured. */
  readonly settling: boolean;
  /** The share of throttled answers when a cut was evaluated, of how many answers, and the rate of calls at that time; `null` before the first. */
  readonly share: number | null;
  readonly shareAnswers: number;
  readonly shareRate: number;
  /** The share of throttled answers that slowing down did not reduce, for example because the service refuses at random; 0: none. */
  readonly tolerated: number;
  /** When the rate was last computed. */
  readonly at: EpochMs;
}

/**
 * The outcomes that a worker has seen since its last reservation, only of calls made since the last cut: earlier calls say nothing about the new rate,
 * however late they are answered (see {@link countsFrom}).
 */
export interface Feedback {
  readonly ok: number;
  readonly throttled: number;
  /** When the last of these calls was made; `null`: there are none. */
  readonly lastAt: EpochMs | null;
}

export interface Reservation {
  /** The time of the first slot. */
  readonly from: EpochMs;
  /** Milliseconds from slot to slot. */
  readonly everyMs: number;
  readonly count: number;
}

const FLOOR_RATE = 0.5;
/** The first cut multiplies the rate by this: the limit is unknown, and the rate kept doubling while answers were outstanding. */
export const BLIND_CUT = 0.4;
export const CUT = 0.9;
const RECOVER_MS = 2_000;
export const PROBE_PER_SECOND = 0.03;
/** When a cut is evaluated: after this many answers to calls made after it, and at least this many ms. A low limit takes longer to show. */
const SETTLE_ENOUGH: readonly (readonly [answers: number, afterMs: number])[] = [
  [20, 0],
  [8, 2_000],
  [1, 10_000],
];
/** This many throttled answers alone show that a cut was too small. */
export const CLEARLY_THROTTLED = 6;
/** At most this share of throttled answers counts as no throttling. */
const CALM_SHARE = 0.02;
/** One evaluation cuts the rate to no less than this share of it, because the limit may be underestimated from few answers. */
export const DEEPEST_CUT = 0.3;
/** How many answers it takes to decide that accepted throttling has increased. */
const TOLERATED_ANSWERS = 20;
/** How long to accept throttling that a lower rate did not reduce, ms. Then a lower rate is tried again. */
const TOLERATE_MS = 60_000;
/** Under a limit below the rate, calls are throttled again within this time, ms. */
const RARE_MS = 10_000;
/** Answers older than this say nothing about the current limit, ms. */
const WINDOW_MS = 2_000;

export function newBucket(now: EpochMs, { start: rate }: RateRules): BucketState {
  const counts = { ok: 0, throttled: 0, countedFrom: now, countedTo: null };
  return {
    tat: now,
    rate,
    limit: null,
    cutAt: now,
    ...counts,
    settling: false,
    share: null,
    shareAnswers: 0,
    shareRate: rate,
    tolerated: 0,
    at: now,
  };
}

/**
 * How far the shared timeline may reach ahead of this machine's clock, ms, or in slots if that is more. Waiting callers make it reach ahead; a
 * process with a wrong clock can make it reach anywhere. A timeline beyond this limit can only come from a wrong clock and starts again.
 */
const QUEUE_MS = 30_000;
const QUEUE_SLOTS = 100;
/** How far the other timestamps of the state may be ahead of this machine's clock, ms. */
const SKEW_MS = 5_000;
/** The rate grows for at most this much time in one step, ms: a pause without calls is no evidence that the service accepts more. */
const GROWTH_MS = 2_000;

/** How long a learned limit is kept, ms. */
const FORGET_MS = 10 * 60_000;

/** Whether the state is so old that it counts as never learned. */
export function isForgotten(state: BucketState, now: EpochMs): boolean {
  return now - state.at > FORGET_MS;
}

/** Whether the operation runs at the full rate without throttling. Then it needs no slots of its own. */
export function isFree(state: BucketState, { ceiling }: RateRules): boolean {
  return state.rate >= ceiling && !state.settling && state.tolerated === 0;
}

/** The state after `feedback`, with the rate at `now`. */
export function adapt(state: BucketState, feedback: Feedback, now: EpochMs, rules: RateRules): BucketState {
  const { ceiling } = rules;
  const sane = withoutFuture(state, now);
  const counted = {
    ...sane,
    ok: state.ok + feedback.ok,
    throttled: state.throttled + feedback.throttled,
    countedTo: feedback.lastAt === null ? sane.countedTo : Math.max(sane.countedTo ?? feedback.lastAt, feedback.lastAt),
  };
  const grown = counted.settling
    ? settle(counted, now, rules)
    : (firstCut(counted, feedback, now, rules) ?? grow(counted, feedback, now, rules));
  const rate = Math.min(ceiling, Math.max(Math.min(FLOOR_RATE, ceiling), grown.rate));
  return { ...grown, rate, at: Math.max(sane.at, now) };
}

/**
 * Feedback omits calls made before this time: while a cut is being measured, calls at the rate before it would distort the result; after that, an answer
 * that a worker stores late would cut the rate again.
 */
export function countsFrom(state: BucketState): EpochMs {
  return state.settling ? state.countedFrom : state.cutAt;
}

/** A timestamp from a fast clock must not freeze the rate until all other clocks have reached it. */
function withoutFuture(state: BucketState, now: EpochMs): BucketState {
  const past = (time: EpochMs): EpochMs => (time - now > SKEW_MS ? now : time);
  return { ...state, cutAt: past(state.cutAt), countedFrom: past(state.countedFrom), at: past(state.at) };
}

function restartCount(state: BucketState, now: EpochMs): BucketState {
  return { ...state, ok: 0, throttled: 0, countedFrom: now, countedTo: null };
}

/** Slots that were reserved before a cut, by any process, keep their spacing. The calls at the new rate begin after the last of them. */
function countAfterCut(state: BucketState, now: EpochMs): BucketState {
  return restartCount(state, Math.max(now, state.tat));
}

/** The first throttled answer after a calm period: slow down immediately, then measure what the service accepts. */
function firstCut(state: BucketState, feedback: Feedback, now: EpochMs, { use }: RateRules): BucketState | null {
  if (feedback.throttled === 0 || isTolerated(state, now)) return null;
  const cut = { ...countAfterCut(state, now), cutAt: now, settling: true, share: null, tolerated: 0 };
  if (state.limit === null) return { ...cut, rate: state.rate * BLIND_CUT };
  // An attempt to exceed the known limit uses up the burst allowance before a call is throttled, so the rate is far above the limit by then.
  const rate = Math.min(state.rate * CUT, (state.rate + state.limit * use) / 2);
  return { ...cut, rate, limit: isRare(state, now) ? state.limit : Math.min(state.limit, state.rate) };
}

/** Whether a throttled answer comes so long after the last cut that a burst of another caller explains it better than a lower limit. */
function isRare({ cutAt, rate }: BucketState, now: EpochMs): boolean {
  const sinceCut = now - cutAt;
  return sinceCut >= RARE_MS && (sinceCut * rate) / 1000 >= 1 / CALM_SHARE;
}

/** Whether the throttling is no more than the share that a lower rate did not reduce. For a while, it causes no further cut. */
function isTolerated(state: BucketState, now: EpochMs): boolean {
  if (state.tolerated === 0 || now - state.cutAt > TOLERATE_MS) return false;
  const answers = state.ok + state.throttled;
  return answers < TOLERATED_ANSWERS || state.throttled / answers <= state.tolerated * 1.5 + 0.05;
}

/** Evaluates a cut once there are enough answers: learns the limit, and cuts again or, if throttling has ended, stops settling. */
function settle(state: BucketState, now: EpochMs, { use, slower }: RateRules): BucketState {
  const answers = state.ok + state.throttled;
  const elapsed = now - state.countedFrom;
  const enough =
    state.throttled >= CLEARLY_THROTTLED ||
    SETTLE_ENOUGH.some(([count, afterMs]) => answers >= count && elapsed >= afterMs);
  if (!enough) return state;
  const share = state.throttled / answers;
  const next = { ...restartCount(state, now), cutAt: now };
  if (share <= CALM_SHARE) {
    const before = state.rate / CUT;
    // The rate before the cut was only a share of the limit. If it became the limit, each burst of another caller would lower the rate further.
    const limit = Math.max(before, Math.min(state.limit ?? before, before / use));
    return { ...next, limit, rate: Math.min(state.rate, limit * use), settling: false, share: null };
  }
  const before = sampleBefore(state);
  const after = { answers, throttled: state.throttled, rate: state.rate };
  if (before !== null && after.rate <= before.rate * slower && isIndependent(before, after)) {
    return { ...next, limit: null, settling: false, share: null, tolerated: share };
  }
  const letThrough = state.rate * (1 - share);
  const rate = Math.max(letThrough * CUT, state.rate * DEEPEST_CUT);
  const cut = { ...countAfterCut(next, now), rate, limit: letThrough };
  // The first sample stays, because its rate differs most. If the share has grown since, calls were accepted from the burst allowance at first.
  if (state.share !== null && share <= state.share) return cut;
  // The workers may call less than the rate allows, because they pause after a throttled answer. Later, their pauses make the calls come in bursts, so
  // their average says less than the rate.
  const calledMs = Math.max(1, (state.countedTo ?? now) - state.countedFrom);
  return { ...cut, share, shareAnswers: answers, shareRate: Math.min(state.rate, (answers * 1000) / calledMs) };
}

function sampleBefore({ share, shareAnswers: answers, shareRate: rate }: BucketState): ThrottlingSample | null {
  return share === null ? null : { answers, throttled: share * answers, rate };
}

function grow(state: BucketState, { ok }: Feedback, now: EpochMs, rules: RateRules): BucketState {
  const { growth, use, holdMs } = rules;
  const aged = now - state.countedFrom > WINDOW_MS ? restartCount(state, now) : state;
  // No call waits for a slot, so the rate is higher than needed.
  if (rules.onlyInDemand && state.tat <= now) return aged;
  const seconds = Math.min(GROWTH_MS, Math.max(0, now - state.at)) / 1000;
  if (state.limit === null) {
    // In a second, `rate` answers arrive, but after a delay: the rate must not grow faster than answers confirm it.
    const rate = rules.onlyInDemand ? state.rate + ok * Math.log(growth) : state.rate * growth ** seconds;
    return { ...aged, rate };
  }
  const sinceCut = now - state.cutAt;
  if (sinceCut < RECOVER_MS && use > CUT) {
    const share = CUT + (use - CUT) * (sinceCut / RECOVER_MS);
    return { ...aged, rate: Math.max(state.rate, state.limit * share) };
  }
  if (sinceCut < holdMs) return { ...aged, rate: Math.max(state.rate, state.limit * use) };
  // The limit may have risen: the longer nothing is throttled, the faster the rate grows.
  const boldness = 1 + Math.floor((sinceCut - holdMs) / holdMs);
  const rate = state.rate + state.limit * PROBE_PER_SECOND * boldness * seconds;
  return { ...aged, rate, limit: rate > state.limit * rules.outdated ? null : state.limit };
}

/**
 * Takes the next `count` slots. Unused slots of the past are gone, so there is no burst. A timeline so far in the future that only a wrong clock can
 * have caused it (QUEUE_MS) starts again at `now`.
 */
export function reserve(state: BucketState, now: EpochMs, count: number): readonly [BucketState, Reservation] {
  const everyMs = 1000 / state.rate;
  const believed = Math.max(QUEUE_MS, QUEUE_SLOTS * everyMs);
  const from = state.tat - now > believed ? now : Math.max(state.tat, now);
  return [
    { ...state, tat: from + count * everyMs },
    { from, everyMs, count },
  ];
}
