import type { Clock } from '../../shared/ports/system.ts';

/** Real time, `speed` times as fast, that a test can also set forward. Shared by the sandbox and the apps that work against it. */
export interface WorldClock extends Clock {
  /** Sets time forward by `ms` and wakes the sleepers that are due by then. */
  advance(ms: number): void;
  /** Sets time forward to `until`, epoch ms; never back. */
  advanceTo(until: number): void;
}

/** A fixed Monday morning, so that dates in policies and ledgers are the same every day. 2026-11-02T09:00:00Z */
const WORLD_START = Date.UTC(2026, 10, 2, 9);

/** The parameters that give another process the same time. */
export interface TimeScale {
  /** Epoch ms of the world's start, in world time. */
  readonly start: number;
  /** Milliseconds of world time per real millisecond. */
  readonly speed: number;
  /** Real epoch ms of the world's start. */
  readonly origin: number;
}

const realNow = (): number => performance.timeOrigin + performance.now();

export function timeScale(speed: number, start: number = WORLD_START): TimeScale {
  return { start, speed, origin: realNow() };
}

/**
 * Limiter, retries and leases use this clock, so at high speed a run takes a fraction of its time, with everything in the same order.
 * @param skipped the length of sleeps during which nothing else happens, ms: time is set forward instead
 */
export function worldClock({ start, speed, origin }: TimeScale, skipped: number | null = null): WorldClock {
  const alarms = new Set<() => void>();
  let ahead = 0;
  const now = (): number => Math.floor(start + (realNow() - origin) * speed + ahead);
  const advance = (ms: number): void => {
    ahead += ms;
    for (const alarm of [...alarms]) alarm();
  };
  return {
    now,
    advance,
    advanceTo: (until) => {
      if (until > now()) advance(until - now());
    },
    sleep(ms, signal) {
      const until = now() + ms;
      if (ms === skipped) advance(ms);
      return new Promise((resolve) => {
        let timer: NodeJS.Timeout;
        const wake = (): void => {
          clearTimeout(timer);
          alarms.delete(look);
          signal?.removeEventListener('abort', wake);
          resolve();
        };
        const look = (): void => {
          clearTimeout(timer);
          // Read once, because time advances between two reads.
          const left = until - now();
          if (signal?.aborted || left <= 0) wake();
          else timer = setTimeout(look, Math.min(60_000, left / speed));
        };
        alarms.add(look);
        signal?.addEventListener('abort', wake, { once: true });
        timer = setTimeout(look, 0);
        if (ms > 0 || signal?.aborted) look();
      });
    },
  };
}
