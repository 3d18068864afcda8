import type { LedgerEntry } from '../../../domain/ledger/entry.ts';
import type { Ledger, LedgerFilter, LedgerPage, PageRequest } from '../../../ports/ledger.ts';

/** All entries that match, newest first unless `page.order` says otherwise, read page by page. */
export async function* entriesOf(
  ledger: Pick<Ledger, 'query'>,
  filter: LedgerFilter,
  page: Omit<PageRequest, 'cursor'>,
): AsyncGenerator<LedgerEntry> {
  for (let cursor: string | null = null; ; ) {
    const found: LedgerPage = await ledger.query(filter, { ...page, cursor });
    yield* found.entries;
    if (found.next === null) return;
    cursor = found.next;
  }
}

/** Oldest first. Reading and folding a page of this size blocks the thread for a few milliseconds. */
export const OLDEST_FIRST = { limit: 200, order: 'oldestFirst' } as const;
