import type { Ledger } from '../ports/ledger.ts';
import type { Clock } from '../ports/system.ts';
import { type AsOf, auditAsOf } from './audit-as-of.ts';

/** Answers that are kept; each has every account. */
const MOST = 4;
/** An entry that a slow clock dates back is not the newest by time, and pruning writes none: after so long an answer is made again. */
const LONGEST_MS = 60_000;

interface Kept {
  readonly madeAt: number;
  readonly asOf: Promise<AsOf>;
}

/** How all accounts stood at a time, kept by that time and by the ledger's newest entry: turning pages does not read every account again. */
export class AsOfCache {
  readonly #clock: Clock;
  /** In order of use. */
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
    // An answer that failed is not kept; whoever waits for it gets the error.
    kept.asOf.catch(() => {
      if (this.#kept.get(key) === kept) this.#kept.delete(key);
    });
    return kept;
  }
}
