import type { ServedOperation, Service } from './services.ts';
import { TokenBucket } from './throttle.ts';
import type { ServiceName } from './types.ts';

export type CallCount = {
  service: ServiceName;
  operation: string;
  /** The calling account. */
  accountId: string;
  count: number;
  throttled: number;
  /** Calls with another error, or without a response. */
  failed: number;
};

/** Counts of one account's calls of one operation, and their token bucket. */
export type Tally = { count: number; throttled: number; failed: number; bucket: TokenBucket | null };

export class Tallies {
  readonly #rate: number | undefined;
  readonly #tallies = new Map<ServedOperation, Map<string, Tally>>();

  /** `rate` as in TokenBucket; undefined for no throttling. */
  constructor(rate: number | undefined) {
    this.#rate = rate;
  }

  of(served: ServedOperation, accountId: string, now: number): Tally {
    let perAccount = this.#tallies.get(served);
    if (perAccount === undefined) {
      perAccount = new Map();
      this.#tallies.set(served, perAccount);
    }
    let tally = perAccount.get(accountId);
    if (tally === undefined) {
      const bucket = this.#rate === undefined ? null : new TokenBucket(this.#rate, now);
      tally = { count: 0, throttled: 0, failed: 0, bucket };
      perAccount.set(accountId, tally);
    }
    return tally;
  }

  counts(services: ReadonlyMap<ServiceName, Service>): CallCount[] {
    const counts: CallCount[] = [];
    for (const [service, { operations }] of services)
      for (const [operation, served] of operations)
        for (const [accountId, { count, throttled, failed }] of this.#tallies.get(served) ?? [])
          counts.push({ service, operation, accountId, count, throttled, failed });
    return counts;
  }
}
