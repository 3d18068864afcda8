import type { Clock, Monotonic } from '../../ports/system.ts';

/** The longest delay `setTimeout` knows; a longer one would fire at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Returns after `ms` (at most {@link LONGEST_TIMER_MS}), or as soon as `signal` aborts. */
function nap(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const wake = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', wake);
      resolve();
    };
    // Not unref'd: a worker that waits for its next attempt has to keep the process alive.
    const timer = setTimeout(wake, ms);
    signal?.addEventListener('abort', wake, { once: true });
  });
}

/** The machine's own clock. Sleeping keeps the process alive; aborting is how a shutdown ends it. */
export const systemClock: Clock = {
  now: () => Date.now(),
  async sleep(ms, signal) {
    // Counted in the timer's own time, so that setting the machine's clock back does not prolong the sleep.
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
