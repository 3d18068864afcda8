import type { AccountId } from '../../domain/enrollment/model.ts';
import { MAX_ACCOUNTS, PageBounds } from '../../domain/page-bounds.ts';
import type { ListedEnrollment, Observed, Page } from '../../ports/cloud.ts';
import { CloudError } from '../../ports/cloud.ts';
import type { Retrying } from '../support/retry.ts';

/** What a listing gave. `brokenBy`: it ended before its end, so that nothing follows from an account's absence. */
export interface Listing {
  readonly seen: ReadonlyMap<AccountId, Observed>;
  readonly brokenBy: CloudError | null;
  /** Accounts that are listed with a value that this version does not know: neither observed nor absent. */
  readonly leftOut?: ReadonlySet<AccountId>;
}

type FetchPage = (pageToken: string | null) => Promise<Page<ListedEnrollment>>;

/** A listing is begun again this often when a page in the middle fails: tokens expire, and that is no reason to know half. */
const PASSES = 2;
const ITEMS_PER_PAGE = 100;
/** A listing may contain accounts that have left, so it is broken only above this multiple of the maximum number of accounts. */
const SLACK = 2;

function endless(why: string): CloudError {
  const facts = {
    kind: 'Invalid',
    code: 'UnexpectedAnswer',
    accountId: null,
    requestId: null,
    ambiguous: false,
  } as const;
  const message = `the listing does not end: ${why}`;
  return new CloudError(message, { ...facts, service: 'compute-optimizer', operation: 'listing' });
}

/**
 * Reads a listing to its end, fetching the next page while `onPage` works on the last. An account seen twice counts with its
 * newest timestamp (pages shift while the organization changes).
 * @param maxAccounts maximum number of accounts in an organization.
 * @throws CloudError if not even the first page could be read; later failures end the listing as broken.
 */
export async function readListing(
  fetchPage: FetchPage,
  retrying: Retrying,
  onPage: (fresh: readonly ListedEnrollment[], seen: ReadonlyMap<AccountId, Observed>) => void,
  maxAccounts = MAX_ACCOUNTS,
): Promise<Listing> {
  const seen = new Map<AccountId, Observed>();
  const leftOut = new Set<AccountId>();
  let first: Page<ListedEnrollment> | CloudError = await retrying(() => fetchPage(null));
  let brokenBy: CloudError | null = null;
  for (let pass = 1; pass <= PASSES; pass += 1) {
    if (pass > 1) first = await attempt(retrying, fetchPage, null);
    const taken = { seen, leftOut, maxItems: SLACK * maxAccounts };
    brokenBy = first instanceof CloudError ? first : await readOn(first, fetchPage, retrying, taken, onPage);
    if (brokenBy === null) break;
  }
  return { seen, brokenBy, leftOut };
}

interface Taken {
  readonly seen: Map<AccountId, Observed>;
  readonly leftOut: Set<AccountId>;
  readonly maxItems: number;
}

/** From a listing's first page to its end. Returns what broke it off, if anything did. */
async function readOn(
  first: Page<ListedEnrollment>,
  fetchPage: FetchPage,
  retrying: Retrying,
  { seen, leftOut, maxItems }: Taken,
  onPage: (fresh: readonly ListedEnrollment[], seen: ReadonlyMap<AccountId, Observed>) => void,
): Promise<CloudError | null> {
  let page = first;
  const bounds = new PageBounds({ itemsPerPage: ITEMS_PER_PAGE, maxItems });
  for (;;) {
    const { items, nextToken, leftOut: unreadable = [] } = page;
    for (const id of unreadable) leftOut.add(id);
    const fresh = takeIn(seen, items);
    const total = seen.size + leftOut.size;
    const why = bounds.broken({ items: items.length + unreadable.length, total, token: nextToken });
    if (why !== null) return endless(why);
    const following = nextToken === null ? null : attempt(retrying, fetchPage, nextToken);
    onPage(fresh, seen);
    if (following === null) return null;
    const next = await following;
    if (next instanceof CloudError) return next;
    page = next;
  }
}

/** The next page, or why there is none: a rejection that nobody awaits yet would end the process. */
async function attempt(
  retrying: Retrying,
  fetchPage: FetchPage,
  token: string | null,
): Promise<Page<ListedEnrollment> | CloudError> {
  try {
    return await retrying(() => fetchPage(token));
  } catch (error) {
    if (error instanceof CloudError && error.kind !== 'Unauthenticated') return error;
    throw error;
  }
}

function takeIn(seen: Map<AccountId, Observed>, items: readonly ListedEnrollment[]): readonly ListedEnrollment[] {
  return items.filter(({ accountId, observed }) => {
    const known = seen.get(accountId);
    if (known !== undefined && !isNewer(observed, known)) return false;
    seen.set(accountId, observed);
    return true;
  });
}

/** The newest timestamp counts; at the same one (or none) what was read later, if it says anything else. */
function isNewer(observed: Observed, known: Observed): boolean {
  const by = (observed.lastUpdated ?? 0) - (known.lastUpdated ?? 0);
  return by > 0 || (by === 0 && (observed.status !== known.status || observed.ruleMode !== known.ruleMode));
}
