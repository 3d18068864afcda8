import type { EpochMs } from '../../domain/enrollment/model.ts';
import { CloudError } from '../../ports/cloud.ts';
import type { Clock } from '../../ports/system.ts';
import type { Retrying } from './retry.ts';

/** So many calls in a row without an answer, over so long: no hiccup any more. */
const MANY = 10;
const LONG_MS = 30_000;

/** AWS has not answered since, and the last of what came instead. */
export interface OutOfReach {
  readonly since: EpochMs;
  readonly message: string;
}

/**
 * Notices that AWS has gone out of reach in the middle of a run. A single call cannot tell: it is repeated, and its account is come back to; but when
 * nothing answers any more, coming back to thousands of accounts one by one only takes time.
 */
export class OutageDetector {
  readonly #clock: Clock;
  readonly #gone = new AbortController();
  #unanswered = 0;
  #lost: OutOfReach | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Aborts when nothing has answered for long. */
  get gone(): AbortSignal {
    return this.#gone.signal;
  }

  /** `null` if the last call was answered, whatever the answer. */
  get lost(): OutOfReach | null {
    return this.#lost;
  }

  /** Sees every attempt that `retrying` makes. */
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
    this.#lost = null;
  }

  #failed(message: string): void {
    this.#unanswered += 1;
    this.#lost = { since: this.#lost?.since ?? this.#clock.now(), message };
    if (this.#unanswered >= MANY && this.#clock.now() - this.#lost.since >= LONG_MS) this.#gone.abort();
  }
}

/** Nobody of AWS has said anything: every answer of AWS's carries a request id. */
function isUnanswered(error: unknown): error is CloudError {
  return error instanceof CloudError && error.kind === 'Transient' && error.details.requestId === null;
}
