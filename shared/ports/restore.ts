import type { AccountRecord } from '../domain/account/record.ts';
import type { EnrollmentId } from '../domain/enrollment/kinds/index.ts';
import type { AccountId, EpochMs } from '../domain/enrollment/model.ts';
import type { ChainHead, EntryDraft, LedgerEntry } from '../domain/ledger/entry.ts';

/** The content of a store, as a restore reads it. Synchronous, because the store is locked from this read to its replacement. */
export interface StoredContent {
  /** The organization of the last snapshot; `null`: there is no snapshot. */
  readonly organizationId: () => string | null;
  /** The parsed content of every register, by name. */
  readonly registers: () => ReadonlyMap<string, unknown>;
  readonly head: (chain: string) => ChainHead;
  /** For each account changed at or after `since`, by `storedKey`: the times of its last change and its last opt-out. */
  readonly changedSince: (since: EpochMs) => ReadonlyMap<string, LastChange>;
  /** Each account as the fold of its chain, even if its stored record lags behind. */
  readonly records: () => Iterable<AccountRecord>;
  readonly record: (accountId: AccountId) => AccountRecord | null;
  /** The entry with that id in the account's chain; `null`: never written, or pruned. */
  readonly intent: (accountId: AccountId, entryId: string) => LedgerEntry | null;
  /** The outcome of the intent with that id; `null`: not written yet, or pruned. */
  readonly outcome: (accountId: AccountId, intentId: string) => LedgerEntry | null;
  /** The last `FlapDetected` of the enrollment; `null`: never written, or pruned. */
  readonly contest: (accountId: AccountId, enrollment: EnrollmentId) => LedgerEntry | null;
}

export interface LastChange {
  readonly at: EpochMs;
  readonly optOutAt: EpochMs | null;
}

/** Entries of the replaced store that the backup lacks. */
export interface LostEntries {
  readonly entries: number;
  /** When the first and the last of these entries were written, epoch ms; `null`: there are none. */
  readonly from: EpochMs | null;
  readonly to: EpochMs | null;
  /** The runs whose start is among these entries, latest first, at most {@link MAX_LOST_RUNS}; `runs` counts all of them. */
  readonly runIds: readonly string[];
  readonly runs: number;
}

export const MAX_LOST_RUNS = 20;

/** The store that a backup replaces. */
export type Replaced =
  | { readonly kind: 'store'; readonly content: StoredContent; readonly lost: LostEntries }
  /** The file is damaged or was changed; `content` is the part that can still be read, if any. */
  | { readonly kind: 'damaged'; readonly content: StoredContent | null }
  | { readonly kind: 'absent' };

/** The parts of a restored store that differ from the backup. */
export interface Reconciled<Report> {
  /** All registers of the restored store. */
  readonly registers: ReadonlyMap<string, unknown>;
  /** Appended to the backup's chains, in this order. */
  readonly drafts: readonly EntryDraft[];
  /** Shown to the operator. */
  readonly report: Report;
}

/**
 * Decides the content of the restored store.
 * @throws OtherOrganizationError if the two stores belong to different organizations; nothing is replaced
 */
export type Reconcile<Report> = (backup: StoredContent, replaced: Replaced) => Reconciled<Report>;
