import { isSameConfiguration } from '../../domain/enrollment/governing-configuration.ts';
import type { AccountId } from '../../domain/enrollment/model.ts';
import { MAX_ACCOUNTS, PageBounds } from '../../domain/page-bounds.ts';
import type { ListedEnrollment, Observed, Page } from '../../ports/cloud.ts';
import { CloudError } from '../../ports/cloud.ts';
import type { Retrying } from '../support/retry.ts';

/** The result of a listing. `brokenBy`: the error that ended it early; then the absence of an account proves nothing. */
export interface Listing {
  readonly seen: ReadonlyMap<AccountId, Observed>;
  readonly brokenBy: CloudError | null;
  /** Accounts listed with a value that this version does not know: neither observed nor absent. */
  readonly leftOut?: ReadonlySet<AccountId>;
}

type FetchPage = (pageToken: string | null) => Promise<Page<ListedEnrollment>>;

/** How many times a listing is read from the start if a later page fails, for example because its token has expired. */
const PASSES = 2;
const ITEMS_PER_PAGE = 100;
/** A listing may contain accounts that have left, so it is broken only above this multiple of the maximum number of accounts. */
const SLACK = 2;

function endless(why: string): CloudError {
  return new CloudError(`the listing does not end: ${why}`, {
    kind: 'Invalid',
    code: 'UnexpectedAnswer',
    accountId: null,
    requestId: null,
    ambiguous: false,
    service: 'compute-optimizer',
    operation: 'listing',
  });
}

/**
 * Reads a listing to its end and fetches the next page while `onPage` processes the last.
 * @param maxAccounts maximum number of accounts in an organization
 * @throws CloudError if the first page cannot be read. A later failure ends the listing as broken.
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
    const collected = { seen, leftOut, maxItems: SLACK * maxAccounts };
    brokenBy = first instanceof CloudError ? first : await readToEnd(first, fetchPage, retrying, collected, onPage);
    if (brokenBy === null) break;
  }
  return { seen, brokenBy, leftOut };
}

interface Collected {
  readonly seen: Map<AccountId, Observed>;
  readonly leftOut: Set<AccountId>;
  readonly maxItems: number;
}

/** Reads from a listing's first page to its end. Returns the error that ended it early, or `null`. */
async function readToEnd(
  first: Page<ListedEnrollment>,
  fetchPage: FetchPage,
  retrying: Retrying,
  { seen, leftOut, maxItems }: Collected,
  onPage: (fresh: readonly ListedEnrollment[], seen: ReadonlyMap<AccountId, Observed>) => void,
): Promise<CloudError | null> {
  let page = first;
  const bounds = new PageBounds({ itemsPerPage: ITEMS_PER_PAGE, maxItems });
  for (;;) {
    const { items, nextToken, leftOut: unreadable = [] } = page;
    for (const id of unreadable) leftOut.add(id);
    const fresh = addNewer(seen, items);
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

/** Returns an error instead of rejecting, because a rejection before the page is awaited would end the process. */
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

function addNewer(seen: Map<AccountId, Observed>, items: readonly ListedEnrollment[]): readonly ListedEnrollment[] {
  return items.filter((item) => {
    const { accountId, observed, ruleModeSource } = item;
    const known = seen.get(accountId);
    if (known !== undefined && !isNewer(item, known)) return false;
    seen.set(accountId, ruleModeSource === undefined ? observed : { ...observed, ruleModeSource });
    return true;
  });
}

/** Pages shift while the organization changes, so an account can be listed twice. The newest timestamp wins, else the later answer. */
function isNewer({ observed, ruleModeSource }: ListedEnrollment, known: Observed): boolean {
  const by = (observed.lastUpdated ?? 0) - (known.lastUpdated ?? 0);
  if (by !== 0) return by > 0;
  const sameState = observed.status === known.status && observed.ruleMode === known.ruleMode;
  return !sameState || !isSameConfiguration(ruleModeSource, known.ruleModeSource);
}
