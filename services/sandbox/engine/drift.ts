import { setHubStatus } from './cost-optimization-hub.ts';
import type { Enrollments } from './enrollments.ts';
import { isOpen, type Organization } from './organization.ts';
import { createRandom, sample } from './random.ts';
import type { Account, EnrollmentName, Status } from './types.ts';

type DriftChange = { accountId: string; enrollment: EnrollmentName | 'costOptimizationHub'; status: Status };
/** The drift to cause: a number of accounts, chosen by `seed`, that opt out of Compute Optimizer, or specific changes. */
export type DriftRequest =
  | { accounts: number; seed?: number | undefined }
  | { changes: readonly DriftChange[]; actor?: string | undefined };
export type DriftEvent = DriftChange & { before: Status; actor: string; at: Date };

/** A rejected control request. The message says what to correct. */
export class ControlError extends Error {
  override readonly name = 'ControlError';
}

/**
 * Changes enrollments as a user of the accounts would. All changes are checked before the first one is made. Throws
 * ControlError for a state that AWS does not allow: an unknown account, Automation without Compute Optimizer.
 */
export function applyDrift(
  organization: Organization,
  enrollments: Enrollments,
  request: DriftRequest,
  now: number,
): DriftEvent[] {
  const changes = 'changes' in request ? request.changes : chooseOptOuts(organization, request);
  const actor = 'changes' in request ? request.actor : undefined;
  const willBe = new Map<Account, Status>();
  for (const change of changes) checkChange({ organization, enrollments }, change, willBe);
  return changes.flatMap(({ accountId, enrollment, status }) => {
    const account = organization.account(accountId);
    if (account === undefined) return [];
    const before = account[enrollment].status;
    const by = actor ?? `arn:${organization.partition}:iam::${accountId}:user/operator`;
    const event = { accountId, enrollment, status, before, actor: by, at: new Date(now) };
    if (enrollment === 'costOptimizationHub') {
      setHubStatus(account, status === 'Active' ? 'Active' : 'Inactive', now);
      return [event];
    }
    if (enrollment === 'automation' && status === 'Inactive' && before !== 'Inactive')
      account.automationOptedOutAt = now;
    if (before !== status) {
      const reason = status === 'Failed' ? 'The service-linked role could not be created.' : null;
      enrollments.set(account, enrollment, status, reason, now);
    }
    return [event];
  });
}

function chooseOptOuts(
  organization: Organization,
  request: { accounts: number; seed?: number | undefined },
): DriftChange[] {
  const candidates = organization.accounts.filter(
    (account) =>
      isOpen(account) &&
      !account.management &&
      account !== organization.delegatedAdministrator &&
      account.computeOptimizer.status === 'Active',
  );
  return sample(createRandom(request.seed ?? 1), candidates, request.accounts).map(({ id }) => ({
    accountId: id,
    enrollment: 'computeOptimizer',
    status: 'Inactive',
  }));
}

function checkChange(
  { organization, enrollments }: { organization: Organization; enrollments: Enrollments },
  change: DriftChange,
  willBe: Map<Account, Status>,
): void {
  const account = organization.account(change.accountId);
  if (account === undefined) throw new ControlError(`Account ${change.accountId} is not in the organization`);
  if (change.enrollment === 'costOptimizationHub') {
    if (change.status !== 'Active' && change.status !== 'Inactive')
      throw new ControlError(`Cost Optimization Hub has no status ${change.status}`);
    return;
  }
  if (change.enrollment === 'computeOptimizer') {
    willBe.set(account, change.status);
    return;
  }
  const computeOptimizer = willBe.get(account) ?? account.computeOptimizer.status;
  if (change.status !== 'Inactive' && computeOptimizer !== 'Active')
    throw new ControlError(
      `Automation of account ${change.accountId} needs Compute Optimizer Active, not ${computeOptimizer}`,
    );
  if (change.status === 'Inactive' && enrollments.configurations.covers(account))
    throw new ControlError(`A configuration keeps Automation of account ${change.accountId} enabled`);
}
