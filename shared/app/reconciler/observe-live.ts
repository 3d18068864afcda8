import { desiredOf } from '../../domain/decision/assess.ts';
import { byKind, type EnrollmentId, isAvailable, kindOf } from '../../domain/enrollment/kinds/index.ts';
import { mismatchOf, type Observations } from '../../domain/enrollment/mismatch.ts';
import type { AccountId, Observation } from '../../domain/enrollment/model.ts';
import type { OrganizationAccount } from '../../domain/policy/index.ts';
import type { Observed } from '../../ports/cloud.ts';
import { NOT_LISTED } from '../survey/observations.ts';
import type { WorkContext } from './worker-context.ts';

/** Reads one enrollment of one account. @throws CloudError */
export async function readLive(work: WorkContext, accountId: AccountId, enrollment: EnrollmentId): Promise<Observed> {
  const { cloud } = work.deps;
  return work.retrying(() => cloud.read(enrollment, accountId));
}

/**
 * The observations that the assessment of one enrollment needs. For an enrollment that drifted they include its prerequisites.
 * @throws CloudError
 */
export async function observeLive(
  work: WorkContext,
  facts: OrganizationAccount,
  enrollment: EnrollmentId,
): Promise<Observations> {
  const found: Record<EnrollmentId, Observation> = byKind(() => NOT_LISTED);
  // A closed account cannot be read and is NotApplicable anyway. An account that the policy cannot decide is Unknown.
  if (facts.state !== 'ACTIVE' || !work.policy.canDecide(facts)) return found;
  if (!isAvailable(enrollment, work.caller.partition)) return found;
  const observed = await readLive(work, facts.id, enrollment);
  found[enrollment] = observed;
  const { prerequisites } = kindOf(enrollment);
  if (prerequisites.length === 0) return found;
  if (mismatchOf(desiredOf(work.policy.resolve(facts), facts, enrollment), observed) === null) return found;
  for (const id of prerequisites) found[id] = await readLive(work, facts.id, id);
  if (isUnenrolled(observed) && prerequisites.every((id) => isActive(found[id])))
    found[enrollment] = await readLive(work, facts.id, enrollment);
  return found;
}

/**
 * AWS answered as for an account that was never enrolled. It does so while a prerequisite is not Active, whatever the enrollment was before. If the
 * prerequisites are Active by now, the answer is outdated: it hides a cool-down and a governing configuration.
 */
const isUnenrolled = ({ status, ruleMode, lastUpdated }: Observed): boolean =>
  status === 'Inactive' && ruleMode === null && lastUpdated === null;

const isActive = (found: Observation): boolean => found.kind === 'observed' && found.status === 'Active';
