import type { LedgerEntry } from '../../domain/ledger/entry.ts';
import { type EntryType, STEP_TYPES } from '../../domain/ledger/entry-types.ts';
import type { Ledger, RunStep } from '../../ports/ledger.ts';
import { nameOf, type TracedRun } from './run-changes.ts';

/* When the planned work of a run ended. Changes that later events cause carry the id of the last run, so its newest entry may be much later. */

const OF_RUN: ReadonlySet<EntryType> = new Set<EntryType>(['ScanStarted', 'ScanCompleted', 'GuardrailTripped']);
const STEPS: ReadonlySet<EntryType> = new Set<EntryType>(STEP_TYPES);

const PAGE = 100;
/** The maximum number of pages of later entries that are read. If there are more, the oldest entry that was read counts as the end. */
const MOST_PAGES = 20;

/** @param newest the newest entry of the run @returns the newest entry about the scan or about a planned change */
export async function lastPlannedEntry(
  ledger: Pick<Ledger, 'query'>,
  { runId, newest, traced }: { readonly runId: string; readonly newest: LedgerEntry; readonly traced: TracedRun },
): Promise<LedgerEntry> {
  const planned = new Map<string, RunStep | null>();
  for (const change of traced.changes.filter(traced.isPlanned)) planned.set(nameOf(change), change.step);
  const isOwn = ({ type, chain, accountId, enrollment, seq }: LedgerEntry): boolean => {
    if (OF_RUN.has(type)) return true;
    if (accountId === null || enrollment === null || !STEPS.has(type)) return false;
    // The step of a traced change is the last step that belongs to the change.
    const step = planned.get(nameOf({ accountId, enrollment })) ?? null;
    return step !== null && (chain !== accountId || seq <= step.seq);
  };
  let oldest = newest;
  let cursor: string | null = null;
  if (isOwn(newest)) return newest;
  for (let page = 0; page < MOST_PAGES; page += 1) {
    const { entries, next } = await ledger.query({ runId }, { limit: PAGE, cursor });
    const own = entries.find(isOwn);
    if (own !== undefined) return own;
    oldest = entries.at(-1) ?? oldest;
    if (next === null) break;
    cursor = next;
  }
  return oldest;
}
