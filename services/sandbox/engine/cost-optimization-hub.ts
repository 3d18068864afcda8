import { type Call, Failure, integer, isDelegatedAdministrator, type Operations, text } from './operation.ts';
import { isOpen } from './organization.ts';
import { paginate } from './pages.ts';
import type { Account, Output, RequestableStatus } from './types.ts';

const MAX_PAGE = 100;

/** Cost Optimization Hub's enrollment operations. Source: its API reference. */
export const costOptimizationHubOperations: Operations = {
  ListEnrollmentStatuses: { run: listEnrollmentStatuses },
  UpdateEnrollmentStatus: { run: updateEnrollmentStatus, mutating: true },
};

function listEnrollmentStatuses(call: Call): Output | Failure {
  const { world, caller, input } = call;
  const accountId = text(input, 'accountId');
  const wide = input['includeOrganizationInfo'] === true || (accountId !== undefined && accountId !== caller.id);
  if (wide && !caller.management && !isDelegatedAdministrator(call))
    return new Failure(
      'AccessDeniedException',
      'Only the management account or a delegated administrator may do this.',
    );
  const { accounts } = world.organization;
  const all = wide ? accounts : [caller];
  const listed = paginate(call, {
    items: accountId === undefined ? all : all.filter(({ id }) => id === accountId),
    key: ({ id }) => id,
    size: Math.min(integer(input, 'maxResults') || MAX_PAGE, MAX_PAGE),
    token: text(input, 'nextToken'),
    scope: `${wide} ${accountId ?? ''}`,
    show: statusOf,
  });
  if (listed === null) return new Failure('ValidationException', 'The nextToken is invalid.');
  const { includesMembers } = world.hub;
  return {
    items: listed.page,
    nextToken: listed.nextToken,
    includeMemberAccounts: caller.management ? includesMembers : undefined,
  };
}

/** An account that was never enrolled is not listed. */
function statusOf({ id, costOptimizationHub: { status, createdAt, updatedAt } }: Account): Output | undefined {
  if (createdAt === null) return undefined;
  return {
    accountId: id,
    status,
    createdTimestamp: new Date(createdAt),
    lastUpdatedTimestamp: new Date(updatedAt),
  };
}

function updateEnrollmentStatus({ world, caller, input, now }: Call): Output | Failure {
  const status = input['status'] === 'Active' ? 'Active' : 'Inactive';
  const includeMembers = input['includeMemberAccounts'] === true;
  if (includeMembers && !caller.management)
    return new Failure('AccessDeniedException', 'Only the management account can include member accounts.');
  if (includeMembers) {
    world.hub.includesMembers = status === 'Active';
    if (status === 'Active') world.hub.trustedAccess = true;
  }
  const changed = includeMembers ? world.organization.accounts.filter(isOpen) : [caller];
  for (const account of changed) setHubStatus(account, status, now);
  return { status };
}

export function setHubStatus(account: Account, status: RequestableStatus, now: number): void {
  const known = account.costOptimizationHub;
  if (known.status === status) return;
  account.costOptimizationHub = { status, createdAt: known.createdAt ?? now, updatedAt: now };
}
