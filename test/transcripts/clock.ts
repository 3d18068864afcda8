import type { Clock } from '../../shared/ports/system.ts';

/** Time that passes only while a command sleeps, so that a busy machine makes no call late. */
export interface SleepClock extends Clock {
  /** Sets time forward to `until`, epoch ms; never back. */
  advanceTo(until: number): void;
}

/** @param speed milliseconds of sleep per real millisecond */
export function sleepClock(start: number, speed: number): SleepClock {
  let now = start;
  const advanceTo = (until: number): void => {
    now = Math.max(now, Math.ceil(until));
  };
  return {
    now: () => now,
    advanceTo,
    sleep(ms, signal) {
      const until = now + Math.max(0, ms);
      return new Promise((resolve) => {
        if (signal?.aborted) return resolve();
        const end = (): void => {
          clearTimeout(timer);
          signal?.removeEventListener('abort', end);
          resolve();
        };
        const timer = setTimeout(() => {
          advanceTo(until);
          end();
        }, Math.max(0, ms) / speed);
        signal?.addEventListener('abort', end, { once: true });
      });
    },
  };
}
