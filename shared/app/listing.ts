import type { AccountId } from '../domain/types.ts';
import type { ListedEnrollment, Observed, Page } from '../ports/cloud.ts';
import { CloudError } from '../ports/cloud.ts';
import type { Retrying } from './retrying.ts';

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
/** The fewest items of a full page. */
const ITEMS_A_PAGE = 100;
/** A listing with this many more pages than its items fill is taken as endless. */
const MAX_PAGES = 1_000;
/** Twenty times the largest quota of accounts in an organization [Quotas for AWS Organizations]. */
const MAX_ACCOUNTS = 200_000;

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
 * @throws CloudError if not even the first page could be read; later failures end the listing as broken.
 */
export async function readListing(
  fetchPage: FetchPage,
  retrying: Retrying,
  onPage: (fresh: readonly ListedEnrollment[], seen: ReadonlyMap<AccountId, Observed>) => void,
): Promise<Listing> {
  const seen = new Map<AccountId, Observed>();
  const leftOut = new Set<AccountId>();
  let first: Page<ListedEnrollment> | CloudError = await retrying(() => fetchPage(null));
  let brokenBy: CloudError | null = null;
  for (let pass = 1; pass <= PASSES; pass += 1) {
    if (pass > 1) first = await attempt(retrying, fetchPage, null);
    brokenBy =
      first instanceof CloudError ? first : await readOn(first, fetchPage, retrying, { seen, leftOut }, onPage);
    if (brokenBy === null) break;
  }
  return { seen, brokenBy, leftOut };
}

/** From a listing's first page to its end. Returns what broke it off, if anything did. */
async function readOn(
  first: Page<ListedEnrollment>,
  fetchPage: FetchPage,
  retrying: Retrying,
  { seen, leftOut }: { readonly seen: Map<AccountId, Observed>; readonly leftOut: Set<AccountId> },
  onPage: (fresh: readonly ListedEnrollment[], seen: ReadonlyMap<AccountId, Observed>) => void,
): Promise<CloudError | null> {
  let page = first;
  let items = 0;
  let askedBy: string | null = null;
  const asked = new Set<string>();
  for (let pages = 1; ; pages += 1) {
    items += page.items.length;
    for (const id of page.leftOut ?? []) leftOut.add(id);
    const token = page.nextToken;
    // An empty page may repeat the token of its own request. Any other repeated token means that the listing goes in a circle.
    if (token !== null && asked.has(token) && (page.items.length > 0 || token !== askedBy))
      return endless('a page token was repeated');
    if (items > MAX_ACCOUNTS || pages - items / ITEMS_A_PAGE > MAX_PAGES)
      return endless(`${pages} pages gave ${items} accounts`);
    if (token !== null) asked.add(token);
    askedBy = token;
    const following = page.nextToken === null ? null : attempt(retrying, fetchPage, page.nextToken);
    onPage(takeIn(seen, page.items), seen);
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
