import { get, getTagged } from './api.ts';
import { READ } from './endpoints.ts';
import type { AccountRow, AccountsAnswer } from './types.ts';

interface Known {
  readonly tag: string;
  readonly rows: readonly AccountRow[];
}

/** The last complete list. If nothing has changed, the API does not send it again. */
let known: Known | null = null;

/** Reads every account, so that searching, filtering and sorting need no further request. More than 10,000 need more than one answer. */
export async function readAccounts(abort: AbortSignal): Promise<readonly AccountRow[]> {
  const first = await getTagged<AccountsAnswer>(READ.accounts(null), known?.tag ?? null, abort);
  if (first === null) return known?.rows ?? [];
  const { body, tag } = first;
  const rows = [...body.accounts];
  for (let { next } = body; next !== null; ) {
    const page: AccountsAnswer = await get(READ.accounts(next), abort);
    rows.push(...page.accounts);
    next = page.next;
  }
  known = tag === null || body.next !== null ? null : { tag, rows };
  return rows;
}
