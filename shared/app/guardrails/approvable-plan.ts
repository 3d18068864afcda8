import { isOutdatedKey } from '../../domain/decision/configuration-key.ts';
import type { Registers } from '../../ports/registers.ts';
import { policyInForce } from '../coordination/policy-in-force.ts';
import { RunStore, type StoredPlan } from '../coordination/run-store.ts';

/** The plan cannot be approved. The message says why and what to do instead. */
export class ApprovalError extends Error {
  override readonly name = 'ApprovalError';
  readonly code:
    | 'PlanUnknown'
    | 'PlanAmbiguous'
    | 'PlanOutdated'
    | 'PlanNotApprovable'
    | 'PlanAlreadyApproved'
    | 'ApprovalUsed'
    | 'NotKept';

  constructor(code: ApprovalError['code'], message: string) {
    super(message);
    this.code = code;
  }
}

/**
 * The stored plan that is to be approved.
 * @param hashPrefix its hash, or a unique prefix of it
 * @throws ApprovalError if it is unknown, outdated or stopped by a guardrail that no approval lifts
 */
export async function approvablePlan(registers: Registers, hashPrefix: string): Promise<StoredPlan> {
  const plan = await storedPlan(registers, hashPrefix);
  refuseOutdated(plan, await policyInForce(registers));
  refuseOutdatedKeys(plan);
  refuseUnliftable(plan);
  return plan;
}

async function storedPlan(registers: Registers, hashPrefix: string): Promise<StoredPlan> {
  const plans = await new RunStore(registers).storedPlans(hashPrefix);
  const [plan, another] = plans;
  if (plan === undefined) {
    throw new ApprovalError(
      'PlanUnknown',
      `No stored plan begins with ${hashPrefix}. A run (rollcall apply or serve) stores only plans that a guardrail or a rollout stopped, ` +
        'or that change configurations set by somebody else. The output of apply shows the hash, and so does the GuardrailTripped entry ' +
        'of a stopped plan (rollcall audit list --type GuardrailTripped).',
    );
  }
  if (another === undefined) return plan;
  const some = plans.slice(0, 3).map(({ hash }) => hash.slice(0, 20));
  throw new ApprovalError(
    'PlanAmbiguous',
    `Several stored plans begin with ${hashPrefix}: ${some.join(', ')}. Give a longer prefix.`,
  );
}

function refuseOutdated({ hash, policyHash }: StoredPlan, inForce: string | null): void {
  if (policyHash === inForce) return;
  const current = inForce === null ? 'unknown' : short(inForce);
  const policies = `It was made under policy ${short(policyHash)}; the policy in force is ${current}`;
  throw new ApprovalError(
    'PlanOutdated',
    `Plan ${short(hash)} is outdated and cannot be approved. ${policies}. If a newer plan waits for an approval, approve that one: ` +
      'its hash is in the output of apply and in the last GuardrailTripped entry (rollcall audit list --type GuardrailTripped).',
  );
}

function refuseOutdatedKeys({ hash, keys }: StoredPlan): void {
  if (!keys.some(isOutdatedKey)) return;
  throw new ApprovalError(
    'PlanOutdated',
    `Plan ${short(hash)} is outdated and cannot be approved: an earlier version stored it without the present rule modes of configurations ` +
      'set by somebody else. Run rollcall apply again and approve the plan that it shows.',
  );
}

/** What to do about a plan that was stopped by a guardrail that no approval lifts. */
const UNLIFTABLE: ReadonlyMap<string | null, string> = new Map([
  [
    'maxOptOuts',
    'Opting out deletes data, so only the policy allows it: raise guardrails.maxOptOuts there if these opt-outs are wanted, then scan again.',
  ],
  [
    'minCoverage',
    'Too few accounts have a known status, so this plan cannot be approved: rollcall status and rollcall doctor show what could not be read. ' +
      'Fix that and scan again, or lower guardrails.minCoverage in the policy.',
  ],
]);

function refuseUnliftable({ hash, heldUpBy }: StoredPlan): void {
  const advice = UNLIFTABLE.get(heldUpBy);
  if (advice === undefined) return;
  throw new ApprovalError(
    'PlanNotApprovable',
    `Plan ${short(hash)} cannot be approved: it is held up by ${heldUpBy}, and no approval lifts this guardrail. ${advice}`,
  );
}

/** A hash as messages show it. */
export const short = (hash: string): string => hash.slice(0, 12);
