import type { AccountRecord } from '../../domain/account/record.ts';
import type { EnrollmentId } from '../../domain/enrollment/kinds/index.ts';
import type { Observations } from '../../domain/enrollment/mismatch.ts';
import type { AccountId, Caller, EpochMs, Observation } from '../../domain/enrollment/model.ts';
import type { CompiledPolicy, OrganizationAccount } from '../../domain/policy/index.ts';
import type { Cloud, Observed } from '../../ports/cloud.ts';
import { CloudError } from '../../ports/cloud.ts';
import type { Retrying } from '../support/retry.ts';
import type { Listing } from './paged-listing.ts';

/** Whether the policy manages Automation in any account. If not, the Automation listing is not read. */
export function managesAutomation({ policy }: CompiledPolicy): boolean {
  const settings = [policy.defaults, ...policy.rules.map((rule) => rule.sets)];
  return settings.some(
    ({ automation, organizationRules }) =>
      (automation ?? 'unmanaged') !== 'unmanaged' || (organizationRules ?? 'unmanaged') !== 'unmanaged',
  );
}

const unknown = (reason: Extract<Observation, { kind: 'unknown' }>['reason'], message: string | null): Observation => ({
  kind: 'unknown',
  reason,
  message,
});

export const NOT_LISTED = unknown('notListed', 'the listing is complete and does not name it');

/** Automation of an account that is neither in its listing nor Active in Compute Optimizer, which Automation requires. */
export const AUTOMATION_ABSENT: Observed = {
  kind: 'observed',
  status: 'Inactive',
  ruleMode: 'NoneAllowed',
  statusReason: null,
  lastUpdated: null,
};

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
 * Replaces observations of a scan that are older than the account record: another process, usually a worker, recorded a newer state after
 * the scan began. AWS's own timestamps decide which is newer. A record written before the scan began never wins.
 * An observation without a timestamp (the listing lacks the account) is dated to the start of the scan, because a record written
 * since then may only repeat an older state, for example that of a worker whose read failed.
 */
export function preferNewerRecords(
  observed: Observations,
  record: AccountRecord | null,
  begunAt: EpochMs,
): Observations {
  const newer = (enrollment: EnrollmentId): Observation => {
    const condition = record?.conditions[enrollment] ?? null;
    const observation = observed[enrollment];
    if (condition === null || condition.status === null || condition.lastUpdated === null) return observation;
    if (observation.kind !== 'observed' || Date.parse(condition.changedAt) < begunAt) return observation;
    const lastUpdated = Date.parse(condition.lastUpdated);
    if ((observation.lastUpdated ?? begunAt) >= lastUpdated) return observation;
    const { status, ruleMode } = condition;
    return { kind: 'observed', status, ruleMode, statusReason: null, lastUpdated };
  };
  return { computeOptimizer: newer('computeOptimizer'), automation: newer('automation') };
}

export interface Listings {
  readonly computeOptimizer: Listing;
  /** `null`: the policy does not manage Automation, so it was not listed. */
  readonly automation: Listing | null;
}

/** The observations of an account that follow from the listings alone. */
export function fromListings(caller: Caller, account: OrganizationAccount, listings: Listings): Observations {
  if (isUnreadable(caller, account.id)) {
    const hidden = unknown('callerCannotRead', 'only the management account itself can read its own enrollment');
    return { computeOptimizer: hidden, automation: hidden };
  }
  const { computeOptimizer, automation } = listings;
  const enrolled = computeOptimizer.seen.get(account.id) ?? absentFrom(computeOptimizer);
  if (automation === null) return { computeOptimizer: enrolled, automation: NOT_LISTED };
  return { computeOptimizer: enrolled, automation: automationOf(account, enrolled, automation) };
}

function absentFrom(listing: Listing): Observation {
  return listing.brokenBy === null ? NOT_LISTED : unknown('listingIncomplete', listing.brokenBy.message);
}

function automationOf(account: OrganizationAccount, enrolled: Observation, listing: Listing): Observation {
  const seen = listing.seen.get(account.id);
  if (seen !== undefined) return seen;
  // The account is listed with a value that this version does not know, so it is read individually.
  if (listing.leftOut?.has(account.id) === true) return NOT_LISTED;
  // No listing names the management account, so a broken one does not make it less known.
  if (listing.brokenBy !== null && !account.management) return absentFrom(listing);
  return enrolled.kind === 'observed' && enrolled.status !== 'Active' ? AUTOMATION_ABSENT : NOT_LISTED;
}

/**
 * Reads from the account what the listings do not contain: through its member role, or with the process's own credentials if the
 * account is the caller's. No listing names the management account.
 */
export async function probe(
  cloud: Cloud,
  retrying: Retrying,
  accountId: AccountId,
  known: Observations,
  readsAutomation: boolean,
): Promise<Observations> {
  const computeOptimizer = isNotListed(known.computeOptimizer)
    ? await readOrUnknown(retrying, () => cloud.read('computeOptimizer', accountId))
    : known.computeOptimizer;
  if (!readsAutomation || !isNotListed(known.automation)) return { computeOptimizer, automation: known.automation };
  const off = computeOptimizer.kind === 'observed' && computeOptimizer.status !== 'Active';
  const automation = off ? AUTOMATION_ABSENT : await readOrUnknown(retrying, () => cloud.read('automation', accountId));
  return { computeOptimizer, automation };
}

export function isNotListed(observation: Observation): boolean {
  return observation.kind === 'unknown' && observation.reason === 'notListed';
}
