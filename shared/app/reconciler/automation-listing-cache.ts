import type { EpochMs } from '../../domain/enrollment/model.ts';
import type { Cloud } from '../../ports/cloud.ts';
import type { Clock } from '../../ports/system.ts';
import type { Retrying } from '../support/retry.ts';
import { type Listing, readListing } from '../survey/paged-listing.ts';

/** A batch re-reads its accounts through one listing at most this old (design, "Worker"). */
const LISTING_MAX_AGE_MS = 60_000;

/**
 * One Automation listing shared by all batches of a process: at 1000 accounts a page it costs less than reading the members of a
 * few batches one by one.
 */
export class AutomationListing {
  readonly #cloud: Cloud;
  readonly #retrying: Retrying;
  readonly #clock: Clock;
  readonly #maxAccounts: number | undefined;
  #startedAt = Number.NEGATIVE_INFINITY;
  #listing: Promise<Listing> | null = null;

  constructor(cloud: Cloud, retrying: Retrying, clock: Clock, maxAccounts?: number) {
    this.#cloud = cloud;
    this.#retrying = retrying;
    this.#clock = clock;
    this.#maxAccounts = maxAccounts;
  }

  /** A listing begun after `since`, epoch ms; the present one if it will do. One begun in that very millisecond may have been earlier. */
  async begunAfter(since: EpochMs): Promise<Listing> {
    if (this.#listing === null || this.#startedAt <= since) {
      this.#startedAt = this.#clock.now();
      this.#listing = readListing(
        (token) => this.#cloud.list('automation', token),
        this.#retrying,
        () => undefined,
        this.#maxAccounts,
      );
      // A failed listing is for those who asked for it; whoever asks next has it read again.
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
