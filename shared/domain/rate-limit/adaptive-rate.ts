import type { EpochMs } from '../enrollment/model.ts';

/**
 * The shared limiter's arithmetic. One bucket's state is one small document that all workers on all machines advance by
 * compare-and-set; everything here is a pure function of that document, the clock's reading and what a worker reports.
 *
 * Slots: a reservation takes the next `count` slots of a virtual timeline (GCRA: one timestamp, the "theoretical arrival time",
 * moves on by one interval a slot). A slot is a moment at which one call may be made, so calls are spaced by construction and no
 * window holds more than the rate. Slots of a worker that dies lapse.
 *
 * Rate: below the ceiling the rate follows what the service lets through, like congestion control does:
 *
 *            no throttling: ×2 a second                 ┌──────────── ceiling
 *   probing ───────────────────────────▶ (ceiling)      │
 *      │ throttled                                      │ +3 % of the known limit a second, more the longer it goes well
 *      ▼                                                │
 *   settling: wait until answers tell how much was let through, take that as the known limit
 *      │                                                │
 *      ▼            recovers within RECOVER_MS          │
 *   known limit × 0.9 ──────────────▶ known limit × 0.98, held for HOLD_MS
 */
export interface BucketState {
  /** Where the timeline stands: the next slot is not before this time. */
  readonly tat: EpochMs;
  /** Calls a second now. */
  readonly rate: number;
  /** What the service was last seen to let through, calls a second; `null` until the first throttling. */
  readonly limit: number | null;
  /** When the rate was last cut (or when the bucket began). */
  readonly cutAt: EpochMs;
  /** Answers since the last cut that belong to the present estimate. */
  readonly ok: number;
  readonly throttled: number;
  /** When `ok` and `throttled` began to be counted. */
  readonly countedFrom: EpochMs;
  /** A cut was made and its effect is being measured. */
  readonly settling: boolean;
  /** The share of throttled answers at a judgement of a cut, and the pace of calls that it was measured at; `null` before the first. */
  readonly share: number | null;
  readonly shareRate: number;
  /** The share that slowing down did not help against: a service that refuses at random. 0 if there is none. */
  readonly tolerated: number;
  /** When the rate was last computed. */
  readonly at: EpochMs;
}

/**
 * What a worker has seen since its last reservation. While a cut is being measured, only of calls that were made after `cutAt`: earlier
 * ones say nothing about the new rate, however late they are answered (see {@link countsFrom}).
 */
export interface Feedback {
  readonly ok: number;
  readonly throttled: number;
}

export interface Reservation {
  /** When the first slot is. */
  readonly from: EpochMs;
  /** Milliseconds from slot to slot. */
  readonly everyMs: number;
  readonly count: number;
}

/** A bucket without history starts at a tenth of the ceiling, or here if that is more, and doubles each second: quick to find a limit, slow enough not to storm it. */
const START_RATE = 20;
const FLOOR_RATE = 0.5;
const GROWTH_PER_SECOND = 2;
/** The first cut, when nothing is known of the limit and the rate has been doubling while answers were under way. */
const BLIND_CUT = 0.4;
const CUT = 0.9;
const RECOVER_TO = 0.98;
const RECOVER_MS = 2_000;
const HOLD_MS = 4_000;
const PROBE_PER_SECOND = 0.03;
/** When a cut is judged: so many answers to calls that were made after it, but not before so many ms. Slow limits take longer to tell. */
const SETTLE_ENOUGH: readonly (readonly [answers: number, afterMs: number])[] = [
  [20, 0],
  [8, 2_000],
  [1, 10_000],
];
/** Whether slowing down helps can be told once calls are really made at no more than this part of the pace before. */
const TELLING_PACE = 0.8;
/** Fewer answers than this can be throttled by chance; so can a larger part of them than a service refuses that is not out of order. */
const TELLING_ANSWERS = 8;
const MOST_TOLERATED = 0.35;
/** Throttling of at most this share of answers is none. */
const CALM_SHARE = 0.02;
/** One judgement cuts the rate to no less than this part of it: few answers may be wrong about how little is let through. */
const DEEPEST_CUT = 0.3;
/** So many answers are needed before tolerated throttling is found to have become more. */
const TOLERATED_ANSWERS = 20;
/** How long throttling that nothing helps against is borne with, before slowing down is tried again. */
const TOLERATE_MS = 60_000;
/** Answers older than this say nothing about the present limit. */
const WINDOW_MS = 2_000;

export function newBucket(now: EpochMs, ceiling: number): BucketState {
  const rate = Math.min(Math.max(START_RATE, ceiling / 10), ceiling);
  const counts = { ok: 0, throttled: 0, countedFrom: now };
  return {
    tat: now,
    rate,
    limit: null,
    cutAt: now,
    ...counts,
    settling: false,
    share: null,
    shareRate: rate,
    tolerated: 0,
    at: now,
  };
}

/**
 * The shared timeline is believed to reach this far ahead of a reader's clock, ms, or this many slots if that is more. Callers that wait in
 * line make it reach ahead, a process whose clock is wrong makes it reach anywhere; beyond this it is the clock, and is not waited for.
 */
const QUEUE_MS = 30_000;
const QUEUE_SLOTS = 100;
/** Other timestamps of the state are believed to be this far ahead of a reader's clock. */
const SKEW_MS = 5_000;
/** Growth of at most this much time is made up for at once: a pause without calls is no evidence that more would be let through. */
const GROWTH_MS = 2_000;

/** What was learnt this long ago is no longer known. */
const FORGET_MS = 10 * 60_000;

/** What was learnt long ago counts as never learnt. */
export function isForgotten(state: BucketState, now: EpochMs): boolean {
  return now - state.at > FORGET_MS;
}

/** Nothing holds the operation back but the rate of all together: it needs no slots of its own. */
export function isFree(state: BucketState, ceiling: number): boolean {
  return state.rate >= ceiling && !state.settling && state.tolerated === 0;
}

/** Takes the feedback in and moves the rate to `now`, at most `ceiling`. */
export function adapt(state: BucketState, feedback: Feedback, now: EpochMs, ceiling: number): BucketState {
  const sane = withoutFuture(state, now);
  const counted = { ...sane, ok: state.ok + feedback.ok, throttled: state.throttled + feedback.throttled };
  const grown = counted.settling ? settle(counted, now) : (firstCut(counted, feedback, now) ?? grow(counted, now));
  const rate = Math.min(ceiling, Math.max(Math.min(FLOOR_RATE, ceiling), grown.rate));
  return { ...grown, rate, at: Math.max(sane.at, now) };
}

/**
 * Calls made before this time are left out of the feedback to `state`. `graceMs`: how long others may go on with slots that they reserved
 * at the rate before a cut.
 */
export function countsFrom(state: BucketState, graceMs: number): EpochMs {
  return state.settling ? state.cutAt + graceMs : Number.NEGATIVE_INFINITY;
}

/** What a process with a fast clock has written must not keep the rate as it is until everybody's clock has got there. */
function withoutFuture(state: BucketState, now: EpochMs): BucketState {
  const past = (time: EpochMs): EpochMs => (time - now > SKEW_MS ? now : time);
  return { ...state, cutAt: past(state.cutAt), countedFrom: past(state.countedFrom), at: past(state.at) };
}

function restartCount(state: BucketState, now: EpochMs): BucketState {
  return { ...state, ok: 0, throttled: 0, countedFrom: now };
}

/** The first throttled answer after calm: slow down at once, then measure what really gets through. */
function firstCut(state: BucketState, feedback: Feedback, now: EpochMs): BucketState | null {
  if (feedback.throttled === 0 || isTolerated(state, now)) return null;
  const rate = state.rate * (state.limit === null ? BLIND_CUT : CUT);
  return { ...restartCount(state, now), rate, cutAt: now, settling: true, share: null, tolerated: 0 };
}

/** Throttling that slowing down did not help against is borne with for a while; more of it than that is not. */
function isTolerated(state: BucketState, now: EpochMs): boolean {
  if (state.tolerated === 0 || now - state.cutAt > TOLERATE_MS) return false;
  const answers = state.ok + state.throttled;
  return answers < TOLERATED_ANSWERS || state.throttled / answers <= state.tolerated * 1.5 + 0.05;
}

/** After a cut: enough answers tell the limit (what was let through); no more throttling ends the settling. */
function settle(state: BucketState, now: EpochMs): BucketState {
  const answers = state.ok + state.throttled;
  const elapsed = now - state.countedFrom;
  const enough = SETTLE_ENOUGH.some(([count, afterMs]) => answers >= count && elapsed >= afterMs);
  if (!enough) return state;
  const share = state.throttled / answers;
  const next = { ...restartCount(state, now), cutAt: now };
  if (share <= CALM_SHARE) {
    return { ...next, limit: state.rate / CUT, settling: false, share: null };
  }
  // What was asked for may be less than the rate allows: workers that rest after a throttled answer ask for nothing.
  const pace = Math.min(state.rate, (answers * 1000) / elapsed);
  const slower = state.share !== null && pace <= state.shareRate * TELLING_PACE;
  if (slower && answers >= TELLING_ANSWERS && isIndependent(state, share, pace)) {
    return { ...next, limit: null, settling: false, share: null, tolerated: share };
  }
  const letThrough = state.rate * (1 - share);
  const rate = Math.max(letThrough * CUT, state.rate * DEEPEST_CUT);
  const measured = state.share === null || slower ? { share, shareRate: pace } : {};
  return { ...next, rate, limit: letThrough, ...measured };
}

/**
 * Whether throttling looks as if it had nothing to do with our pace. A limit lets the same number through however fast we ask, so that
 * at a lower pace a larger part of the answers is good; a service that refuses at random refuses the same part. The more likely of both
 * is taken. A share that grew much is neither: a burst that the service allowed has been used up since the last judgement.
 */
function isIndependent(state: BucketState, share: number, pace: number): boolean {
  if (state.share === null || share > MOST_TOLERATED) return false;
  const good = 1 - state.share;
  const goodUnderLimit = Math.min(1, (good * state.shareRate) / pace);
  return 1 - share < (good + goodUnderLimit) / 2 && share <= state.share * 2 + 0.1;
}

function grow(state: BucketState, now: EpochMs): BucketState {
  const seconds = Math.min(GROWTH_MS, Math.max(0, now - state.at)) / 1000;
  const aged = now - state.countedFrom > WINDOW_MS ? restartCount(state, now) : state;
  if (state.limit === null) return { ...aged, rate: state.rate * GROWTH_PER_SECOND ** seconds };
  const sinceCut = now - state.cutAt;
  if (sinceCut < RECOVER_MS) {
    const share = CUT + (RECOVER_TO - CUT) * (sinceCut / RECOVER_MS);
    return { ...aged, rate: Math.max(state.rate, state.limit * share) };
  }
  if (sinceCut < HOLD_MS) return { ...aged, rate: Math.max(state.rate, state.limit * RECOVER_TO) };
  // The limit may have risen: the longer nothing was throttled, the faster we ask for more.
  const boldness = 1 + Math.floor((sinceCut - HOLD_MS) / HOLD_MS);
  return { ...aged, rate: state.rate + state.limit * PROBE_PER_SECOND * boldness * seconds };
}

/**
 * Takes the next `count` slots. The timeline never lies in the past: what nobody used is gone, there is no burst. Nor does it lie in a
 * future that only a wrong clock can have made (QUEUE_MS): it begins anew at `now` then.
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
