import type { AccountId } from '../../domain/enrollment/model.ts';
import type { OrganizationAccount } from '../../domain/policy/types.ts';
import type { OrganizationSnapshot } from '../../ports/cloud.ts';

type ById = ReadonlyMap<AccountId, OrganizationAccount>;

const NONE: ById = new Map();
const known = new WeakMap<OrganizationSnapshot, ById>();

/** The accounts of a snapshot by id. Computed once per snapshot, because the API keeps an unchanged snapshot in memory (`snapshot-cache.ts`). */
export function accountsById(snapshot: OrganizationSnapshot | null): ById {
  if (snapshot === null) return NONE;
  const before = known.get(snapshot);
  if (before !== undefined) return before;
  const accounts = new Map(snapshot.accounts.map((account) => [account.id, account]));
  known.set(snapshot, accounts);
  return accounts;
}
