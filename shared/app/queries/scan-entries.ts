import type { LedgerEntry } from '../../domain/ledger/entry.ts';
import type { EntryType } from '../../domain/ledger/entry-types.ts';
import type { Ledger } from '../../ports/ledger.ts';

/*
 * The entries for the start and the end of the scan of one run. A query by run and type reads the entries of all changes of the run, because a page ends
 * where another match begins. So these functions first look where the entry almost always is.
 */

type Reading = Pick<Ledger, 'query'>;

/** A run begins with the start of its scan, or with a few entries that caused it. */
const FIRST = 5;

export async function scanStart(ledger: Reading, runId: string): Promise<LedgerEntry | null> {
  const { entries } = await ledger.query({ runId }, { limit: FIRST, order: 'oldestFirst' });
  return entries.find(({ type }) => type === 'ScanStarted') ?? newestOf(ledger, runId, 'ScanStarted');
}

/** @param since when the run began, ISO 8601. Scans do not overlap, so the first one that ended since then is that of the run. */
export async function scanEnd(ledger: Reading, runId: string, since: string): Promise<LedgerEntry | null> {
  const { entries } = await ledger.query({ type: 'ScanCompleted', since }, { limit: 1, order: 'oldestFirst' });
  return entries.find((entry) => entry.runId === runId) ?? newestOf(ledger, runId, 'ScanCompleted');
}

export async function newestOf(ledger: Reading, runId: string, type?: EntryType): Promise<LedgerEntry | null> {
  const { entries } = await ledger.query({ runId, ...(type !== undefined && { type }) }, { limit: 1 });
  return entries[0] ?? null;
}
