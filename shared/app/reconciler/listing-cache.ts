import type { EnrollmentId } from '../../domain/enrollment/kinds/index.ts';
import type { EpochMs } from '../../domain/enrollment/model.ts';
import type { Cloud } from '../../ports/cloud.ts';
import type { Clock } from '../../ports/system.ts';
import type { Retrying } from '../support/retry.ts';
import { type Listing, readListing } from '../survey/paged-listing.ts';

/** Maximum age of a listing that replaces reads of the accounts of a batch, ms. */
const LISTING_MAX_AGE_MS = 60_000;

/** The last listing of one kind, for all workers of a process. */
export class ListingCache {
  readonly #kind: EnrollmentId;
  readonly #cloud: Cloud;
  readonly #retrying: Retrying;
  readonly #clock: Clock;
  readonly #maxAccounts: number | undefined;
  #startedAt = Number.NEGATIVE_INFINITY;
  #listing: Promise<Listing> | null = null;

  constructor(kind: EnrollmentId, cloud: Cloud, retrying: Retrying, clock: Clock, maxAccounts?: number) {
    this.#kind = kind;
    this.#cloud = cloud;
    this.#retrying = retrying;
    this.#clock = clock;
    this.#maxAccounts = maxAccounts;
  }

  /** When the cached listing was started, epoch ms; −Infinity without one, or if the clock has been set back since: its age is then unknown. */
  get startedAt(): EpochMs {
    return this.#startedAt > this.#clock.now() ? Number.NEGATIVE_INFINITY : this.#startedAt;
  }

  /** A listing started after `since`, epoch ms: the cached one or a new one. One started in the same millisecond may be older and does not count. */
  async begunAfter(since: EpochMs): Promise<Listing> {
    if (this.#listing === null || this.startedAt <= since) {
      this.#startedAt = this.#clock.now();
      this.#listing = readListing(
        (token) => this.#cloud.list(this.#kind, token),
        this.#retrying,
        () => undefined,
        this.#maxAccounts,
      );
      // A failed listing fails its callers; the next caller starts a new one.
      this.#listing.catch(() => {
        this.#startedAt = Number.NEGATIVE_INFINITY;
      });
    }
    return this.#listing;
  }

  /** A listing at most {@link LISTING_MAX_AGE_MS} old and begun after `since`. */
  recent(since: EpochMs): Promise<Listing> {
    return this.begunAfter(Math.max(since, this.#clock.now() - LISTING_MAX_AGE_MS));
  }
}
