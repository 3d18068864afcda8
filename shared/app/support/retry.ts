import pRetry from 'p-retry';
import type { EpochMs } from '../../domain/enrollment/model.ts';
import { CloudError } from '../../ports/cloud.ts';
import type { Clock, Random } from '../../ports/system.ts';
import { NO_TRACER, type Tracer } from '../../ports/tracer.ts';

/** Full jitter: the pause before retry n is drawn from [0, BASE_MS × 2^n], at most MAX_PAUSE_MS. */
const BASE_MS = 100;
const MAX_PAUSE_MS = 5_000;
const MAX_RETRIES = 9;

export type Retrying = <T>(call: () => Promise<T>) => Promise<T>;

const isRetryable = (error: Error): boolean => error instanceof CloudError && error.retryable;

/**
 * Retries an API call that ends with a Throttled or Transient error, for at most `budgetMs`. The rate limiter sets the pace; the pauses here
 * only keep workers that failed together from retrying together. A longer pause that AWS requests (`Retry-After`) is respected within
 * the budget.
 * @throws the last CloudError; any other error immediately.
 */
export function createRetrying(clock: Clock, random: Random, budgetMs: number, tracer: Tracer = NO_TRACER): Retrying {
  return (call) => repeated({ clock, random, tracer }, clock.now() + budgetMs, call);
}

/** Like {@link createRetrying}, for calls that share one deadline. No pause extends past it. */
export function createRetryingUntil(clock: Clock, random: Random, end: EpochMs): Retrying {
  const sleep = (ms: number) => clock.sleep(Math.max(0, Math.min(ms, end - clock.now())));
  return (call) => repeated({ clock: { now: () => clock.now(), sleep }, random, tracer: NO_TRACER }, end, call);
}

interface Parts {
  readonly clock: Pick<Clock, 'now' | 'sleep'>;
  readonly random: Random;
  readonly tracer: Tracer;
}

function repeated<T>({ clock, random, tracer }: Parts, end: EpochMs, call: () => Promise<T>): Promise<T> {
  return pRetry((attempt) => (attempt === 1 ? call() : tracer.repeated(attempt - 1, call)), {
    retries: MAX_RETRIES,
    // The pause is in onFailedAttempt: p-retry's own jitter never goes below its minimum, full jitter does.
    minTimeout: 0,
    maxTimeout: 0,
    shouldRetry: ({ error }) => isRetryable(error) && clock.now() < end,
    onFailedAttempt: async ({ error, attemptNumber, retriesLeft }) => {
      if (retriesLeft === 0 || !isRetryable(error)) return;
      const drawn = random() * Math.min(MAX_PAUSE_MS, BASE_MS * 2 ** attemptNumber);
      const requested = error instanceof CloudError ? (error.details.retryAfterMs ?? 0) : 0;
      const waitMs = Math.max(drawn, Math.min(requested, end - clock.now()));
      const code = error instanceof CloudError ? error.details.code : error.name;
      tracer.event('retry', { 'rollcall.retry.wait_ms': Math.round(waitMs), 'error.type': code });
      await clock.sleep(waitMs);
    },
  });
}
