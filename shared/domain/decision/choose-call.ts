import type { EnrollmentId } from '../enrollment/kinds/index.ts';
import type { Call, Observed } from '../enrollment/mismatch.ts';
import type { Caller, Scope } from '../enrollment/model.ts';
import type { DesiredEnrollment } from '../enrollment/verdict.ts';
import type { OrganizationAccount } from '../policy/index.ts';

/**
 * The call for a mismatch. Order matters and is AWS's: a member is disassociated before it can disable Automation, and
 * associating both enables it and sets the rule mode, so that one batch call does two members' work
 * [automation-org, API_automation_UpdateEnrollmentConfiguration].
 */
export function chooseCall(
  caller: Caller,
  facts: OrganizationAccount,
  desired: DesiredEnrollment,
  observation: Observed,
  enrollment: EnrollmentId,
): Call {
  const scope: Scope = facts.id === caller.accountId ? 'own' : 'member';
  const target = desired.status ?? 'Active';
  const optOut = target === 'Inactive';
  if (enrollment === 'computeOptimizer') {
    return { action: 'UpdateEnrollmentStatus', scope, target, optOut, enables: !optOut };
  }
  // The management account's own rule mode is nobody's association: there is nothing to disassociate.
  const associated = observation.ruleMode === 'AnyAllowed' && !facts.management;
  if (desired.ruleMode === 'AnyAllowed') {
    return { action: 'AssociateAccounts', scope: 'batch', target: null, optOut: false, enables: true };
  }
  if (associated && (desired.ruleMode === 'NoneAllowed' || optOut)) {
    return { action: 'DisassociateAccounts', scope: 'batch', target: null, optOut: true, enables: false };
  }
  return { action: 'UpdateEnrollmentConfiguration', scope, target, optOut, enables: !optOut };
}
