import type { LedgerEntry } from '../../domain/ledger/entry.ts';
import { type EntryType, STEP_TYPES } from '../../domain/ledger/entry-types.ts';
import type { Ledger } from '../../ports/ledger.ts';
import { nameOf, type TracedRun } from './run-changes.ts';

/* When the planned work of a run ended. Changes that later events cause carry the id of the last run, so its newest entry may be much later. */

const OF_RUN: ReadonlySet<EntryType> = new Set<EntryType>(['ScanStarted', 'ScanCompleted', 'GuardrailTripped']);
const STEPS: ReadonlySet<EntryType> = new Set<EntryType>(STEP_TYPES);

const PAGE = 100;
/**
 * The maximum number of pages of later entries that are read, and of planned changes that are looked up, one query each. If there are more, the oldest
 * entry that was read counts as the end.
 */
const MOST_PAGES = 20;
const MOST_LOOKUPS = 100;

/** @param newest the newest entry of the run @returns the newest entry about the scan or about a planned change */
export async function lastPlannedEntry(
  ledger: Pick<Ledger, 'query'>,
  { runId, newest, traced }: { readonly runId: string; readonly newest: LedgerEntry; readonly traced: TracedRun },
): Promise<LedgerEntry> {
  const planned = new Set(traced.changes.filter(traced.isPlanned).map(nameOf));
  const resolved = new Map<string, Promise<string | null>>();
  const isOwn = async ({ type, accountId, enrollment, at }: LedgerEntry): Promise<boolean> => {
    if (OF_RUN.has(type)) return true;
    if (accountId === null || enrollment === null || !STEPS.has(type)) return false;
    const name = nameOf({ accountId, enrollment });
    if (!planned.has(name)) return false;
    const first = resolved.get(name) ?? firstResolved(ledger, { runId, accountId, enrollment });
    resolved.set(name, first);
    // A later step belongs to drift that appeared after the planned change was done.
    return at <= ((await first) ?? at);
  };
  let oldest = newest;
  let cursor: string | null = null;
  if (await isOwn(newest)) return newest;
  for (let page = 0; page < MOST_PAGES; page += 1) {
    const { entries, next } = await ledger.query({ runId }, { limit: PAGE, cursor });
    for (const entry of entries) {
      if (await isOwn(entry)) return entry;
      oldest = entry;
      if (resolved.size >= MOST_LOOKUPS) return oldest;
    }
    if (next === null) break;
    cursor = next;
  }
  return oldest;
}

async function firstResolved(
  ledger: Pick<Ledger, 'query'>,
  change: Pick<LedgerEntry, 'runId' | 'accountId' | 'enrollment'>,
): Promise<string | null> {
  const { runId, accountId, enrollment } = change;
  if (runId === null || accountId === null || enrollment === null) return null;
  const filter = { runId, accountId, enrollment, type: 'DriftResolved' } as const;
  const { entries } = await ledger.query(filter, { limit: 1, order: 'oldestFirst' });
  return entries[0]?.at ?? null;
}
