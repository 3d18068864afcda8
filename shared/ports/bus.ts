import type { LedgerEntry } from '../domain/ledger/entry.ts';

/**
 * Where ledger entries are announced to whoever listens.
 *
 * Promises:
 * - An entry whose id is in `accepted` was taken over durably; any other was not, as far as is known, and may be published again: a
 *   listener may get an entry twice, in any order, and tells by its id.
 * - One entry that is not taken never keeps the others back, and nothing that the bus does or answers makes `publish` throw: what it
 *   refused is told in `refused`. Every entry is in exactly one of the two.
 * - An entry that is too large for the bus is announced by a reference to it (see the adapter), not refused.
 */
export interface EventBus {
  publish(entries: readonly LedgerEntry[]): Promise<PublishResult>;
}

interface PublishResult {
  /** Ids of entries. */
  readonly accepted: ReadonlySet<string>;
  readonly refused: readonly Refusal[];
}

export interface Refusal {
  /** Id of the entry. */
  readonly id: string;
  /** The vendor's error code. */
  readonly code: string;
  /** For people; never secrets. */
  readonly message: string;
}
