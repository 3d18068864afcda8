import type { AccountId } from '../domain/enrollment/model.ts';
import type { OrganizationAccount } from '../domain/policy/index.ts';
import type { OrganizationSnapshot } from './cloud.ts';

/**
 * The last complete reading of the organization, for workers and for questions asked without AWS.
 * Promise: a reader sees the old snapshot or the new one, never a mixture.
 */
export interface SnapshotStore {
  save(snapshot: OrganizationSnapshot): Promise<void>;
  load(): Promise<OrganizationSnapshot | null>;
  /** Age and kind without the accounts. */
  meta(): Promise<Omit<OrganizationSnapshot, 'accounts'> | null>;
  get(accountId: AccountId): Promise<OrganizationAccount | null>;
  /** Replaces what is known of single accounts (an event told us), leaving the snapshot's age. */
  refresh(accounts: readonly OrganizationAccount[]): Promise<void>;
  /** Forgets single accounts that have left the organization, leaving the snapshot's age. */
  remove(accountIds: readonly AccountId[]): Promise<void>;
}
