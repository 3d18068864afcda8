/**
 * Bounds the difference between this process's clock and the store's, using answers that carry the store's time to the second. One answer bounds it
 * to about a second: the store's clock showed a time between `earliest` and `latest` at an unknown moment between request and answer.
 *
 *      asked                    answered            monotonic clock ──▶
 *        ├────────── ? ────────────┤
 *                                                   earliest − answered ≤ store − monotonic ≤ latest − asked
 *
 * Two answers, shortly before and shortly after the store's second changes, narrow the bounds to little more than the duration of an answer.
 */
export interface ReadingBounds {
  readonly askedAt: number;
  readonly answeredAt: number;
  readonly earliest: number;
  readonly latest: number;
}

/** Bounds on the store's clock minus the monotonic clock, ms, and when each was learned. */
export interface KnownDifference {
  readonly low: number;
  readonly lowAt: number;
  readonly high: number;
  readonly highAt: number;
}

/** The store's clock minus the own clock, ms. */
export interface Range {
  readonly low: number;
  readonly high: number;
}

/**
 * The clock error that the limiter assumes, ms: every worker's clock is within this of the store's. Hosts that synchronize their time stay within a
 * few milliseconds (Amazon Time Sync, chrony) or a few tens over a bad network; 100 ms leaves room for both, is wide enough to be verified from whole
 * seconds and answers that take tens of milliseconds, and costs a quarter of the rate in the worst second.
 */
export const MAX_CLOCK_ERROR_MS = 100;

/** Two clocks drift apart by at most this, ms per ms: quartz is better than 50 ppm, and both may err. */
const DRIFT = 100e-6;

/** The bounds after one more answer. If the answer contradicts the known bounds, one of the clocks was set, and the answer replaces them. */
export function narrowed(known: KnownDifference | null, reading: ReadingBounds): KnownDifference {
  const low = reading.earliest - reading.answeredAt;
  const high = reading.latest - reading.askedAt;
  const at = reading.answeredAt;
  const fresh = { low, lowAt: at, high, highAt: at };
  if (known === null) return fresh;
  const before = widened(known, at);
  if (low > before.high || high < before.low) return fresh;
  return {
    ...(low >= before.low ? { low, lowAt: at } : { low: known.low, lowAt: known.lowAt }),
    ...(high <= before.high ? { high, highAt: at } : { high: known.high, highAt: known.highAt }),
  };
}

/** The bounds at a later moment. They widen with age, because clocks drift. */
export function widened({ low, lowAt, high, highAt }: KnownDifference, at: number): Range {
  return { low: low - DRIFT * Math.max(0, at - lowAt), high: high + DRIFT * Math.max(0, at - highAt) };
}

export function isWithin({ low, high }: Range): boolean {
  return low >= -MAX_CLOCK_ERROR_MS && high <= MAX_CLOCK_ERROR_MS;
}

/** How far the own clock is at least ahead of the store's (negative: behind), if that exceeds the allowed error; otherwise `null`. */
export function provenError({ low, high }: Range): number | null {
  if (high < -MAX_CLOCK_ERROR_MS) return -high;
  return low > MAX_CLOCK_ERROR_MS ? -low : null;
}
