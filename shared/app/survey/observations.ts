import type { AccountRecord } from '../../domain/account/record.ts';
import type { EnrollmentId } from '../../domain/enrollment/kinds/index.ts';
import type { Observations } from '../../domain/enrollment/mismatch.ts';
import type { AccountId, Caller, EpochMs, Observation } from '../../domain/enrollment/model.ts';
import type { CompiledPolicy, OrganizationAccount } from '../../domain/policy/index.ts';
import type { Cloud, Observed } from '../../ports/cloud.ts';
import { CloudError } from '../../ports/cloud.ts';
import type { Retrying } from '../support/retry.ts';
import type { Listing } from './paged-listing.ts';

/** Whether the policy says anything about Automation at all; if not, nobody needs to list it. */
export function managesAutomation({ policy }: CompiledPolicy): boolean {
  const says = [policy.defaults, ...policy.rules.map((rule) => rule.sets)];
  return says.some(
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

/** Automation where Compute Optimizer is not Active: the listing names enrolled accounts only, so this one cannot have it. */
export const AUTOMATION_ABSENT: Observed = {
  kind: 'observed',
  status: 'Inactive',
  ruleMode: 'NoneAllowed',
  statusReason: null,
  lastUpdated: null,
};

/** What an error on a read says about the account. `Unauthenticated` says something about us, and is thrown on. */
function unknownBecause(error: unknown): Observation {
  if (!(error instanceof CloudError) || error.kind === 'Unauthenticated') throw error;
  return unknown(error.kind === 'Denied' ? 'denied' : 'unavailable', error.message);
}

/** Reads one enrollment of one account; an account that cannot be read is Unknown, not an error. */
async function readOrUnknown(retrying: Retrying, read: () => Promise<Observed>): Promise<Observation> {
  try {
    return await retrying(read);
  } catch (error) {
    return unknownBecause(error);
  }
}

/** Whether this caller can never read the account: the management account, seen from a delegated administrator. */
export function outOfSight(caller: Caller, accountId: AccountId): boolean {
  return caller.role === 'delegatedAdministrator' && accountId === caller.managementAccountId;
}

/**
 * What is known of an account where a scan has been told something older: since it began to ask, somebody (a worker, mostly) has written
 * down what they saw, and by AWS's own timestamp that is the newer. Of what was written before, the answer is the authority, whatever
 * its timestamp. What carries no timestamp (that a listing lacks the account) was told after the scan began to ask: an entry from since
 * then may only repeat what was known before, as that of a worker who could not read does, and is newer only if AWS's timestamp is, too.
 */
export function overtaken(told: Observations, record: AccountRecord | null, begunAt: EpochMs): Observations {
  const newer = (enrollment: EnrollmentId): Observation => {
    const condition = record?.conditions[enrollment] ?? null;
    const observation = told[enrollment];
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
  /** `null`: the policy does not manage Automation and nobody listed it. */
  readonly automation: Listing | null;
}

/** What the listings alone say of an account. */
export function fromListings(caller: Caller, facts: OrganizationAccount, listings: Listings): Observations {
  if (outOfSight(caller, facts.id)) {
    const hidden = unknown('callerCannotRead', 'only the management account itself can read its own enrollment');
    return { computeOptimizer: hidden, automation: hidden };
  }
  const { computeOptimizer, automation } = listings;
  const enrolled = computeOptimizer.seen.get(facts.id) ?? absentFrom(computeOptimizer);
  if (automation === null) return { computeOptimizer: enrolled, automation: NOT_LISTED };
  return { computeOptimizer: enrolled, automation: automationOf(facts, enrolled, automation) };
}

function absentFrom(listing: Listing): Observation {
  return listing.brokenBy === null ? NOT_LISTED : unknown('listingIncomplete', listing.brokenBy.message);
}

function automationOf(facts: OrganizationAccount, enrolled: Observation, listing: Listing): Observation {
  const seen = listing.seen.get(facts.id);
  if (seen !== undefined) return seen;
  // The account is listed with a value that this version does not know, so it is read by itself.
  if (listing.leftOut?.has(facts.id) === true) return NOT_LISTED;
  // No listing names the management account: one that broke off says as little of it as a whole one.
  if (listing.brokenBy !== null && !facts.management) return absentFrom(listing);
  return enrolled.kind === 'observed' && enrolled.status !== 'Active' ? AUTOMATION_ABSENT : NOT_LISTED;
}

/**
 * Fills what the listings left open by reading the account itself: through its member role, or by our own credentials for
 * our own account, which no listing names when we are the management account.
 */
export async function probe(
  cloud: Cloud,
  retrying: Retrying,
  accountId: AccountId,
  known: Observations,
  wantsAutomation: boolean,
): Promise<Observations> {
  const computeOptimizer = isNotListed(known.computeOptimizer)
    ? await readOrUnknown(retrying, () => cloud.read('computeOptimizer', accountId))
    : known.computeOptimizer;
  if (!wantsAutomation || !isNotListed(known.automation)) return { computeOptimizer, automation: known.automation };
  const off = computeOptimizer.kind === 'observed' && computeOptimizer.status !== 'Active';
  const automation = off ? AUTOMATION_ABSENT : await readOrUnknown(retrying, () => cloud.read('automation', accountId));
  return { computeOptimizer, automation };
}

export function isNotListed(observation: Observation): boolean {
  return observation.kind === 'unknown' && observation.reason === 'notListed';
}
