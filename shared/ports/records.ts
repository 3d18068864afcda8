import type { AccountRecord } from '../domain/account/record.ts';
import type { AccountId } from '../domain/enrollment/model.ts';

/**
 * The current condition of every account: the result of replaying the entries of its chain. Records can be rebuilt from the audit
 * log and may lag behind it.
 *
 * Promises:
 * - `advance` stores a record only over one with a smaller `head.seq`, and ignores the others. Durable when it returns.
 * - A read sees every `advance` that returned before it. Where its index lags (DynamoDB), `due` may miss changes of about the last second;
 *   a later call returns them.
 */
export interface Records {
  get(accountId: AccountId): Promise<AccountRecord | null>;
  getMany(accountIds: readonly AccountId[]): Promise<ReadonlyMap<AccountId, AccountRecord>>;
  /** Every record, in pages ordered by account id, so that memory stays bounded. */
  all(): AsyncIterable<readonly AccountRecord[]>;
  /** The account and `head.seq` of every record, in pages ordered by account id. */
  heads(): AsyncIterable<readonly RecordHead[]>;
  /** The records of the whole organization, for one pass over it. Costs less than `heads` and `getMany` together. */
  view(): Promise<RecordsView>;
  advance(records: readonly AccountRecord[]): Promise<void>;
  /** At most `limit` records that are due by `until` (epoch ms), earliest first: at their `wakeAt`, or as `snooze` set it. */
  due(until: number, limit: number): Promise<readonly DueRecord[]>;
  /**
   * Makes the record due at `until` (epoch ms; `null`: never) unless its head has moved past `headSeq`. The next `advance` replaces
   * this time.
   */
  snooze(accountId: AccountId, headSeq: number, until: number | null): Promise<void>;
}

/**
 * The records as they were when the view was made, or later. In DynamoDB the view may miss changes of about a second before it was made, so every
 * write that is based on it has to compare the head of the chain.
 */
export interface RecordsView {
  /** All accounts with a record. */
  readonly accountIds: readonly AccountId[];
  getMany(accountIds: readonly AccountId[]): Promise<ReadonlyMap<AccountId, AccountRecord>>;
}

export interface RecordHead {
  readonly accountId: AccountId;
  readonly seq: number;
}

export interface DueRecord {
  readonly record: AccountRecord;
  readonly wakeAt: number;
}
