import { csvLine } from '../../../domain/csv.ts';
import type { OrganizationSnapshot } from '../../../ports/cloud.ts';
import type { AsOf } from '../audit/as-of.ts';

const COLUMNS = ['accountId', 'name', 'ou', 'enrollment', 'status', 'reason', 'observed', 'desired', 'rule', 'since'];

/** One line for each enrollment of each account, as it was at one time, with names and OUs of the last scan. */
export function enrollmentsAsOfCsv({ accounts }: AsOf, snapshot: OrganizationSnapshot | null): string {
  const places = new Map((snapshot?.accounts ?? []).map(({ id, name, ou }) => [id, { name, ou }]));
  const lines = accounts.map(({ accountId, enrollment, status, message, observed, desired, rule, since }) => {
    const { name = null, ou = null } = places.get(accountId) ?? {};
    return [accountId, name, ou, enrollment, status, message, observed, desired, rule, since];
  });
  return [COLUMNS, ...lines].map(csvLine).join('');
}
