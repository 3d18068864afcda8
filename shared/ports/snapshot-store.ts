import type { AccountId } from '../domain/enrollment/model.ts';
import type { OrganizationAccount } from '../domain/policy/index.ts';
import type { OrganizationSnapshot } from './cloud.ts';

/** The accounts of the organization as last read. Promise: a reader sees the old snapshot or the new one, never a mixture. */
export interface SnapshotStore {
  save(snapshot: OrganizationSnapshot): Promise<void>;
  load(): Promise<OrganizationSnapshot | null>;
  /** The snapshot without its accounts. */
  meta(): Promise<Omit<OrganizationSnapshot, 'accounts'> | null>;
  get(accountId: AccountId): Promise<OrganizationAccount | null>;
  /** Replaces single accounts after an event; `takenAt` does not change. */
  refresh(accounts: readonly OrganizationAccount[]): Promise<void>;
  /** Removes single accounts that have left the organization; `takenAt` does not change. */
  remove(accountIds: readonly AccountId[]): Promise<void>;
}
