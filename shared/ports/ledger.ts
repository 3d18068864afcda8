import type { RecentChange } from '../domain/decision/changed-accounts.ts';
import type { EnrollmentId } from '../domain/enrollment/kinds/index.ts';
import type { AccountId, EpochMs } from '../domain/enrollment/model.ts';
import type { ChainHead, LedgerEntry } from '../domain/ledger/entry.ts';
import type { EntryType, StepType } from '../domain/ledger/entry-types.ts';
import type { StoredEntry } from '../domain/ledger/stored-entry.ts';

/**
 * The audit log: append-only chains of entries, which the caller seals (`sealEntry`). It is also the outbox of the event bus: each
 * entry has a mark "published", which is not part of its hash.
 *
 * Promises:
 * - `append` is durable when it returns. An entry is stored only if its chain ends at exactly (`seq` − 1, `prevHash`). Otherwise
 *   its outcome is `headMoved`, as is that of the later entries of its chain. One call may append several entries to one chain.
 * - Appending the same entry twice (same chain, seq and hash) returns `appended` both times, so a retry after a lost answer is safe.
 * - A read sees every append that returned before it, in any process. Exception: where an index lags (DynamoDB), `changedSince`,
 *   `reachedSince`, `facts`, `outline`, `unpublished`, and a `query` without `accountId` may miss entries of about the last second.
 */
export interface Ledger {
  append(entries: readonly LedgerEntry[]): Promise<readonly AppendOutcome[]>;

  /** The last entry's position and hash; `EMPTY_CHAIN` if the chain has no entry. */
  head(chain: string): Promise<ChainHead>;

  /**
   * Entries of one chain with a sequence number above `afterSeq`, ascending, at most `limit`.
   * @throws TamperedError if the attributes that the store indexes (type, time, actor, …) differ from the entry itself
   */
  read(chain: string, afterSeq: number, limit: number): Promise<readonly LedgerEntry[]>;

  /**
   * As `read`, with the text of each entry, for verification.
   * @throws TamperedError as `read`
   */
  readStored(chain: string, afterSeq: number, limit: number): Promise<readonly StoredEntry[]>;

  /** Entries that match every given filter, newest first unless `order` says otherwise. */
  query(filter: LedgerFilter, page: PageRequest): Promise<LedgerPage>;

  /**
   * The accounts with a `RemediationStarted` at or after `since` (ISO 8601) whose request may have been sent. For each account: whether it was opted out,
   * and which of its changes were approved. The change caps are computed from these accounts.
   */
  changedSince(since: string): Promise<ReadonlyMap<AccountId, RecentChange>>;

  /**
   * The greatest `seq` of each chain among the entries at or after `since` (ISO 8601; `null`: all entries). Chains without such an entry
   * are omitted. No entry is read.
   */
  reachedSince(since: string | null): Promise<ReadonlyMap<string, number>>;

  /** The indexed fields of a period's entries, in pages, newest first. No entry itself is read. */
  facts(period: LedgerPeriod): AsyncIterable<readonly EntryFacts[]>;

  /** Summarizes a run without reading its entries: their number by type, and the progress of each change. */
  outline(runId: string): Promise<RunOutline>;

  /** Entries not yet marked as published, oldest first. */
  unpublished(limit: number): Promise<readonly LedgerEntry[]>;

  /** Marks entries as published; ignores unknown and already marked entries. */
  markPublished(entries: readonly LedgerEntry[]): Promise<void>;

  /** One page of the names of all chains, ascending: those after `after`. */
  chains(after: string | null, limit: number): Promise<readonly string[]>;

  /**
   * The end of every chain as the store has noted it, in pages ordered by chain name. It may lag behind the last entry, but is never beyond it. No
   * entry is read.
   */
  ends(): AsyncIterable<readonly ChainEnd[]>;

  /**
   * Of each account's chain, the last entry of each enrollment kind and the last one about joining or leaving that were written at or before
   * `until` (ISO 8601), with the latest checkpoint, in pages ordered by account. The
   * order of the chain decides which are last, even if clocks differ by up to ten minutes.
   */
  tails(until: string): AsyncIterable<readonly AccountTail[]>;

  /**
   * Removes about `limit` entries of a chain up to `throughSeq`, oldest first. The caller must have stored the checkpoint that
   * replaces them.
   * @returns the number of removed entries; 0 if none is left
   * @throws RangeError if `throughSeq` is not before the chain's last entry, which is never removed
   */
  prune(chain: string, throughSeq: number, limit: number): Promise<number>;
}

export type LedgerPeriod = Pick<LedgerFilter, 'since' | 'until'>;

export interface EntryFacts extends Pick<LedgerEntry, 'type' | 'accountId' | 'enrollment' | 'runId' | 'actor'> {
  /** Epoch ms. */
  readonly at: EpochMs;
}

export interface RunOutline {
  readonly entries: Readonly<Partial<Record<EntryType, number>>>;
  /** One step for each (account, enrollment) for which the run has an entry in the account's chain. */
  readonly steps: readonly RunStep[];
}

export interface RunStep {
  readonly accountId: AccountId;
  readonly enrollment: EnrollmentId;
  /** The run's last step, and its sequence number in the account's chain. */
  readonly type: StepType;
  readonly seq: number;
  /** Whether the run has recorded an intent to change it. */
  readonly begun: boolean;
  /** Sequence number of the run's first `DriftResolved`; later steps are about drift that appeared afterwards. `null`: the run has recorded none. */
  readonly resolvedSeq: number | null;
}

export interface ChainEnd extends ChainHead {
  readonly chain: string;
}

export interface AccountTail {
  readonly accountId: AccountId;
  /** The last entry of each enrollment and the last entry about joining or leaving, if any, in the chain's order. */
  readonly entries: readonly LedgerEntry[];
  /** The chain's latest checkpoint, even if it was written after `until`. */
  readonly checkpoint: LedgerEntry | null;
}

export type AppendOutcome = 'appended' | 'headMoved';

export interface LedgerFilter {
  readonly accountId?: AccountId;
  readonly enrollment?: EnrollmentId;
  readonly type?: EntryType;
  readonly runId?: string;
  readonly actor?: string;
  /** Inclusive, ISO 8601. */
  readonly since?: string;
  /** Exclusive, ISO 8601. */
  readonly until?: string;
}

export interface PageRequest {
  readonly limit: number;
  /** `next` of an earlier page. It stays valid while entries are appended. An invalid cursor throws `BadCursorError`. */
  readonly cursor?: string | null;
  readonly order?: 'newestFirst' | 'oldestFirst';
}

export interface LedgerPage {
  readonly entries: readonly LedgerEntry[];
  readonly next: string | null;
}

/** Attributes that the store indexes for an entry were changed outside Rollcall. */
export class TamperedError extends Error {
  override readonly name = 'TamperedError';
  readonly chain: string;
  readonly seq: number;

  constructor(chain: string, seq: number, what: string) {
    super(`entry ${seq} is found under another ${what} than it has`);
    this.chain = chain;
    this.seq = seq;
  }
}

export class BadCursorError extends Error {
  override readonly name = 'BadCursorError';
}
