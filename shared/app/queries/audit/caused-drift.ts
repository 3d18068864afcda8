import { NOBODY_NAMED } from '../../../domain/actor.ts';
import type { LedgerEntry } from '../../../domain/ledger/entry.ts';
import type { Ledger, LedgerFilter, LedgerPage, PageRequest } from '../../../ports/ledger.ts';
import { entriesOf } from './all-entries.ts';

/** What a list or an export reads of the audit log. */
export type EntryReader = Pick<Ledger, 'query'>;

/** Maximum number of entries that are read in one query. Pages are large, because most drift has other callers. */
const PAGE = 1_000;

/** The caller that caused the drift; `null`: not a drift entry, or CloudTrail named no caller. */
const callerOf = ({ detail }: LedgerEntry): string | null => detail?.changedBy?.actor ?? null;

/**
 * A reader of the drift that this caller caused. The stores have no index of callers, so it reads all drift entries that match the filter.
 * @param caller full name; `NOBODY_NAMED`: drift whose caller is unknown; `undefined`: no restriction, other types of entries included
 */
export function causedDrift(ledger: EntryReader, caller: string | undefined): EntryReader {
  if (caller === undefined) return ledger;
  const isCaused = (entry: LedgerEntry): boolean => (callerOf(entry) ?? NOBODY_NAMED) === caller;
  return { query: (filter, page) => causedPage(ledger, filter, isCaused, page, PAGE) };
}

/** @param most maximum number of entries to read. The cursor of a page refers to its last entry, so a page with too many matches is read again, shorter. */
async function causedPage(
  ledger: EntryReader,
  filter: LedgerFilter,
  isCaused: (entry: LedgerEntry) => boolean,
  request: PageRequest,
  most: number,
): Promise<LedgerPage> {
  if (filter.type !== undefined && filter.type !== 'DriftDetected') return { entries: [], next: null };
  const page = await ledger.query({ ...filter, type: 'DriftDetected' }, { ...request, limit: most });
  const matching = page.entries.flatMap((entry, index) => (isCaused(entry) ? [index] : []));
  const last = matching[request.limit - 1];
  if (last !== undefined && matching.length > request.limit)
    return causedPage(ledger, filter, isCaused, request, last + 1);
  return { entries: matching.flatMap((index) => page.entries[index] ?? []), next: page.next };
}

/** The callers that CloudTrail named for drift that matches the filter. */
export async function driftCallers(ledger: EntryReader, filter: LedgerFilter): Promise<ReadonlySet<string>> {
  const callers = new Set<string>();
  for await (const entry of entriesOf(ledger, { ...filter, type: 'DriftDetected' }, { limit: PAGE })) {
    const caller = callerOf(entry);
    if (caller !== null) callers.add(caller);
  }
  return callers;
}
