import type { BatchResult, BeforeSend, CallResult, Cloud } from '../../../ports/cloud.ts';
import type { Remediation } from './entries.ts';

/** What a call answered, in the one form that outcomes need. */
export interface Answer {
  readonly requestId: string | null;
  /** AWS's words on the status it answered, if any; not an observation. */
  readonly message: string | null;
  /** A batch call that left the account out: why. */
  readonly refused: string | null;
}

/** Makes the wire call of an undertaking about one account. */
export async function send(cloud: Cloud, undertaking: Remediation, beforeSend: BeforeSend): Promise<Answer> {
  const { assessment } = undertaking;
  const { accountId, action } = assessment;
  const status = assessment.target ?? 'Active';
  const clientToken = undertaking.clientToken ?? '';
  const accountIds = [accountId];
  switch (action) {
    case 'UpdateEnrollmentStatus':
      return single(
        await cloud.updateEnrollmentStatus({ accountId, status, includeMemberAccounts: false }, beforeSend),
      );
    case 'UpdateEnrollmentConfiguration':
      return single(await cloud.updateEnrollmentConfiguration({ accountId, status, clientToken }, beforeSend));
    case 'AssociateAccounts':
      return batchOfOne(accountId, await cloud.associateAccounts({ accountIds, clientToken }, beforeSend));
    case 'DisassociateAccounts':
      return batchOfOne(accountId, await cloud.disassociateAccounts({ accountIds, clientToken }, beforeSend));
    case 'none':
      throw new Error(`no action was decided for account ${accountId}`);
  }
}

function single({ requestId, statusReason }: CallResult): Answer {
  return { requestId, message: statusReason, refused: null };
}

function batchOfOne(accountId: string, { requestId, succeeded, errors }: BatchResult): Answer {
  const refused = succeeded.has(accountId) ? null : errors.join('; ') || 'AWS left it out and gave no reason';
  return { requestId, message: null, refused };
}
