import type { Clock } from '../../../shared/ports/system.ts';
import { ApiProblem } from '../problem.ts';

export interface Rate {
  /** Requests a second, on average. */
  readonly perSecond: number;
  /** Requests in a burst. */
  readonly burst: number;
}

interface Bucket {
  readonly tokens: number;
  readonly at: number;
}

/** Maximum number of clients in memory. The one that has been inactive longest is dropped first. */
const MOST_CLIENTS = 10_000;

/** Limits the requests of each client with a token bucket. */
export class RateLimit {
  readonly #clock: Clock;
  readonly #rate: Rate;
  readonly #buckets = new Map<string, Bucket>();

  constructor(clock: Clock, rate: Rate) {
    this.#clock = clock;
    this.#rate = rate;
  }

  /** @throws ApiProblem 429 with `Retry-After` */
  take(client: string): void {
    const { perSecond, burst } = this.#rate;
    const now = this.#clock.now();
    const known = this.#buckets.get(client) ?? { tokens: burst, at: now };
    const tokens = Math.min(burst, known.tokens + (Math.max(0, now - known.at) / 1_000) * perSecond);
    this.#buckets.delete(client);
    this.#buckets.set(client, { tokens: tokens < 1 ? tokens : tokens - 1, at: now });
    const [oldest] = this.#buckets.size > MOST_CLIENTS ? this.#buckets.keys() : [];
    if (oldest !== undefined) this.#buckets.delete(oldest);
    if (tokens >= 1) return;
    const seconds = Math.ceil((1 - tokens) / perSecond);
    throw new ApiProblem(429, 'TooManyRequests', `Too many requests; retry in ${seconds} s.`, {
      headers: { 'retry-after': String(seconds) },
    });
  }
}
