import { NOBODY_NAMED } from '../../../domain/actor.ts';
import type { LedgerEntry } from '../../../domain/ledger/entry.ts';
import type { Ledger, LedgerFilter, LedgerPage } from '../../../ports/ledger.ts';
import { entriesOf } from './all-entries.ts';

/** What a list or an export reads of the audit log. */
export type EntryReader = Pick<Ledger, 'query'>;

/** Maximum number of entries that are read in one query. Pages are large, because most drift has other callers. */
const PAGE = 1_000;

/** The caller that caused the drift; `null`: not a drift entry, or CloudTrail named no caller. */
const callerOf = ({ detail }: LedgerEntry): string | null => detail?.changedBy?.actor ?? null;

/**
 * `full`, for lists: each page except the last has the requested number of matches. `sparse`, for reading everything: each page has the matches among the
 * requested number of entries, and may be empty, so that no entry is read twice.
 */
export type Pages = 'full' | 'sparse';

/**
 * A reader of the drift that this caller caused. The stores have no index of callers, so it reads all drift entries that match the filter.
 * @param caller full name; `NOBODY_NAMED`: drift whose caller is unknown; `undefined`: no restriction, other types of entries included
 */
export function causedDrift(ledger: EntryReader, caller: string | undefined, pages: Pages = 'full'): EntryReader {
  if (caller === undefined) return ledger;
  const isCaused = (entry: LedgerEntry): boolean => (callerOf(entry) ?? NOBODY_NAMED) === caller;
  return {
    async query(filter, request) {
      if (filter.type !== undefined && filter.type !== 'DriftDetected') return { entries: [], next: null };
      const read = (limit: number, cursor = request.cursor): Promise<LedgerPage> =>
        ledger.query(
          { ...filter, type: 'DriftDetected' },
          { ...request, limit, ...(cursor !== undefined && { cursor }) },
        );
      if (pages === 'full') return causedPage({ read, isCaused, limit: request.limit });
      const { entries, next } = await read(request.limit);
      return { entries: entries.filter(isCaused), next };
    },
  };
}

interface Search {
  /** Reads drift entries that match the filter. */
  readonly read: (limit: number, cursor?: string | null) => Promise<LedgerPage>;
  readonly isCaused: (entry: LedgerEntry) => boolean;
  readonly limit: number;
}

/** @param most maximum number of entries to read. The cursor of a page refers to its last entry, so a page with too many matches is read again, shorter. */
async function causedPage(search: Search, most = PAGE): Promise<LedgerPage> {
  const { read, isCaused, limit } = search;
  const page = await read(most);
  const matching = page.entries.flatMap((entry, index) => (isCaused(entry) ? [index] : []));
  const last = matching[limit - 1];
  if (last !== undefined && matching.length > limit) return causedPage(search, last + 1);
  const isLast = last !== undefined && !(await isFollowed(search, page.next));
  return { entries: matching.flatMap((index) => page.entries[index] ?? []), next: isLast ? null : page.next };
}

/** Whether an entry after the cursor matches. Without this, the page after a full one could be empty. */
async function isFollowed({ read, isCaused }: Search, after: string | null): Promise<boolean> {
  for (let cursor = after; cursor !== null; ) {
    const page = await read(PAGE, cursor);
    if (page.entries.some(isCaused)) return true;
    cursor = page.next;
  }
  return false;
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
