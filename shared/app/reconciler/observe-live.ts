import { desiredOf } from '../../domain/decision/assess.ts';
import type { EnrollmentId } from '../../domain/enrollment/kinds/index.ts';
import { mismatchOf, type Observations } from '../../domain/enrollment/mismatch.ts';
import type { AccountId } from '../../domain/enrollment/model.ts';
import type { OrganizationAccount } from '../../domain/policy/index.ts';
import type { Observed } from '../../ports/cloud.ts';
import { NOT_LISTED } from '../survey/observations.ts';
import type { WorkContext } from './worker-context.ts';

/** One enrollment as AWS shows it now. @throws CloudError */
export async function readLive(work: WorkContext, accountId: AccountId, enrollment: EnrollmentId): Promise<Observed> {
  const { cloud } = work.deps;
  return work.retrying(() => cloud.read(enrollment, accountId));
}

/**
 * The observations that the assessment of one enrollment needs. For drifted Automation that includes its prerequisite, Compute Optimizer.
 * @throws CloudError
 */
export async function observeLive(
  work: WorkContext,
  facts: OrganizationAccount,
  enrollment: EnrollmentId,
): Promise<Observations> {
  // A closed account cannot be read and is NotApplicable anyway. An account that the policy cannot decide is Unknown.
  if (facts.state !== 'ACTIVE' || !work.policy.canDecide(facts))
    return { computeOptimizer: NOT_LISTED, automation: NOT_LISTED };
  const observed = await readLive(work, facts.id, enrollment);
  if (enrollment === 'computeOptimizer') return { computeOptimizer: observed, automation: NOT_LISTED };
  const desired = desiredOf(work.policy.resolve(facts), facts, 'automation');
  if (mismatchOf(desired, observed) === null) return { computeOptimizer: NOT_LISTED, automation: observed };
  return { computeOptimizer: await readLive(work, facts.id, 'computeOptimizer'), automation: observed };
}
