import {
  byKind,
  ENROLLMENT_IDS,
  type EnrollmentId,
  isAvailable,
  KINDS,
  kindOf,
} from '../../domain/enrollment/kinds/index.ts';
import type { Caller } from '../../domain/enrollment/model.ts';
import { type CompiledPolicy, manages } from '../../domain/policy/index.ts';
import { CloudError } from '../../ports/cloud.ts';
import type { Deps, OnProgress, Settings } from '../context.ts';
import type { Retrying } from '../support/retry.ts';
import { LEADING_KIND, type Listings } from './observations.ts';
import { type Listing, readListing } from './paged-listing.ts';

type ListingDeps = Pick<Deps, 'cloud' | 'logger'>;

interface ListingOptions {
  readonly policy: CompiledPolicy;
  readonly onProgress: OnProgress;
}

/** Reads the listings of the managed kinds, except the leading one. */
export async function listOthers(
  deps: ListingDeps,
  settings: Settings,
  retrying: Retrying,
  { policy, onProgress }: ListingOptions,
  { partition }: Caller,
): Promise<Listings> {
  const ids = ENROLLMENT_IDS.filter(
    (id) => id !== LEADING_KIND && manages(policy.policy, id) && isAvailable(id, partition),
  );
  const read = await Promise.all(
    ids.map(async (id) => [id, await listOther(deps, settings, retrying, id, onProgress)] as const),
  );
  const listings = new Map(read);
  return byKind((id) => listings.get(id) ?? null);
}

/** A listing that AWS denies counts as broken, so that the other enrollments can still be managed. */
async function listOther(
  deps: ListingDeps,
  { maxAccounts }: Settings,
  retrying: Retrying,
  enrollment: EnrollmentId,
  onProgress: OnProgress,
): Promise<Listing> {
  const { title, prerequisites } = kindOf(enrollment);
  try {
    return await readListing(
      (token) => deps.cloud.list(enrollment, token),
      retrying,
      (_fresh, seen) => onProgress({ kind: 'listing', listing: enrollment, accounts: seen.size }),
      maxAccounts,
    );
  } catch (error) {
    if (!(error instanceof CloudError) || error.kind === 'Unauthenticated') throw error;
    // The caller lacks the prerequisite, so no account can be enrolled [automation-org].
    if (error.kind === 'Prerequisite' && prerequisites.length > 0) return { seen: new Map(), brokenBy: null };
    deps.logger.warn(`the ${title} listing could not be read`, { code: error.details.code, message: error.message });
    return { seen: new Map(), brokenBy: error };
  }
}

/**
 * A listing that AWS denies while trusted access is off counts as empty, so that accounts are read individually. The
 * organization-wide call, which restores trusted access, requires the status of every account.
 */
export async function emptyWithoutTrust(error: unknown, trusting: Promise<boolean | null>): Promise<Listing> {
  const refused = error instanceof CloudError && (error.kind === 'Denied' || error.kind === 'Prerequisite');
  if (!refused || (await trusting) !== false) throw error;
  return { seen: new Map(), brokenBy: null };
}

/** Reads trusted access; `null` if that fails, because no assessment depends on it. */
export async function readTrustedAccess(deps: ListingDeps, retrying: Retrying): Promise<boolean | null> {
  try {
    return await retrying(() => deps.cloud.trustedAccess());
  } catch (error) {
    if (!(error instanceof CloudError) || error.kind === 'Unauthenticated') throw error;
    deps.logger.warn('trusted access could not be read', { code: error.details.code, message: error.message });
    return null;
  }
}

/** The listings that ended early, in sentences. */
export function brokenListings(listings: Listings): string[] {
  return KINDS.flatMap(({ id, title }) => {
    const listing = listings[id];
    if (!listing?.brokenBy) return [];
    return [`the ${title} listing ended early after ${listing.seen.size} accounts: ${listing.brokenBy.message}`];
  });
}
