import type { EnrollmentId } from '../../shared/domain/enrollment/kinds/index.ts';
import type { AccountId, TargetStatus } from '../../shared/domain/enrollment/model.ts';
import type { ChangeRequest, ChangeResult, Cloud } from '../../shared/ports/cloud.ts';

/** Of Compute Optimizer, or of another kind whose operation has this name. */
export const updateStatus = (
  accountId: AccountId,
  status: TargetStatus,
  kind: EnrollmentId = 'computeOptimizer',
): ChangeRequest => ({
  ...{ kind, action: 'UpdateEnrollmentStatus', clientToken: null, status },
  target: { scope: 'account', accountId },
});

export const organizationWide = (status: TargetStatus, kind: EnrollmentId = 'computeOptimizer'): ChangeRequest => ({
  ...{ kind, action: 'UpdateEnrollmentStatus', clientToken: null, status },
  target: { scope: 'organization' },
});

export const updateConfiguration = (
  accountId: AccountId,
  status: TargetStatus,
  clientToken = 'token-1',
): ChangeRequest => ({
  ...{ kind: 'automation', action: 'UpdateEnrollmentConfiguration', clientToken, status },
  target: { scope: 'account', accountId },
});

export const associate = (accountIds: readonly AccountId[], clientToken = 'token-1'): ChangeRequest => ({
  ...{ kind: 'automation', action: 'AssociateAccounts', clientToken, status: 'Active' },
  target: { scope: 'batch', accountIds },
});

export const disassociate = (accountIds: readonly AccountId[], clientToken = 'token-1'): ChangeRequest => ({
  ...{ kind: 'automation', action: 'DisassociateAccounts', clientToken, status: 'Inactive' },
  target: { scope: 'batch', accountIds },
});

/** Prepares and sends a change without anything in between. */
export async function changeNow(cloud: Pick<Cloud, 'prepareChange'>, request: ChangeRequest): Promise<ChangeResult> {
  const send = await cloud.prepareChange(request);
  return send();
}
