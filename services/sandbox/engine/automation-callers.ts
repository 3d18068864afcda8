import { type Call, Failure, isDelegatedAdministrator } from './operation.ts';
import type { Account } from './types.ts';

export function optInRequired(): Failure {
  return new Failure('OptInRequiredException', 'The account must be opted in to AWS Compute Optimizer first.');
}

export const optedIn = (account: Account): boolean => account.computeOptimizer.status === 'Active';

/**
 * Organization-level operations need the management account or the delegated administrator, and trusted access.
 * @param code the error for other callers
 */
export function refuseOutsiders(call: Call, code = 'NotManagementAccountException'): Failure | null {
  const { world, caller } = call;
  if (!caller.management && !isDelegatedAdministrator(call))
    return new Failure(code, 'Only the management account or the delegated administrator can perform this action.');
  if (!world.enrollments.trustedAccess)
    return caller.management
      ? new Failure('ForbiddenException', 'Trusted access for Compute Optimizer is not enabled in the organization.')
      : new Failure('AccessDeniedException', 'The delegated administrator needs trusted access in the organization.');
  return optedIn(caller) ? null : optInRequired();
}
