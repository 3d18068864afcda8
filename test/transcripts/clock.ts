import type { Clock } from '../../shared/ports/system.ts';

/** Time that passes only while everything sleeps: a slow machine makes no call late, and a run takes the same time on every machine. */
export interface QuietClock extends Clock {
  /** Sets time forward to `until`, epoch ms; never back. */
  advanceTo(until: number): void;
}

interface Sleeper {
  readonly until: number;
  readonly wake: () => void;
}

/** Turns of the event loop without any activity after which nothing but sleepers is left. */
const QUIET_TURNS = 4;

/** @param activity a number that grows whenever something happens outside the clock, such as a request */
export function quietClock(start: number, activity: () => number): QuietClock {
  const sleepers = new Set<Sleeper>();
  let now = start;
  let turns = 0;
  let seen = activity();
  let looking = false;
  const look = (): void => {
    looking = false;
    const present = activity();
    turns = present === seen ? turns + 1 : 0;
    seen = present;
    if (turns >= QUIET_TURNS) wakeNext();
    watch();
  };
  const watch = (): void => {
    if (sleepers.size === 0 || looking) return;
    looking = true;
    setTimeout(look, 1);
  };
  const wakeNext = (): void => {
    turns = 0;
    const [first] = [...sleepers].sort((a, b) => a.until - b.until);
    if (first === undefined) return;
    now = Math.max(now, Math.ceil(first.until));
    first.wake();
  };
  return {
    now: () => now,
    advanceTo(until) {
      now = Math.max(now, until);
    },
    sleep(ms, signal) {
      return new Promise((resolve) => {
        if (signal?.aborted) return resolve();
        const wake = (): void => {
          sleepers.delete(sleeper);
          signal?.removeEventListener('abort', wake);
          resolve();
        };
        const sleeper: Sleeper = { until: now + Math.max(0, ms), wake };
        sleepers.add(sleeper);
        signal?.addEventListener('abort', wake, { once: true });
        turns = 0;
        watch();
      });
    },
  };
}
