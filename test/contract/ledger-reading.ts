import type { LedgerEntry } from '../../shared/domain/ledger/entry.ts';
import type { AccountTail, ChainEnd, Ledger, LedgerFilter, PageRequest } from '../../shared/ports/ledger.ts';
import { account } from './samples.ts';

export const A = account(1);

export const B = account(2);

export async function allPages(
  ledger: Ledger,
  filter: LedgerFilter,
  page: PageRequest,
): Promise<readonly LedgerEntry[]> {
  const found: LedgerEntry[] = [];
  for (let cursor: string | null = null; ; ) {
    const { entries, next }: Awaited<ReturnType<Ledger['query']>> = await ledger.query(filter, { ...page, cursor });
    found.push(...entries);
    if (next === null) return found;
    cursor = next;
  }
}

export async function endsOf(ledger: Ledger): Promise<readonly ChainEnd[]> {
  const found: ChainEnd[] = [];
  for await (const page of ledger.ends()) found.push(...page);
  return found;
}

export async function tailsOf(ledger: Ledger, until: string): Promise<readonly AccountTail[]> {
  const found: AccountTail[] = [];
  for await (const page of ledger.tails(until)) found.push(...page);
  return found;
}

export const reasons = (entries: readonly LedgerEntry[]): readonly (string | null)[] =>
  entries.map((entry) => entry.reason);
