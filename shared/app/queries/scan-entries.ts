import type { LedgerEntry } from '../../domain/ledger/entry.ts';
import type { EntryType } from '../../domain/ledger/entry-types.ts';
import type { Ledger } from '../../ports/ledger.ts';

/*
 * Find the entries for the start and the end of a run's scan. A query by run and type would read the entries of all changes of the run, because a page
 * is complete only when one more match is found. So these functions first look where the entry almost always is.
 */

type Reading = Pick<Ledger, 'query'>;

/** The start of the scan is among this many first entries of a run, after the few that caused the scan. */
const FIRST = 5;

export async function scanStart(ledger: Reading, runId: string): Promise<LedgerEntry | null> {
  const { entries } = await ledger.query({ runId }, { limit: FIRST, order: 'oldestFirst' });
  return entries.find(({ type }) => type === 'ScanStarted') ?? newestOf(ledger, runId, 'ScanStarted');
}

/** @param since when the run began, ISO 8601. Scans do not overlap, so the first scan that ended since then is the one of this run. */
export async function scanEnd(ledger: Reading, runId: string, since: string): Promise<LedgerEntry | null> {
  const { entries } = await ledger.query({ type: 'ScanCompleted', since }, { limit: 1, order: 'oldestFirst' });
  return entries.find((entry) => entry.runId === runId) ?? newestOf(ledger, runId, 'ScanCompleted');
}

export async function newestOf(ledger: Reading, runId: string, type?: EntryType): Promise<LedgerEntry | null> {
  const { entries } = await ledger.query({ runId, ...(type !== undefined && { type }) }, { limit: 1 });
  return entries[0] ?? null;
}
