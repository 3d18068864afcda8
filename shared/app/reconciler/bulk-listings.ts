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
 * A listing serves a key only if it began after everything that the key may report: after its message was sent, and after the last entry about the
 * account. So no change, whether by Rollcall or by others, is judged by an older state. The accounts of urgent keys, such as those of events, are
 * always read.
 */

/**
 * Maximum age of a listing that replaces a read, ms. If somebody else has enabled the enrollment in the meantime, the opt-in has no effect; opt-outs
 * are never based on a listing.
 */
const REUSE_MS = 5 * 60_000;
/** Two machines' clocks may differ by this much, ms: each is within the limit of the store's clock. */
export const CLOCKS_MS = 2 * MAX_CLOCK_ERROR_MS;
/** Pause before a failed listing is tried again, ms. */
const FAILURE_PAUSE_MS = 60_000;
/** How long the number of accounts in the organization is reused, ms. */
const COUNT_MS = 10 * 60_000;

type BulkDeps = Pick<Deps, 'cloud' | 'clock' | 'queue' | 'snapshots' | 'logger'>;

/** The listings of all kinds, shared by the workers of a process. */
export class BulkListings {
  readonly #deps: BulkDeps;
  readonly #settings: Settings;
  readonly #caches: Readonly<Record<EnrollmentId, ListingCache>>;
  readonly #failedAt: Record<EnrollmentId, EpochMs> = byKind(() => Number.NEGATIVE_INFINITY);
  /** How many keys the last listing of each kind has served. */
  readonly #served: Record<EnrollmentId, { readonly startedAt: EpochMs; readonly keys: number }> = byKind(() => ({
    startedAt: Number.NEGATIVE_INFINITY,
    keys: 0,
  }));
  #accounts = { count: Promise.resolve(0), at: Number.NEGATIVE_INFINITY };

  constructor(deps: BulkDeps, retrying: Retrying, settings: Settings) {
    this.#deps = deps;
    this.#settings = settings;
    this.#caches = byKind((id) => new ListingCache(id, deps.cloud, retrying, deps.clock, settings.maxAccounts));
  }

  of(kind: EnrollmentId): ListingCache {
    return this.#caches[kind];
  }

  /**
   * A listing that replaces the read of one account; `null`: reading the account costs fewer calls, or the listing cannot be read.
   * @param since a listing must have begun after this time, epoch ms, by the clock of any machine
   */
  async instead(kind: EnrollmentId, since: EpochMs): Promise<Listing | null> {
    const { clock, logger } = this.#deps;
    const after = Math.max(since + CLOCKS_MS, clock.now() - REUSE_MS);
    const cache = this.#caches[kind];
    if (cache.startedAt <= after) {
      if (!(await this.#pays(kind))) return null;
      // Later than everything that is on the queue now, so that the listing serves all of it.
      await this.#until(Math.max(after, clock.now() + CLOCKS_MS));
    }
    try {
      const listing = cache.begunAfter(after);
      this.#countKey(kind);
      return await listing;
    } catch (error) {
      if (!(error instanceof CloudError) || error.kind === 'Unauthenticated') throw error;
      this.#failedAt[kind] = clock.now();
      const { code } = error.details;
      const message = `the ${kindOf(kind).title} listing could not be read, so accounts are read one by one`;
      logger.warn(message, { code, message: error.message });
      return null;
    }
  }

  /** Whether the queue holds at least as many keys as the listing has pages, and enough that immediate confirmations do not matter. */
  async #pays(kind: EnrollmentId): Promise<boolean> {
    if (this.#deps.clock.now() - this.#failedAt[kind] < FAILURE_PAUSE_MS) return false;
    const waiting = await this.#deps.queue.pending();
    if (waiting < this.#settings.listingFrom) return false;
    const pages = Math.ceil((await this.#accountCount()) / kindOf(kind).listPageSize);
    return waiting >= pages && !this.#servedFew(kind, pages);
  }

  /**
   * Whether a recent listing has served fewer keys than it has pages. Keys that arrive one by one, each newer than the last listing, would otherwise lead to
   * a listing each.
   */
  #servedFew(kind: EnrollmentId, pages: number): boolean {
    const { startedAt, keys } = this.#served[kind];
    return startedAt > this.#deps.clock.now() - REUSE_MS && keys < pages;
  }

  #countKey(kind: EnrollmentId): void {
    const { startedAt } = this.#caches[kind];
    const last = this.#served[kind];
    this.#served[kind] = { startedAt, keys: last.startedAt === startedAt ? last.keys + 1 : 1 };
  }

  /** The number of accounts in the snapshot. The snapshot is large, so it is loaded once for all workers. */
  #accountCount(): Promise<number> {
    const now = this.#deps.clock.now();
    if (now - this.#accounts.at > COUNT_MS) {
      const count = this.#deps.snapshots.load().then((found) => found?.accounts.length ?? Number.POSITIVE_INFINITY);
      this.#accounts = { count, at: now };
      count.catch(() => {
        this.#accounts = { ...this.#accounts, at: Number.NEGATIVE_INFINITY };
      });
    }
    return this.#accounts.count;
  }

  async #until(time: EpochMs): Promise<void> {
    const { clock } = this.#deps;
    for (let wait = time + 1 - clock.now(); wait > 0; wait = time + 1 - clock.now()) await clock.sleep(wait);
  }
}
