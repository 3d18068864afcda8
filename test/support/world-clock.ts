import type { Clock } from '../../shared/ports/system.ts';

/** Real time, `speed` times as fast, that a test can also set forward. Shared by the sandbox and the apps that work against it. */
export interface WorldClock extends Clock {
  /** Sets time forward by `ms`; whoever sleeps and is due by then wakes. */
  advance(ms: number): void;
  /** Sets time forward to `until`, epoch ms; never back. */
  advanceTo(until: number): void;
}

/** A fixed Monday morning, so that dates in policies and ledgers are the same every day. 2026-11-02T09:00:00Z */
const WORLD_START = Date.UTC(2026, 10, 2, 9);

/** What another process needs to have the same time. */
export interface TimeScale {
  /** Epoch ms of the world's beginning, in its own time. */
  readonly start: number;
  /** How many ms of the world pass in one real one. */
  readonly speed: number;
  /** Real epoch ms of the world's beginning. */
  readonly origin: number;
}

const realNow = (): number => performance.timeOrigin + performance.now();

export function timeScale(speed: number, start: number = WORLD_START): TimeScale {
  return { start, speed, origin: realNow() };
}

/**
 * Limiter, retries and leases run on this clock, so that at a high speed a run takes a fraction of its time and still everything happens
 * in its order.
 */
export function worldClock({ start, speed, origin }: TimeScale): WorldClock {
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
          // Read once: time goes on between two looks at it.
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
