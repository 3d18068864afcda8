import type { AccountId } from '../domain/types.ts';
import type { ListedEnrollment, Observed, Page } from '../ports/cloud.ts';
import { CloudError } from '../ports/cloud.ts';
import type { Retrying } from './retrying.ts';

/** What a listing gave. `brokenBy`: it ended before its end, so that nothing follows from an account's absence. */
export interface Listing {
  readonly seen: ReadonlyMap<AccountId, Observed>;
  readonly brokenBy: CloudError | null;
}

type FetchPage = (pageToken: string | null) => Promise<Page<ListedEnrollment>>;

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
  let token: string | null = null;
  let page = await retrying(() => fetchPage(null));
  for (;;) {
    token = page.nextToken;
    const following = token === null ? null : attempt(retrying, fetchPage, token);
    onPage(takeIn(seen, page.items), seen);
    if (following === null) return { seen, brokenBy: null };
    const next = await following;
    if (next instanceof CloudError) return { seen, brokenBy: next };
    page = next;
  }
}

/** The next page, or why there is none: a rejection that nobody awaits yet would end the process. */
async function attempt(
  retrying: Retrying,
  fetchPage: FetchPage,
  token: string,
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
    if (known !== undefined && (known.lastUpdated ?? 0) >= (observed.lastUpdated ?? 0)) return false;
    seen.set(accountId, observed);
    return true;
  });
}
