/**
 * How far this process's clock is from the store's, from answers that carry the store's time to the second. One answer bounds the difference
 * to about a second: the store's clock stood between `earliest` and `latest` at an unknown moment between question and answer.
 *
 *      asked                    answered            monotonic clock ──▶
 *        ├────────── ? ────────────┤
 *                                                   earliest − answered ≤ store − monotonic ≤ latest − asked
 *
 * Answers shortly before and shortly after the store's second changes bound it from both sides to little more than the time that they take.
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

/** Store's clock minus own clock, ms. */
export interface Range {
  readonly low: number;
  readonly high: number;
}

/**
 * The clock error that the limiter assumes, ms: every worker's clock is within so much of the store's. Hosts that synchronize their time
 * stay within a few milliseconds (Amazon Time Sync, chrony) or a few tens over a bad network; 100 ms leaves room for both, is wide enough
 * to be verified from whole seconds and answers that take tens of milliseconds, and costs a quarter of the rate in the worst second.
 */
export const MAX_CLOCK_ERROR_MS = 100;

/** Two clocks drift apart by at most this, ms per ms: quartz is better than 50 ppm, and both may err. */
const DRIFT = 100e-6;

/** What is known after one more answer. An answer that contradicts what was known replaces it: one of the clocks was set. */
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

/** The bounds at a later moment: the older they are, the wider. */
export function widened({ low, lowAt, high, highAt }: KnownDifference, at: number): Range {
  return { low: low - DRIFT * Math.max(0, at - lowAt), high: high + DRIFT * Math.max(0, at - highAt) };
}

export function isWithin({ low, high }: Range): boolean {
  return low >= -MAX_CLOCK_ERROR_MS && high <= MAX_CLOCK_ERROR_MS;
}

/** By how much the own clock is certainly ahead of the store's (below zero: behind), if that is more than is allowed; else `null`. */
export function provenError({ low, high }: Range): number | null {
  if (high < -MAX_CLOCK_ERROR_MS) return -high;
  return low > MAX_CLOCK_ERROR_MS ? -low : null;
}
