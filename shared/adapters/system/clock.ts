import type { Clock, Monotonic } from '../../ports/system.ts';

/** The longest delay of `setTimeout`. A longer one would end immediately. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Returns after `ms` (at most {@link LONGEST_TIMER_MS}), or as soon as `signal` aborts. */
function nap(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const wake = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', wake);
      resolve();
    };
    // Without `unref`, so that a worker which waits for its next attempt keeps the process alive.
    const timer = setTimeout(wake, ms);
    signal?.addEventListener('abort', wake, { once: true });
  });
}

/** The machine's clock. A sleep keeps the process alive until it ends or its signal aborts. */
export const systemClock: Clock = {
  now: () => Date.now(),
  async sleep(ms, signal) {
    // Adds up the delays and does not read the clock, so that setting the clock back does not prolong the sleep.
    let left = Math.max(0, ms);
    do {
      if (signal?.aborted) return;
      const part = Math.min(left, LONGEST_TIMER_MS);
      await nap(part, signal);
      left -= part;
    } while (left > 0);
  },
};

export const systemMonotonic: Monotonic = () => performance.now();
