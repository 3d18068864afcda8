import type { Ledger } from '../../../ports/ledger.ts';
import type { Clock } from '../../../ports/system.ts';
import { type AsOf, auditAsOf } from './as-of.ts';

/** Maximum number of cached results. Each one contains every account. */
const MOST = 4;
/** How long a result is cached, ms. Some changes do not show in the newest entry: an entry from a slow clock sorts before it. */
const LONGEST_MS = 60_000;

interface Kept {
  readonly madeAt: number;
  readonly asOf: Promise<AsOf>;
}

/** Caches the state of all accounts at a requested time until the audit log has a newer entry. */
export class AsOfCache {
  readonly #clock: Clock;
  /** Least recently used first. */
  readonly #kept = new Map<string, Kept>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** @param at ISO 8601 */
  async get(ledger: Ledger, at: string): Promise<AsOf> {
    const [newest] = (await ledger.query({}, { limit: 1 })).entries;
    const key = `${at} ${newest?.hash ?? ''}`;
    const now = this.#clock.now();
    const known = this.#kept.get(key);
    this.#kept.delete(key);
    const kept = known !== undefined && now - known.madeAt < LONGEST_MS ? known : this.#make(ledger, at, key, now);
    this.#kept.set(key, kept);
    const [oldest] = this.#kept.size > MOST ? this.#kept.keys() : [];
    if (oldest !== undefined) this.#kept.delete(oldest);
    return kept.asOf;
  }

  #make(ledger: Ledger, at: string, key: string, madeAt: number): Kept {
    const kept: Kept = { madeAt, asOf: auditAsOf(ledger, at) };
    // A failed computation is not cached; the callers that wait for it get the error.
    kept.asOf.catch(() => {
      if (this.#kept.get(key) === kept) this.#kept.delete(key);
    });
    return kept;
  }
}
