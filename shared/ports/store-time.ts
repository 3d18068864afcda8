/**
 * The store's clock. Every worker compares its own clock with it before it uses the shared rate limiter.
 *
 * Promises:
 * - At some moment between `askedAt` and `answeredAt` (this process's monotonic clock), the store's clock was between `earliest` and
 *   `latest`.
 * - `read` makes one call to the store and never writes. It fails like any other read of the store.
 * - `follow` reports a reading from every other answer of the store, without extra calls.
 */
export interface StoreTime {
  /** `null` if the answer contained no time. */
  read(): Promise<TimeReading | null>;
  follow(listener: (reading: TimeReading) => void): void;
}

export interface TimeReading {
  /** Monotonic clock, ms. */
  readonly askedAt: number;
  readonly answeredAt: number;
  /** Store's clock, epoch ms. */
  readonly earliest: number;
  readonly latest: number;
}

/** This machine's clock and the store's differ by more than the rate limiter allows, so this process makes no call. */
export class ClockDifferenceError extends Error {
  override readonly name = 'ClockDifferenceError';
  readonly code = 'ClockDifference';

  /** @param aheadMs how far this machine's clock is at least ahead of the store's; negative if it is behind */
  constructor(aheadMs: number, allowedMs: number) {
    const off = `at least ${formatMs(Math.abs(aheadMs))} ${aheadMs > 0 ? 'ahead of' : 'behind'} the store's clock`;
    super(
      `this machine's clock is ${off}; at most ${formatMs(allowedMs)} are allowed, because all workers share one rate limit. No call is made until the clock is right: enable time synchronization on this machine (chrony, systemd-timesyncd or Amazon Time Sync)`,
    );
  }
}

function formatMs(ms: number): string {
  return ms < 10_000 ? `${Math.round(ms)} ms` : `${Math.round(ms / 1000)} s`;
}
