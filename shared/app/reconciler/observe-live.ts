import type { AccountRecord } from '../../domain/account/record.ts';
import { desiredOf } from '../../domain/decision/assess.ts';
import {
  byKind,
  ENROLLMENT_IDS,
  type EnrollmentId,
  independentOf,
  isAvailable,
  kindOf,
} from '../../domain/enrollment/kinds/index.ts';
import { mismatchOf, type Observations } from '../../domain/enrollment/mismatch.ts';
import type { AccountId, EpochMs, Observation } from '../../domain/enrollment/model.ts';
import type { DesiredEnrollment } from '../../domain/enrollment/verdict.ts';
import type { OrganizationAccount } from '../../domain/policy/index.ts';
import type { Observed } from '../../ports/cloud.ts';
import { absent, LEADING_KIND, NOT_LISTED } from '../survey/observations.ts';
import type { MessageContext, WorkContext } from './worker-context.ts';

/** Reads one enrollment of one account. @throws CloudError */
export async function readLive(work: WorkContext, accountId: AccountId, enrollment: EnrollmentId): Promise<Observed> {
  const { cloud } = work.deps;
  return work.retrying(() => cloud.read(enrollment, accountId));
}

export interface LiveObservations {
  readonly observations: Observations;
  /** Whether the observation comes from a listing. Then a later listing confirms the change. */
  readonly listed: boolean;
}

/**
 * The observations that the assessment of one enrollment needs. For an enrollment that drifted they include its prerequisites.
 * @param known the account's record
 * @throws CloudError
 */
export async function observeLive(
  work: MessageContext,
  facts: OrganizationAccount,
  enrollment: EnrollmentId,
  known: AccountRecord,
): Promise<LiveObservations> {
  const found: Record<EnrollmentId, Observation> = byKind(() => NOT_LISTED);
  // A closed account cannot be read and is NotApplicable anyway. An account that the policy cannot decide is Unknown.
  if (facts.state !== 'ACTIVE' || !work.policy.canDecide(facts)) return { observations: found, listed: false };
  if (!isAvailable(enrollment, work.caller.partition)) return { observations: found, listed: false };
  const desired = desiredOf(work.policy.resolve(facts), facts, enrollment);
  const since = listingSince(work, facts, enrollment, desired, known);
  const listedOf = async (id: EnrollmentId): Promise<Observed | null> =>
    since === null ? null : listedState(work, known, id, since);
  const own = await listedOf(enrollment);
  const observed = own ?? (await readLive(work, facts.id, enrollment));
  found[enrollment] = observed;
  const { prerequisites } = kindOf(enrollment);
  if (prerequisites.length > 0 && mismatchOf(desired, observed) !== null) {
    for (const id of prerequisites) {
      const listed = await listedOf(id);
      // A prerequisite that somebody has enabled since the listing must not keep the enrollment waiting until the next scan.
      found[id] = listed?.status === 'Active' ? listed : await readLive(work, facts.id, id);
    }
    const mayBeOutdated = own === null && isUnenrolled(observed) && prerequisites.every((id) => isActive(found[id]));
    if (mayBeOutdated) found[enrollment] = await readLive(work, facts.id, enrollment);
  }
  return { observations: found, listed: own !== null };
}

/** A listing that began after this time, epoch ms, may replace the read; `null`: none may. No listing contains the management account. */
function listingSince(
  work: MessageContext,
  facts: OrganizationAccount,
  enrollment: EnrollmentId,
  { status, ruleMode }: DesiredEnrollment,
  { conditions }: AccountRecord,
): EpochMs | null {
  // An opt-out follows only from the account's own answer.
  if (work.listingsSince === null || facts.management || status !== 'Active' || ruleMode === 'NoneAllowed') return null;
  // A change of an independent kind does not affect this listing. If it counted, two kinds of one account would outdate each other's listing.
  const shown = ENROLLMENT_IDS.filter((id) => !independentOf(enrollment).includes(id));
  const changes = shown.flatMap((id) => conditions[id]?.changedAt ?? []).map((at) => Date.parse(at));
  return Math.max(work.listingsSince, ...changes);
}

/** The enrollment as listed; `null`: it has to be read. */
async function listedState(
  work: WorkContext,
  { accountId, conditions }: AccountRecord,
  enrollment: EnrollmentId,
  since: EpochMs,
): Promise<Observed | null> {
  const listing = await work.listings.instead(enrollment, since);
  const seen = listing?.seen.get(accountId);
  if (listing === null) return null;
  const lastUpdated = conditions[enrollment]?.lastUpdated ?? null;
  if (seen !== undefined) return isOlder(seen, lastUpdated) ? null : seen;
  if (isOlder(absent(enrollment), lastUpdated)) return null;
  const isComplete = listing.brokenBy === null && listing.leftOut?.has(accountId) !== true;
  if (kindOf(enrollment).absence !== 'inactive' || !isComplete) return null;
  // Absence means Inactive only for members, and the leading listing contains every member.
  const leading = await work.listings.instead(LEADING_KIND, since);
  return leading?.seen.has(accountId) === true ? absent(enrollment) : null;
}

/** Whether the listing shows an earlier state than the one on record: a replica of AWS may lag behind. Whole seconds, because AWS may round its times. */
function isOlder({ lastUpdated }: Observed, recorded: string | null): boolean {
  return recorded !== null && Math.floor((lastUpdated ?? 0) / 1_000) < Math.floor(Date.parse(recorded) / 1_000);
}

/**
 * AWS answered as for an account that was never enrolled. It does so while a prerequisite is not Active, whatever the enrollment was before. If the
 * prerequisites are Active by now, the answer is outdated: it hides a cool-down and a governing configuration.
 */
const isUnenrolled = ({ status, ruleMode, lastUpdated }: Observed): boolean =>
  status === 'Inactive' && ruleMode === null && lastUpdated === null;

const isActive = (found: Observation): boolean => found.kind === 'observed' && found.status === 'Active';
