import type { AccountId } from '../domain/enrollment/model.ts';
import type { Records, RecordsView } from '../ports/records.ts';

/** A view that reads each record on demand, for a store in which that costs nothing extra. */
export async function viewOf(records: Pick<Records, 'heads' | 'getMany'>): Promise<RecordsView> {
  const accountIds: AccountId[] = [];
  for await (const page of records.heads()) for (const { accountId } of page) accountIds.push(accountId);
  return { accountIds, getMany: (ids) => records.getMany(ids) };
}
