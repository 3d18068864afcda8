import type { AccountRecord } from '../domain/account/record.ts';
import type { AccountId } from '../domain/enrollment/model.ts';

/**
 * The current condition of every account: the fold of its ledger chain, stored so that readers need not replay the chain. Records can be
 * rebuilt from the ledger and may lag behind it; a reader that finds a record behind catches it up.
 *
 * Promises:
 * - `advance` stores a record only over one with a smaller `head.seq`. An older or equal record is ignored, because the stored one
 *   already includes its entries. Durable when it returns.
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
  advance(records: readonly AccountRecord[]): Promise<void>;
  /**
   * At most `limit` records that are due by `until` (epoch ms), earliest first. A record is due at its `wakeAt` (the earliest
   * `notBefore`, `deadline` or claim expiry), or at the time that `snooze` set.
   */
  due(until: number, limit: number): Promise<readonly DueRecord[]>;
  /**
   * Makes the record due at `until` (epoch ms; `null`: never) unless its head has moved past `headSeq`. The next `advance` replaces this
   * time. It is a hint for polling and not part of the record: if it is lost, the record is only polled too early.
   */
  snooze(accountId: AccountId, headSeq: number, until: number | null): Promise<void>;
}

interface RecordHead {
  readonly accountId: AccountId;
  readonly seq: number;
}

export interface DueRecord {
  readonly record: AccountRecord;
  readonly wakeAt: number;
}
