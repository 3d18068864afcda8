import type { BeforeSend, ChangeRequest, ChangeResult, Cloud } from '../../../ports/cloud.ts';
import { attemptsOf, type Remediation } from './entries.ts';
import { type Failure, undone } from './error-policy.ts';
import { localError } from './local-error.ts';

export type CallScope = 'account' | 'batch' | 'organization';

/** AWS accepted the call, but reported no success for the account [API_automation_AssociateAccounts]. */
const NOT_AMONG_SUCCEEDED = 'NotAmongSucceeded';

/** @throws CloudError if a batch call for a single account left it out. */
export async function sendCall(
  cloud: Cloud,
  scope: CallScope,
  remediations: readonly Remediation[],
  beforeSend: BeforeSend,
): Promise<ChangeResult> {
  const [first] = remediations;
  if (first === undefined) throw new Error('a call needs an account');
  const { assessment, clientToken } = first;
  const { accountId, enrollment: kind, action } = assessment;
  if (action === 'none') throw new Error(`no action was decided for account ${accountId}`);
  const target = targetOf(scope, remediations, first);
  const status = assessment.target ?? (assessment.optOut ? 'Inactive' : 'Active');
  const answer = await cloud.change({ kind, action, target, status, clientToken }, beforeSend);
  if (scope !== 'account' || !answer.refused.has(accountId)) return answer;
  const message = answer.refused.get(accountId) ?? 'AWS left it out and gave no reason';
  throw localError(assessment, { code: NOT_AMONG_SUCCEEDED, kind: 'Prerequisite', message, ambiguous: true });
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

/** The failure of an account that a batch call left out; `null`: it was changed. */
export function leftOut(remediation: Remediation, { refused, requestId }: ChangeResult): Failure | null {
  const { accountId } = remediation.assessment;
  if (!refused.has(accountId)) return null;
  const message = refused.get(accountId) ?? 'AWS left the account out of the batch and gave no reason';
  const error = { kind: 'Batch', code: NOT_AMONG_SUCCEEDED, message, requestId, operation: null };
  return { outcome: undone(attemptsOf(remediation)), error };
}
