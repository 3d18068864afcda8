import type { EpochMs } from './types.ts';

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
  /** The share of throttled answers at the last judgement of a cut; `null` before the first. */
  readonly share: number | null;
  /** The share that slowing down did not help against: a service that refuses at random. 0 if there is none. */
  readonly tolerated: number;
  /** When the rate was last computed. */
  readonly at: EpochMs;
}

/** What a worker has seen since its last reservation. */
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
const START_RATE = 10;
const FLOOR_RATE = 0.5;
const GROWTH_PER_SECOND = 2;
const CUT = 0.9;
const RECOVER_TO = 0.98;
const RECOVER_MS = 2_000;
const HOLD_MS = 4_000;
const PROBE_PER_SECOND = 0.03;
/** Answers that come this soon after a cut were asked for before it and say nothing about the new rate. */
const STALE_MS = 250;
/** Answers, or milliseconds, after a cut before it is judged again. */
const SETTLE_ANSWERS = 20;
const SETTLE_MS = 500;
/** How long throttling that nothing helps against is borne with, before slowing down is tried again. */
const TOLERATE_MS = 60_000;
/** Answers older than this say nothing about the present limit. */
const WINDOW_MS = 2_000;

export function newBucket(now: EpochMs, ceiling: number): BucketState {
  const rate = Math.min(Math.max(START_RATE, ceiling / 10), ceiling);
  const counts = { ok: 0, throttled: 0, countedFrom: now };
  return { tat: now, rate, limit: null, cutAt: now, ...counts, settling: false, share: null, tolerated: 0, at: now };
}

/** What was learnt this long ago is no longer known. */
const FORGET_MS = 10 * 60_000;

/** The state to go on from: what was learnt long ago counts as never learnt, the timeline stays. */
export function recall(state: BucketState, now: EpochMs, ceiling: number): BucketState {
  return now - state.at > FORGET_MS ? { ...newBucket(now, ceiling), tat: state.tat } : state;
}

/** A bucket that does not adapt: the total over all operations. */
export function fixedBucket(now: EpochMs, ceiling: number): BucketState {
  return { ...newBucket(now, ceiling), rate: ceiling };
}

/** Takes the feedback in and moves the rate to `now`, at most `ceiling`. */
export function adapt(state: BucketState, feedback: Feedback, now: EpochMs, ceiling: number): BucketState {
  const counted = { ...state, ok: state.ok + feedback.ok, throttled: state.throttled + feedback.throttled };
  const cut = counted.settling ? settle(counted, now) : firstCut(counted, feedback, now);
  const grown = cut ?? grow(counted, now);
  const rate = Math.min(ceiling, Math.max(Math.min(FLOOR_RATE, ceiling), grown.rate));
  return { ...grown, rate, at: Math.max(state.at, now) };
}

function restartCount(state: BucketState, now: EpochMs): BucketState {
  return { ...state, ok: 0, throttled: 0, countedFrom: now };
}

/** The first throttled answer after calm: slow down at once, then measure what really gets through. */
function firstCut(state: BucketState, feedback: Feedback, now: EpochMs): BucketState | null {
  if (feedback.throttled === 0 || isTolerated(state, now)) return null;
  const rate = state.limit === null ? state.rate / 2 : state.rate * CUT;
  return { ...restartCount(state, now), rate, cutAt: now, settling: true, share: null, tolerated: 0 };
}

/** Throttling that slowing down did not help against is borne with for a while; more of it than that is not. */
function isTolerated(state: BucketState, now: EpochMs): boolean {
  if (state.tolerated === 0 || now - state.cutAt > TOLERATE_MS) return false;
  const answers = state.ok + state.throttled;
  return answers < SETTLE_ANSWERS || state.throttled / answers <= state.tolerated * 1.5 + 0.05;
}

/** After a cut: enough answers tell the limit (what was let through); no more throttling ends the settling. */
function settle(state: BucketState, now: EpochMs): BucketState | null {
  if (now - state.cutAt < STALE_MS) return restartCount(state, now);
  const answers = state.ok + state.throttled;
  const enough = answers >= SETTLE_ANSWERS || now - state.countedFrom >= SETTLE_MS;
  if (!enough) return { ...state };
  if (answers === 0) return { ...restartCount(state, now) };
  if (state.throttled * 50 <= answers) {
    return { ...restartCount(state, now), limit: state.rate / CUT, cutAt: now, settling: false, share: null };
  }
  const share = state.throttled / answers;
  if (state.share !== null && share > state.share / 2) {
    // A real limit would have let nearly everything through by now: this throttling has nothing to do with our pace.
    return {
      ...restartCount(state, now),
      limit: null,
      cutAt: now,
      settling: false,
      share: null,
      tolerated: share,
    };
  }
  const letThrough = state.rate * (state.ok / answers);
  const rate = Math.max(letThrough * CUT, state.rate * 0.3);
  return { ...restartCount(state, now), rate, limit: letThrough, cutAt: now, share };
}

function grow(state: BucketState, now: EpochMs): BucketState {
  const seconds = Math.max(0, now - state.at) / 1000;
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

/** Takes the next `count` slots. The timeline never lies in the past: what nobody used is gone, there is no burst. */
export function reserve(state: BucketState, now: EpochMs, count: number): readonly [BucketState, Reservation] {
  const everyMs = 1000 / state.rate;
  const from = Math.max(state.tat, now);
  return [
    { ...state, tat: from + count * everyMs },
    { from, everyMs, count },
  ];
}
