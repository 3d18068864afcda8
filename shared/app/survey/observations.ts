import type { AccountRecord } from '../../domain/account/record.ts';
import {
  byKind,
  dependentsOf,
  ENROLLMENT_IDS,
  type EnrollmentId,
  FIRST_KIND,
  kindOf,
} from '../../domain/enrollment/kinds/index.ts';
import type { Observations } from '../../domain/enrollment/mismatch.ts';
import type { AccountId, Caller, EpochMs, Observation } from '../../domain/enrollment/model.ts';
import type { OrganizationAccount } from '../../domain/policy/index.ts';
import type { Cloud, Observed } from '../../ports/cloud.ts';
import { CloudError } from '../../ports/cloud.ts';
import type { Retrying } from '../support/retry.ts';
import type { Listing } from './paged-listing.ts';

/** The kind whose listing leads a survey: accounts are assessed page by page as this listing returns them. */
export const LEADING_KIND = FIRST_KIND.id;

const unknown = (reason: Extract<Observation, { kind: 'unknown' }>['reason'], message: string | null): Observation => ({
  kind: 'unknown',
  reason,
  message,
});

export const NOT_LISTED = unknown('notListed', 'the listing is complete and does not name it');

/** An enrollment that a complete listing omits because its prerequisite is not Active. */
export function absent(enrollment: EnrollmentId): Observed {
  const ruleMode = kindOf(enrollment).hasRuleMode ? 'NoneAllowed' : null;
  return { kind: 'observed', status: 'Inactive', ruleMode, statusReason: null, lastUpdated: null };
}

/** Turns a read error into an observation. `Unauthenticated` concerns the caller, not the account, and is rethrown. */
function unknownBecause(error: unknown): Observation {
  if (!(error instanceof CloudError) || error.kind === 'Unauthenticated') throw error;
  return unknown(error.kind === 'Denied' ? 'denied' : 'unavailable', error.message);
}

/** Reads one enrollment of one account. An account that cannot be read is Unknown, not an error. */
async function readOrUnknown(retrying: Retrying, read: () => Promise<Observed>): Promise<Observation> {
  try {
    return await retrying(read);
  } catch (error) {
    return unknownBecause(error);
  }
}

/** Whether this caller can never read the account: a delegated administrator cannot read the management account. */
export function isUnreadable(caller: Caller, accountId: AccountId): boolean {
  return caller.role === 'delegatedAdministrator' && accountId === caller.managementAccountId;
}

/**
 * Replaces observations of a scan by a newer state that a worker has recorded since the scan began. AWS's timestamps decide which
 * is newer. A state has no timestamp if a listing lacks the account or the prerequisite is not Active. It then counts as of the start of the scan.
 */
export function preferNewerRecords(
  observed: Observations,
  record: AccountRecord | null,
  begunAt: EpochMs,
): Observations {
  const newer = (enrollment: EnrollmentId): Observation => {
    const condition = record?.conditions[enrollment] ?? null;
    const observation = observed[enrollment];
    if (condition === null || condition.status === null) return observation;
    if (observation.kind !== 'observed' || Date.parse(condition.changedAt) < begunAt) return observation;
    const lastUpdated = condition.lastUpdated === null ? null : Date.parse(condition.lastUpdated);
    // While a change is in progress, the record has the state from before it.
    if (lastUpdated === null && (condition.claim !== null || condition.verdict === 'Converging')) return observation;
    if ((observation.lastUpdated ?? begunAt) >= (lastUpdated ?? begunAt)) return observation;
    const { status, ruleMode, ruleModeSource } = condition;
    const found = { kind: 'observed', status, ruleMode, statusReason: null, lastUpdated } as const;
    return ruleModeSource === undefined ? found : { ...found, ruleModeSource };
  };
  return byKind(newer);
}

/** The listing of each kind; `null`: the policy does not manage the kind, so its listing was not read. */
export type Listings = Readonly<Record<EnrollmentId, Listing | null>>;

/** The observations of an account that follow from the listings alone. */
export function fromListings(caller: Caller, account: OrganizationAccount, listings: Listings): Observations {
  if (isUnreadable(caller, account.id)) {
    const hidden = unknown('callerCannotRead', 'only the management account itself can read its own enrollment');
    return byKind(() => hidden);
  }
  const known: Partial<Record<EnrollmentId, Observation>> = {};
  return byKind((enrollment) => {
    const observation = fromListing(account, enrollment, listings, known);
    known[enrollment] = observation;
    return observation;
  });
}

/** @param known the observations of the kinds before this one, its prerequisites among them */
function fromListing(
  account: OrganizationAccount,
  enrollment: EnrollmentId,
  listings: Listings,
  known: Partial<Observations>,
): Observation {
  const { [enrollment]: listing, [LEADING_KIND]: leading } = listings;
  if (listing === null) return NOT_LISTED;
  const seen = listing.seen.get(account.id);
  if (seen !== undefined) return seen;
  const { absence } = kindOf(enrollment);
  if (absence === 'unknown') return absentFrom(listing);
  // The account is listed with a value that this version does not know, so it is read individually.
  if (listing.leftOut?.has(account.id) === true) return NOT_LISTED;
  // No listing ever contains the management account, so its absence from a broken one is no reason to call it Unknown.
  if (listing.brokenBy !== null && !account.management) return absentFrom(listing);
  if (absence === 'inactive') return notEnrolled(account, enrollment, leading);
  return lacksPrerequisite(enrollment, known) ? absent(enrollment) : NOT_LISTED;
}

/** An account that a complete listing omits, for a kind whose listing names every account that was ever enrolled. */
function notEnrolled(account: OrganizationAccount, enrollment: EnrollmentId, leading: Listing | null): Observation {
  if (account.management) return NOT_LISTED;
  // The leading listing names every member. An account that it lacks as well may have left the organization since the snapshot.
  const isMember = leading === null || leading.seen.has(account.id) || leading.leftOut?.has(account.id) === true;
  return isMember ? absent(enrollment) : absentFrom(leading);
}

function absentFrom(listing: Listing): Observation {
  return listing.brokenBy === null ? NOT_LISTED : unknown('listingIncomplete', listing.brokenBy.message);
}

function lacksPrerequisite(enrollment: EnrollmentId, known: Partial<Observations>): boolean {
  return kindOf(enrollment).prerequisites.some((id) => {
    const observation = known[id];
    return observation?.kind === 'observed' && observation.status !== 'Active';
  });
}

/**
 * Reads the enrollments that the listings do not name from the account itself.
 * @param wanted the enrollments to read; prerequisites of others are always read
 */
export async function probe(
  cloud: Cloud,
  retrying: Retrying,
  accountId: AccountId,
  known: Observations,
  wanted: readonly EnrollmentId[],
): Promise<Observations> {
  const found = { ...known };
  for (const enrollment of ENROLLMENT_IDS) {
    const needed = wanted.includes(enrollment) || dependentsOf(enrollment).length > 0;
    if (!needed || !isNotListed(found[enrollment])) continue;
    const off = kindOf(enrollment).absence === 'inactiveWithoutPrerequisite' && lacksPrerequisite(enrollment, found);
    found[enrollment] = off
      ? absent(enrollment)
      : await readOrUnknown(retrying, () => cloud.read(enrollment, accountId));
  }
  return found;
}

export function isNotListed(observation: Observation): boolean {
  return observation.kind === 'unknown' && observation.reason === 'notListed';
}
