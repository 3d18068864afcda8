import { type EnrollmentId, kindOf } from '../../domain/enrollment/kinds/index.ts';
import type { AccountId } from '../../domain/enrollment/model.ts';
import { type ChangeRequest, type ChangeResult, CloudError } from '../../ports/cloud.ts';
import { type Failure, undone } from './error-policy.ts';
import { attemptsOf, type Remediation } from './remediation-entries.ts';

/**
 * A `batch` changes the members that could be claimed. The call for the `organization` or for a `configuration` changes every account that it
 * reaches, so it needs all claims.
 */
export type CallScope = 'account' | 'batch' | 'organization' | 'configuration';

/** Whether a call changes accounts that it does not name. */
export const reachesAll = (scope: CallScope): boolean => scope === 'organization' || scope === 'configuration';

/** AWS accepted the call, but reported no success for the account [API_automation_AssociateAccounts]. */
const NOT_AMONG_SUCCEEDED = 'NotAmongSucceeded';

/** The request of one mutating call for these accounts. */
export function requestOf(scope: CallScope, remediations: readonly Remediation[]): ChangeRequest {
  const [first] = remediations;
  if (first === undefined) throw new Error('a call needs an account');
  const { assessment, clientToken } = first;
  const { accountId, enrollment: kind, action } = assessment;
  if (action === 'none') throw new Error(`no action was decided for account ${accountId}`);
  const status = assessment.target ?? (assessment.optOut ? 'Inactive' : 'Active');
  return { kind, action, target: targetOf(scope, remediations, first), status, clientToken };
}

function targetOf(
  scope: CallScope,
  remediations: readonly Remediation[],
  { assessment }: Remediation,
): ChangeRequest['target'] {
  if (scope === 'organization') return { scope };
  if (scope === 'account' && assessment.scope !== 'batch') return { scope, accountId: assessment.accountId };
  return { scope: 'batch', accountIds: remediations.map(({ assessment: { accountId } }) => accountId) };
}

/** @throws CloudError if a batch call for a single account left it out. */
export function requireAccepted({ assessment }: Remediation, { refused }: ChangeResult): void {
  if (!refused.has(assessment.accountId)) return;
  const message = refused.get(assessment.accountId) ?? 'AWS left it out and gave no reason';
  throw localError(assessment, { code: NOT_AMONG_SUCCEEDED, kind: 'Prerequisite', message, ambiguous: true });
}

/** The failure of an account that a batch call left out; `null`: it was changed. */
export function leftOut(remediation: Remediation, { refused, requestId }: ChangeResult): Failure | null {
  const { accountId } = remediation.assessment;
  if (!refused.has(accountId)) return null;
  const message = refused.get(accountId) ?? 'AWS left the account out of the batch and gave no reason';
  const error = { kind: 'Batch', code: NOT_AMONG_SUCCEEDED, message, requestId, operation: null };
  return { outcome: undone(attemptsOf(remediation)), error };
}

/** The call that failed: the assessment of its account, or `accountId: null` for a call that concerns many accounts. */
interface LocalCall {
  readonly accountId: AccountId | null;
  readonly action: string;
  readonly enrollment: EnrollmentId;
}

/** An error of a mutating call that this process itself detects, in the form of AWS's errors. */
export function localError(
  { accountId, action, enrollment }: LocalCall,
  { message, ...details }: Pick<CloudError['details'], 'code' | 'kind' | 'ambiguous'> & { readonly message: string },
): CloudError {
  const { service } = kindOf(enrollment);
  return new CloudError(message, { ...details, service, operation: action, accountId, requestId: null });
}
