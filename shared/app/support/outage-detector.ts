import type { EpochMs } from '../../domain/enrollment/model.ts';
import { CloudError } from '../../ports/cloud.ts';
import type { Clock } from '../../ports/system.ts';
import type { Retrying } from './retry.ts';

/** This many consecutive unanswered calls, over this long, is an outage rather than a blip. */
const MIN_UNANSWERED = 10;
const MIN_DURATION_MS = 30_000;

/** An outage: AWS has not answered since `since`; `message` is the last error. */
export interface Outage {
  readonly since: EpochMs;
  readonly message: string;
}

/**
 * Detects during a run that AWS is no longer reachable. A single unanswered call is retried and its account requeued, but during an outage
 * retrying thousands of accounts would only waste time.
 */
export class OutageDetector {
  readonly #clock: Clock;
  readonly #detected = new AbortController();
  #unanswered = 0;
  #outage: Outage | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Aborts when an outage is detected. */
  get detected(): AbortSignal {
    return this.#detected.signal;
  }

  /** The current series of unanswered calls; `null` if the last call was answered. */
  get outage(): Outage | null {
    return this.#outage;
  }

  /** Observes every attempt that `retrying` makes. */
  watching(retrying: Retrying): Retrying {
    return (call) =>
      retrying(async () => {
        try {
          const answer = await call();
          this.#answered();
          return answer;
        } catch (error) {
          if (isUnanswered(error)) this.#failed(error.message);
          else if (error instanceof CloudError && error.details.requestId !== null) this.#answered();
          throw error;
        }
      });
  }

  #answered(): void {
    this.#unanswered = 0;
    this.#outage = null;
  }

  #failed(message: string): void {
    this.#unanswered += 1;
    const since = this.#outage?.since ?? this.#clock.now();
    this.#outage = { since, message };
    if (this.#unanswered >= MIN_UNANSWERED && this.#clock.now() - since >= MIN_DURATION_MS) this.#detected.abort();
  }
}

/** Every AWS response has a request id, so an error without one is not a response. */
function isUnanswered(error: unknown): error is CloudError {
  return error instanceof CloudError && error.kind === 'Transient' && error.details.requestId === null;
}
