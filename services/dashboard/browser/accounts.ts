import { get } from './api.ts';
import { READ } from './endpoints.ts';
import type { AccountRow, AccountsAnswer } from './types.ts';

/** Reads all pages of accounts, so that searching, filtering and sorting need no further request. */
export async function readAccounts(abort: AbortSignal): Promise<readonly AccountRow[]> {
  const rows: AccountRow[] = [];
  let cursor: string | null = null;
  do {
    const page: AccountsAnswer = await get(READ.accounts(cursor), abort);
    rows.push(...page.accounts);
    cursor = page.next;
  } while (cursor !== null);
  return rows;
}
