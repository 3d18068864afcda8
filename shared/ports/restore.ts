import type { ChainHead, EntryDraft, LedgerEntry } from '../domain/ledger.ts';
import type { AccountRecord } from '../domain/record.ts';
import type { AccountId, Enrollment, EpochMs } from '../domain/types.ts';

/**
 * What a store held at one moment, as a restore reads it. Synchronous: the store is locked meanwhile, so that nothing that operators or
 * workers write can fall between the reading and the replacing.
 */
export interface StoredContent {
  /** The organization that the last snapshot is of; `null`: there is none. */
  readonly organizationId: () => string | null;
  /** The parsed content of every register, by name. */
  readonly registers: () => ReadonlyMap<string, unknown>;
  readonly head: (chain: string) => ChainHead;
  /** When each account was last changed since then, and last opted out. */
  readonly changedSince: (since: EpochMs) => ReadonlyMap<AccountId, LastChange>;
  /** Each account as its chain says, whether or not its stored record has caught up. */
  readonly records: () => Iterable<AccountRecord>;
  readonly record: (accountId: AccountId) => AccountRecord | null;
  /** The entry of that id in the account's chain; `null`: there is none (any more). */
  readonly intent: (accountId: AccountId, entryId: string) => LedgerEntry | null;
  /** The last `FlapDetected` of the enrollment; `null`: there is none (any more). */
  readonly contest: (accountId: AccountId, enrollment: Enrollment) => LedgerEntry | null;
}

export interface LastChange {
  readonly at: EpochMs;
  readonly optOutAt: EpochMs | null;
}

/** Entries of the replaced store that the backup lacks. */
export interface LostEntries {
  readonly entries: number;
  /** When the first and the last of them were written, epoch ms; `null`: there are none. */
  readonly from: EpochMs | null;
  readonly to: EpochMs | null;
  /** The runs that began in them, the latest first, at most {@link MAX_LOST_RUNS}. */
  readonly runIds: readonly string[];
  readonly runs: number;
}

export const MAX_LOST_RUNS = 20;

/** The store that a backup takes the place of. */
export type Replaced =
  | { readonly kind: 'store'; readonly content: StoredContent; readonly lost: LostEntries }
  /** There is a file that cannot be relied upon; what could still be read of it, if anything. */
  | { readonly kind: 'damaged'; readonly content: StoredContent | null }
  | { readonly kind: 'absent' };

/** What a restored store has instead of what the backup has. */
export interface Reconciled<Report> {
  /** All registers. */
  readonly registers: ReadonlyMap<string, unknown>;
  /** Appended to the backup's chains, in this order. */
  readonly drafts: readonly EntryDraft[];
  /** For whoever asked for the restore. */
  readonly report: Report;
}

/**
 * Decides what of the replaced store stays in force. Pure; reads everything that it needs before it returns.
 * @throws OtherOrganizationError if the two stores are of different organizations: nothing is replaced.
 */
export type Reconcile<Report> = (backup: StoredContent, replaced: Replaced) => Reconciled<Report>;
