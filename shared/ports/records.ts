import type { AccountRecord } from '../domain/account/record.ts';
import type { AccountId } from '../domain/enrollment/model.ts';

/**
 * The present condition of every account: the fold of its ledger chain, kept so that nobody has to replay. Derived,
 * rebuildable, and possibly behind the ledger; whoever finds it behind catches it up.
 *
 * Promises:
 * - `advance` stores a record only over one with a smaller head (`head.seq`); an older or equal one is left out silently, because
 *   whoever wrote the newer one has seen what this one knows. Durable when it returns.
 * - Reads see every advance that returned before them; only `due` may, where its index follows a moment behind (DynamoDB), miss
 *   what changed in the last second or so. The next look finds it.
 */
export interface Records {
  get(accountId: AccountId): Promise<AccountRecord | null>;
  getMany(accountIds: readonly AccountId[]): Promise<ReadonlyMap<AccountId, AccountRecord>>;
  /** Every record, in order of account id, in pages so that memory stays bounded. */
  all(): AsyncIterable<readonly AccountRecord[]>;
  /** Of every record no more than whose it is and how far it is (its head's `seq`), in order of account id, in pages. */
  heads(): AsyncIterable<readonly RecordHead[]>;
  advance(records: readonly AccountRecord[]): Promise<void>;
  /**
   * Records that need attention by `until` (epoch ms), earliest first, at most `limit`. A record's time is `wakeAt` of the
   * domain (the earliest `notBefore`, `deadline` or claim expiry), or what `snooze` made of it.
   */
  due(until: number, limit: number): Promise<readonly DueRecord[]>;
  /**
   * Moves the time at which `due` gives the record to `until` (epoch ms; `null`: never), unless its head has moved past `headSeq`; the
   * next `advance` sets it anew. A hint for polling, not part of the record: losing it costs a look too early, nothing else.
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
