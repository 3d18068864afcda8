import type { AccountRecord } from '../domain/record.ts';
import type { AccountId } from '../domain/types.ts';

/**
 * The present condition of every account: the fold of its ledger chain, kept so that nobody has to replay. Derived,
 * rebuildable, and possibly behind the ledger; whoever finds it behind catches it up.
 *
 * Promises:
 * - `advance` stores a record only over one with a smaller head (`head.seq`); an older or equal one is left out silently, because
 *   whoever wrote the newer one has seen what this one knows. Durable when it returns.
 * - Reads see every advance that returned before them.
 */
export interface Records {
  get(accountId: AccountId): Promise<AccountRecord | null>;
  getMany(accountIds: readonly AccountId[]): Promise<ReadonlyMap<AccountId, AccountRecord>>;
  /** Every record, in order of account id, in pages so that memory stays bounded. */
  all(): AsyncIterable<readonly AccountRecord[]>;
  advance(records: readonly AccountRecord[]): Promise<void>;
  /** Accounts of which a condition's `notBefore`, `deadline` or claim expiry has come by `now` (epoch ms), at most `limit`. */
  due(now: number, limit: number): Promise<readonly AccountRecord[]>;
}
