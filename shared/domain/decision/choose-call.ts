import { actionFor, type EnrollmentId, kindOf } from '../enrollment/kinds/index.ts';
import type { Call, Observed } from '../enrollment/mismatch.ts';
import type { Caller, Scope } from '../enrollment/model.ts';
import type { DesiredEnrollment } from '../enrollment/verdict.ts';
import type { OrganizationAccount } from '../policy/index.ts';

/**
 * The next call for a mismatch. An associated account must be disassociated before it can be disabled, and associating enables
 * the enrollment as well as setting the rule mode [automation-org, API_automation_UpdateEnrollmentConfiguration].
 * @param governed an organization enrollment configuration determines the rule mode
 */
export function chooseCall(
  caller: Caller,
  account: OrganizationAccount,
  desired: DesiredEnrollment,
  observation: Observed,
  enrollment: EnrollmentId,
  governed = false,
): Call {
  const scope: Scope = account.id === caller.accountId ? 'own' : 'member';
  const target = desired.status ?? 'Active';
  const optOut = target === 'Inactive';
  const { operation: setStatus } = actionFor(enrollment, 'setStatus');
  const direct: Call = { action: setStatus, scope, target, optOut, enables: !optOut };
  // AWS refuses to associate or disassociate a governed account, and the configuration gives it its rule mode.
  if (!kindOf(enrollment).hasRuleMode || governed) return direct;
  // The management account is never associated, whatever rule mode AWS reports for it.
  const associated = observation.ruleMode === 'AnyAllowed' && !account.management;
  if (desired.ruleMode === 'AnyAllowed') {
    const { operation: action } = actionFor(enrollment, 'associate');
    return { action, scope: 'batch', target: null, optOut: false, enables: true };
  }
  if (associated && (desired.ruleMode === 'NoneAllowed' || optOut)) {
    const { operation: action } = actionFor(enrollment, 'disassociate');
    return { action, scope: 'batch', target: null, optOut: true, enables: false };
  }
  return direct;
}
