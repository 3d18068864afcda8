import type { BeforeSend, Cloud } from '../../../ports/cloud.ts';
import type { Remediation } from './entries.ts';

/** The answer of a call about one account. */
export interface Answer {
  readonly requestId: string | null;
  /** AWS's explanation of the status that it answered, if there is one; not an observation. */
  readonly message: string | null;
  /** Why a batch call left the account out; `null` if it succeeded. */
  readonly refused: string | null;
}

/** Makes the wire call of a remediation about one account. */
export async function send(
  cloud: Cloud,
  { assessment, clientToken }: Remediation,
  beforeSend: BeforeSend,
): Promise<Answer> {
  const { accountId, enrollment: kind, action, scope } = assessment;
  if (action === 'none') throw new Error(`no action was decided for account ${accountId}`);
  const target =
    scope === 'batch' ? ({ scope, accountIds: [accountId] } as const) : ({ scope: 'account', accountId } as const);
  const status = assessment.target ?? 'Active';
  const { requestId, message, refused } = await cloud.change({ kind, action, target, status, clientToken }, beforeSend);
  const reason = refused.get(accountId) ?? 'AWS left it out and gave no reason';
  return { requestId, message, refused: refused.has(accountId) ? reason : null };
}
