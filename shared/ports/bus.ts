import type { LedgerEntry } from '../domain/ledger/entry.ts';

/**
 * Publishes ledger entries to subscribers.
 *
 * Promises:
 * - The bus has durably accepted every entry whose id is in `accepted`. The others may be published again, so a subscriber may
 *   receive an entry more than once and in any order; its id identifies it.
 * - Every entry is either in `accepted` or in `refused`, and no answer of the bus makes `publish` throw.
 * - An entry that is too large for the bus is replaced by a reference to it, not refused.
 */
export interface EventBus {
  publish(entries: readonly LedgerEntry[]): Promise<PublishResult>;
}

interface PublishResult {
  /** Ids of the accepted entries. */
  readonly accepted: ReadonlySet<string>;
  readonly refused: readonly Refusal[];
}

export interface Refusal {
  /** Id of the refused entry. */
  readonly id: string;
  /** The vendor's error code. */
  readonly code: string;
  /** The reason as text for people, without secrets. */
  readonly message: string;
}
