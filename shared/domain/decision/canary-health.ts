import { isManaged } from '../account/compliance.ts';
import type { AccountRecord } from '../account/record.ts';
import type { Condition } from '../enrollment/condition.ts';
import { ENROLLMENT_IDS } from '../enrollment/kinds/index.ts';
import type { EpochMs } from '../enrollment/model.ts';
import { reasonText } from '../enrollment/reason-codes.ts';
import { statusOf } from '../enrollment/status.ts';
import type { CompiledPolicy, OrganizationAccount } from '../policy/index.ts';
import { fieldsOf } from '../policy/types.ts';

/** The state of the canaries taken together. */
export type CanaryVerdict =
  | { readonly kind: 'compliant'; readonly since: EpochMs }
  | { readonly kind: 'pending'; readonly message: string }
  | { readonly kind: 'failed'; readonly message: string };

/** The canaries with enforcement: ACTIVE, mode `enforce`, and at least one managed enrollment without an exemption. */
export function enforceableCanaries(
  policy: CompiledPolicy,
  accounts: Iterable<OrganizationAccount>,
  now: EpochMs,
): OrganizationAccount[] {
  const canaries: OrganizationAccount[] = [];
  for (const account of accounts) {
    if (account.state !== 'ACTIVE' || !policy.canDecide(account) || !policy.isCanary(account)) continue;
    const desired = policy.resolve(account);
    if (desired.mode.value !== 'enforce') continue;
    const enforced = ENROLLMENT_IDS.some(
      (name) =>
        fieldsOf(name).some((field) => desired[field].value !== 'unmanaged') &&
        policy.exemption(account.id, name, now) === null,
    );
    if (enforced) canaries.push(account);
  }
  return canaries;
}

const FAILED_REASONS: ReadonlySet<string> = new Set(['deadLettered', 'denied', 'enrollmentFailed', 'contested']);

/**
 * Assesses the canaries by their records. `since` is when the last canary became Compliant.
 * @param startedAt when the first scan under the policy was complete; canaries that were Compliant earlier count from then
 */
export function assessCanaries(records: readonly AccountRecord[], startedAt: EpochMs): CanaryVerdict {
  let since = startedAt;
  let assessed = 0;
  const pending: string[] = [];
  for (const record of records.filter(({ present }) => present)) {
    for (const enrollment of ENROLLMENT_IDS) {
      const condition = record.conditions[enrollment];
      if (condition === null || isIgnored(condition)) continue;
      assessed += 1;
      const { verdict, reason } = condition;
      const why = reason === null ? '' : ` (${reasonText(reason)})`;
      const what = `${record.accountId} has the status ${statusOf(condition)}${why}`;
      if (hasFailed(condition)) return { kind: 'failed', message: `canary ${what}` };
      if (verdict === 'Compliant') since = Math.max(since, Date.parse(condition.since));
      else pending.push(what);
    }
  }
  // An operator may have removed all canaries because of a problem, so the rollout must not continue by itself.
  if (assessed === 0)
    return { kind: 'failed', message: 'no canary is left: all have left, or were suspended or exempted' };
  const [first] = pending;
  if (first === undefined) return { kind: 'compliant', since };
  const more = pending.length === 1 ? '' : `, and ${pending.length - 1} more`;
  return { kind: 'pending', message: `waiting for the canaries: ${first}${more}` };
}

/** Whether the condition gives no evidence about the policy: the enrollment is not enforced, cannot be read, or is only alerted on. */
function isIgnored({ verdict, reason }: Condition): boolean {
  return !isManaged(verdict) || reason === 'callerCannotRead' || reason === 'alertOnly';
}

function hasFailed({ verdict, reason }: Condition): boolean {
  return verdict === 'Stalled' || (verdict !== 'Compliant' && reason !== null && FAILED_REASONS.has(reason));
}
