import type { EnrollmentId } from '../domain/enrollment/kinds/index.ts';
import type { AccountId } from '../domain/enrollment/model.ts';
import type { ChainHead, EntryType, LedgerEntry, StepType } from '../domain/ledger/entry.ts';

/**
 * The append-only record of everything that was found, decided and done. Entries come sealed (see `sealEntry`); the store
 * keeps them in chains and never changes one. It is audit trail and outbox in one: the mark "published" is outside the hash.
 *
 * Promises:
 * - `append` is durable when it returns. An entry is stored only if its chain ends at exactly (`seq` − 1, `prevHash`);
 *   otherwise nothing of it is stored and its outcome is `headMoved`. Entries of one call are judged one by one, in order,
 *   so several entries of one chain may come in one call; a refused entry refuses those of its chain behind it.
 * - The same entry appended twice (same chain, seq and hash) is `appended` both times: a retry after a lost answer is safe.
 * - Reads see every append that returned before them, in this and in any other process. Where an adapter has to find entries
 *   through an index that follows a moment behind (DynamoDB), `query` without `accountId`, `changedSince`, `reachedSince`, `outline` and
 *   `unpublished` may miss what was appended in the last second or so. Nothing is lost by it: who asks again sees it, and none shows what is no longer so.
 */
export interface Ledger {
  append(entries: readonly LedgerEntry[]): Promise<readonly AppendOutcome[]>;

  /** The end of a chain; `EMPTY_CHAIN` if it has no entry. */
  head(chain: string): Promise<ChainHead>;

  /**
   * Entries of one chain with a sequence number above `afterSeq`, ascending, at most `limit`.
   * @throws TamperedError if what an entry is found by (its type, time, actor, …) no longer says what the entry says: the entry's own hash
   * does not cover that, and questions and caps are answered from it.
   */
  read(chain: string, afterSeq: number, limit: number): Promise<readonly LedgerEntry[]>;

  /** Entries that match every given filter, newest first unless `order` says otherwise. */
  query(filter: LedgerFilter, page: PageRequest): Promise<LedgerPage>;

  /**
   * The accounts with a `RemediationStarted` at or after `since` (ISO 8601), each once, with whether any of those was an
   * opt-out: what the rolling caps count. An intent whose outcome is `unsent` does not count; one without an outcome does.
   */
  changedSince(since: string): Promise<ReadonlyMap<AccountId, { readonly optOut: boolean }>>;

  /**
   * How far each chain has come that has an entry at or after `since` (ISO 8601; `null`: every chain): the greatest `seq` among those
   * entries, by chain. No entry is read for it.
   */
  reachedSince(since: string | null): Promise<ReadonlyMap<string, number>>;

  /**
   * Summarizes a run: its entries counted by type, and the progress of each change. Exact at any size, without reading any entry. The ledger itself
   * is counted, so there is no separate counter that a crash, a retry or a second worker could make wrong.
   */
  outline(runId: string): Promise<RunOutline>;

  /** Ids and entries not yet marked as published, oldest first. */
  unpublished(limit: number): Promise<readonly LedgerEntry[]>;

  /** Marks entries as published; unknown or already marked ones are left alone. */
  markPublished(entries: readonly LedgerEntry[]): Promise<void>;

  /** The names of all chains, ascending, a page at a time: the next ones after `after`. */
  chains(after: string | null, limit: number): Promise<readonly string[]>;

  /** How far every chain is known to have come, in order of name, in pages; never further than its entries go. No entry is read for it. */
  ends(): AsyncIterable<readonly ChainEnd[]>;

  /**
   * Of every account's chain what decides its state at `until` (ISO 8601, inclusive), in order of account, in pages: an entry counts if it was
   * written at or before then, and among those the chain's order decides, also where clocks differ by up to ten minutes.
   */
  tails(until: string): AsyncIterable<readonly AccountTail[]>;

  /**
   * Removes entries of a chain up to `throughSeq`, the oldest first, about `limit` of them; those that are gone already are no error. The caller has
   * stored the checkpoint that stands for them. The chain's end and its last entry stay as they are.
   * @returns how many were removed; 0 if none is left.
   * @throws RangeError if `throughSeq` is the end of the chain or beyond: a chain never loses its last entry.
   */
  prune(chain: string, throughSeq: number, limit: number): Promise<number>;
}

export interface RunOutline {
  readonly entries: Readonly<Partial<Record<EntryType, number>>>;
  /** One step for each (account, enrollment) about which the run has recorded any in the account's own chain. */
  readonly steps: readonly RunStep[];
}

export interface RunStep {
  readonly accountId: AccountId;
  readonly enrollment: EnrollmentId;
  /** The last step of the run, and its number in the account's chain. */
  readonly type: StepType;
  readonly seq: number;
  /** The run has recorded an intent to change it. */
  readonly begun: boolean;
}

export interface ChainEnd extends ChainHead {
  readonly chain: string;
}

export interface AccountTail {
  readonly accountId: AccountId;
  /** The last entry of each enrollment and the last of joining or leaving, as far as there are any, in the chain's order. */
  readonly entries: readonly LedgerEntry[];
  /** The chain's latest checkpoint, whenever it was written. */
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
  /** From an earlier page's `next`; stable under appends. Throws `BadCursorError` if it is invalid. */
  readonly cursor?: string | null;
  readonly order?: 'newestFirst' | 'oldestFirst';
}

export interface LedgerPage {
  readonly entries: readonly LedgerEntry[];
  readonly next: string | null;
}

/** What the store finds an entry by was changed behind its back. */
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
