import pRetry from 'p-retry';
import type { EpochMs } from '../../domain/enrollment/model.ts';
import { CloudError } from '../../ports/cloud.ts';
import type { Clock, Random } from '../../ports/system.ts';

/** Full jitter: before retry n a pause drawn from [0, BASE_MS × 2^n], at most MAX_PAUSE_MS. */
const BASE_MS = 100;
const MAX_PAUSE_MS = 5_000;
const MAX_RETRIES = 9;

export type Retrying = <T>(call: () => Promise<T>) => Promise<T>;

const passes = (error: Error): boolean => error instanceof CloudError && error.retryable;

/**
 * Repeats a wire call while the cloud says Throttled or Transient, for at most `budgetMs`. The pace itself is the limiter's; the
 * pause here only keeps workers that failed together from trying together again; where the cloud asks for a longer pause (`Retry-After`), that pause
 * is made, up to the end of the budget.
 * @throws the last CloudError; any other error at once.
 */
export function createRetrying(clock: Clock, random: Random, budgetMs: number): Retrying {
  return (call) => repeated(clock, random, clock.now() + budgetMs, call);
}

/** As {@link createRetrying}, for calls that have one end in common, because somebody waits for all of them: no pause goes past it. */
export function createRetryingUntil(clock: Clock, random: Random, end: EpochMs): Retrying {
  const sleep = (ms: number) => clock.sleep(Math.max(0, Math.min(ms, end - clock.now())));
  return (call) => repeated({ now: () => clock.now(), sleep }, random, end, call);
}

function repeated<T>(
  clock: Pick<Clock, 'now' | 'sleep'>,
  random: Random,
  end: EpochMs,
  call: () => Promise<T>,
): Promise<T> {
  return pRetry(call, {
    retries: MAX_RETRIES,
    // The pause is made below: p-retry's own jitter never goes under its minimum, full jitter does.
    minTimeout: 0,
    maxTimeout: 0,
    shouldRetry: ({ error }) => passes(error) && clock.now() < end,
    onFailedAttempt: async ({ error, attemptNumber, retriesLeft }) => {
      if (retriesLeft === 0 || !passes(error)) return;
      const drawn = random() * Math.min(MAX_PAUSE_MS, BASE_MS * 2 ** attemptNumber);
      const asked = error instanceof CloudError ? (error.details.retryAfterMs ?? 0) : 0;
      await clock.sleep(Math.max(drawn, Math.min(asked, end - clock.now())));
    },
  });
}
