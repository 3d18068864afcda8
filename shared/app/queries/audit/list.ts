import type { LedgerEntry } from '../../../domain/ledger/entry.ts';
import type { LedgerFilter, LedgerPage } from '../../../ports/ledger.ts';
import type { EntryReader } from './caused-drift.ts';

export interface AuditQuery {
  readonly filter: LedgerFilter;
  readonly limit: number;
  readonly cursor: string | null;
  readonly order: 'newestFirst' | 'oldestFirst';
}

/** Maximum number of entries that are read in one query. */
const PAGE = 1_000;

/** Entries that match, at most `limit`, in the shape of `audit list --json`. @throws BadCursorError for an invalid cursor */
export async function auditList(ledger: EntryReader, query: AuditQuery): Promise<LedgerPage> {
  const { filter, limit, order } = query;
  const entries: LedgerEntry[] = [];
  let cursor = query.cursor;
  do {
    const page = await ledger.query(filter, { limit: Math.min(PAGE, limit - entries.length), cursor, order });
    entries.push(...page.entries);
    cursor = page.next;
  } while (cursor !== null && entries.length < limit);
  return { entries, next: cursor };
}
