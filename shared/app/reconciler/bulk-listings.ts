import { byKind, type EnrollmentId, kindOf } from '../../domain/enrollment/kinds/index.ts';
import type { EpochMs } from '../../domain/enrollment/model.ts';
import { MAX_CLOCK_ERROR_MS } from '../../domain/rate-limit/clock-difference.ts';
import { CloudError } from '../../ports/cloud.ts';
import type { Deps, Settings } from '../context.ts';
import type { Retrying } from '../support/retry.ts';
import type { Listing } from '../survey/paged-listing.ts';
import { ListingCache } from './listing-cache.ts';

/*
 * While many keys wait, one listing of the organization costs fewer calls than reading their accounts one by one.
 *
 *   one account: AssumeRole, read, change, read          many: listing … AssumeRole, change … listing
 *
 * A listing serves a key only if it began after everything that the key may report: after its message was sent, and after the last entry about
 * the account. So an event or a change of Rollcall's own is never judged by an older state.
 */

/**
 * Maximum age of a listing that replaces a read, ms. An opt-in that somebody has made in the meantime is repeated without effect; opt-outs are never
 * based on a listing.
 */
const REUSE_MS = 5 * 60_000;
/** Two machines' clocks may differ by this much, ms: each is within the limit of the store's clock. */
const CLOCKS_MS = 2 * MAX_CLOCK_ERROR_MS;
/** For how long reads that a listing could have served count, and a listing that failed is not tried again, ms. */
const MINUTE_MS = 60_000;
/** How long the number of accounts of the organization is believed, ms. */
const COUNT_MS = 10 * 60_000;

/** One read that a listing may replace. */
export interface ReplaceableRead {
  /** A listing must have begun after this time, epoch ms, by the clock of any machine. */
  readonly since: EpochMs;
  /** Whether the result of a change is looked for. Changes of one run are confirmed together. */
  readonly confirms: boolean;
}

type BulkDeps = Pick<Deps, 'cloud' | 'clock' | 'queue' | 'snapshots' | 'logger'>;

/** The listings of all kinds, shared by the workers of a process. */
export class BulkListings {
  readonly #deps: BulkDeps;
  readonly #settings: Settings;
  readonly #caches: Readonly<Record<EnrollmentId, ListingCache>>;
  /** When the last reads were made that a newer listing could have served; at most as many as the listing has pages. */
  readonly #reads: Record<EnrollmentId, EpochMs[]> = byKind(() => []);
  readonly #failedAt: Record<EnrollmentId, EpochMs> = byKind(() => Number.NEGATIVE_INFINITY);
  #accounts = { count: 0, at: Number.NEGATIVE_INFINITY };

  constructor(deps: BulkDeps, retrying: Retrying, settings: Settings) {
    this.#deps = deps;
    this.#settings = settings;
    this.#caches = byKind((id) => new ListingCache(id, deps.cloud, retrying, deps.clock, settings.maxAccounts));
  }

  of(kind: EnrollmentId): ListingCache {
    return this.#caches[kind];
  }

  /** A listing that replaces the read of one account; `null`: reading the account costs fewer calls, or the listing cannot be read. */
  async instead(kind: EnrollmentId, { since, confirms }: ReplaceableRead): Promise<Listing | null> {
    const { clock } = this.#deps;
    const cache = this.#caches[kind];
    const after = since + CLOCKS_MS;
    const isFresh = (): boolean => clock.now() - cache.startedAt <= REUSE_MS;
    if (!(isFresh() && cache.startedAt > after)) {
      const pages = await this.#pagesIfManyWait(kind);
      if (pages === null) return null;
      // The key is newer than a listing that still serves others. One such key, for example of an event, does not justify another listing.
      if (isFresh() && cache.startedAt <= after && !confirms && !this.#isOften(kind, pages)) return null;
      await this.#until(after);
    }
    try {
      return await cache.begunAfter(Math.max(after, clock.now() - REUSE_MS));
    } catch (error) {
      if (!(error instanceof CloudError) || error.kind === 'Unauthenticated') throw error;
      this.#failedAt[kind] = clock.now();
      const { code } = error.details;
      const message = `the ${kindOf(kind).title} listing could not be read, so accounts are read one by one`;
      this.#deps.logger.warn(message, { code, message: error.message });
      return null;
    }
  }

  /** The number of pages of the listing, if the queue holds at least as many keys, and enough for a listing to pay; otherwise `null`. */
  async #pagesIfManyWait(kind: EnrollmentId): Promise<number | null> {
    if (this.#deps.clock.now() - this.#failedAt[kind] < MINUTE_MS) return null;
    const waiting = await this.#deps.queue.pending();
    if (waiting < this.#settings.listingFrom) return null;
    const pages = Math.ceil((await this.#accountCount()) / kindOf(kind).listPageSize);
    return waiting < pages ? null : pages;
  }

  async #accountCount(): Promise<number> {
    const now = this.#deps.clock.now();
    if (now - this.#accounts.at > COUNT_MS) {
      const snapshot = await this.#deps.snapshots.load();
      this.#accounts = { count: snapshot?.accounts.length ?? Number.POSITIVE_INFINITY, at: now };
    }
    return this.#accounts.count;
  }

  /** Counts one more read, and whether there were as many within a minute as the listing has pages. */
  #isOften(kind: EnrollmentId, pages: number): boolean {
    const now = this.#deps.clock.now();
    const reads = [...this.#reads[kind], now].slice(-pages);
    const isOften = reads.length >= pages && now - (reads[0] ?? now) <= MINUTE_MS;
    this.#reads[kind] = isOften ? [] : reads;
    return isOften;
  }

  async #until(time: EpochMs): Promise<void> {
    const { clock } = this.#deps;
    for (let wait = time + 1 - clock.now(); wait > 0; wait = time + 1 - clock.now()) await clock.sleep(wait);
  }
}
