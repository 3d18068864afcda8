import pRetry from 'p-retry';
import { StoreError } from '../../ports/store-error.ts';
import type { Clock, Random } from '../../ports/system.ts';
import { toStoreError } from './store-errors.ts';

/** Full jitter: the pause before retry n is random between 0 and BASE_MS × 2^n, at most MAX_PAUSE_MS. */
const BASE_MS = 25;
const MAX_PAUSE_MS = 2_000;
const MAX_RETRIES = 10;

export interface RetryOptions {
  readonly clock: Clock;
  readonly random: Random;
}

interface RetryLimit extends RetryOptions {
  /** Maximum number of retries; default 10. Fewer for calls that a later task repeats. */
  readonly maxRetries?: number;
}

/** Retries calls to the stores. Replaces the SDK's retries, which would not use the injected clock and randomness. */
export interface StoreRetry {
  /** @param call receives the number of earlier attempts, one of which may have taken effect although its answer was lost @throws StoreError */
  run<T>(resource: string, operation: string, call: (attemptsBefore: number) => Promise<T>): Promise<T>;
  /** Waits before the `attempt`-th retry of a batch call that AWS processed only partly. */
  pause(attempt: number): Promise<void>;
  /** The maximum number of retries of a partly processed batch. */
  readonly maxRetries: number;
}

export function createStoreRetry({ clock, random, maxRetries = MAX_RETRIES }: RetryLimit): StoreRetry {
  const pause = (attempt: number, leastMs = 0): Promise<void> =>
    clock.sleep(Math.max(leastMs, random() * Math.min(MAX_PAUSE_MS, BASE_MS * 2 ** attempt)));
  return {
    maxRetries,
    pause: (attempt) => pause(attempt),
    run(resource, operation, call) {
      const attempt = async (number: number) => {
        try {
          return await call(number - 1);
        } catch (error) {
          throw toStoreError(error, resource, operation);
        }
      };
      return pRetry(attempt, {
        retries: maxRetries,
        // No pauses by p-retry, which has no full jitter: `onFailedAttempt` pauses instead.
        minTimeout: 0,
        maxTimeout: 0,
        shouldRetry: ({ error }) => error instanceof StoreError && error.retryable,
        onFailedAttempt: async ({ error, attemptNumber, retriesLeft }) => {
          if (retriesLeft === 0 || !(error instanceof StoreError) || !error.retryable) return;
          await pause(attemptNumber, Math.min(MAX_PAUSE_MS, error.details.retryAfterMs ?? 0));
        },
      });
    },
  };
}
