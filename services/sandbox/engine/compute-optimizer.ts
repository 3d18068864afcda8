import { type Call, Failure, integer, isDelegatedAdministrator, type Operations, text } from './operation.ts';
import { invalidToken, paginate } from './pages.ts';
import { isRecord } from './smithy.ts';
import type { Account, Output, Status } from './types.ts';

const MAX_PAGE = 100;
const STATUSES: ReadonlySet<string> = new Set<Status>(['Active', 'Inactive', 'Pending', 'Failed']);

/** Compute Optimizer's enrollment operations. Source: its API reference and the page "account-opt-in". */
export const computeOptimizerOperations: Operations = {
  GetEnrollmentStatus: { run: getEnrollmentStatus },
  GetEnrollmentStatusesForOrganization: { run: getEnrollmentStatusesForOrganization },
  UpdateEnrollmentStatus: { run: updateEnrollmentStatus, mutating: true },
};

function getEnrollmentStatus({ world, caller }: Call): Output {
  const { status, reason, updatedAt } = caller.computeOptimizer;
  const { organizationOptedIn, membersOptedIn } = world.enrollments;
  return {
    status,
    statusReason: reason ?? undefined,
    memberAccountsEnrolled: caller.management && organizationOptedIn,
    lastUpdatedTimestamp: new Date(updatedAt),
    numberOfMemberAccountsOptedIn: caller.management ? membersOptedIn : undefined,
  };
}

function getEnrollmentStatusesForOrganization(call: Call): Output | Failure {
  const { world, caller, input } = call;
  const delegated = isDelegatedAdministrator(call);
  if (!caller.management && !(delegated && world.enrollments.trustedAccess))
    return new Failure(
      'AccessDeniedException',
      'Only the management account or the delegated administrator of the organization can perform this action.',
    );
  const statuses = statusFilter(input['filters']);
  if (statuses instanceof Failure) return statuses;
  // AWS's documentation limits a page to 100, but the model allows 0 to 1000. Larger values count as 100, and 0 as the default.
  const asked = integer(input, 'maxResults') ?? 0;
  const listed = paginate(call, {
    items: world.organization.accounts,
    key: (account) => account.id,
    size: asked === 0 ? MAX_PAGE : Math.min(asked, MAX_PAGE),
    token: text(input, 'nextToken'),
    scope: statuses === null ? '' : [...statuses].sort().join(','),
    show: (account) =>
      account.management || (statuses !== null && !statuses.has(account.computeOptimizer.status))
        ? undefined
        : enrollmentStatus(account),
  });
  if (listed === null) return invalidToken();
  return { accountEnrollmentStatuses: listed.page, nextToken: listed.nextToken };
}

function enrollmentStatus(account: Account): Output {
  const { status, reason, updatedAt } = account.computeOptimizer;
  return {
    accountId: account.id,
    status,
    statusReason: reason ?? undefined,
    lastUpdatedTimestamp: new Date(updatedAt),
  };
}

/** The requested statuses: the intersection of all filters. Null if there is no filter. */
function statusFilter(filters: unknown): ReadonlySet<string> | null | Failure {
  if (!Array.isArray(filters) || filters.length === 0) return null;
  let statuses: ReadonlySet<string> = STATUSES;
  for (const filter of filters) {
    const values: unknown = isRecord(filter) ? filter['values'] : undefined;
    if (!isRecord(filter) || filter['name'] !== 'Status' || !Array.isArray(values) || values.length === 0)
      return new Failure('InvalidParameterValueException', 'A filter needs a name and at least one value.');
    const unknown = values.find((value) => !STATUSES.has(value));
    if (unknown !== undefined)
      return new Failure('InvalidParameterValueException', `'${unknown}' is not a valid value for the filter Status.`);
    const also = new Set(values);
    statuses = new Set([...statuses].filter((status) => also.has(status)));
  }
  return statuses;
}

function updateEnrollmentStatus({ world, caller, input, now }: Call): Output | Failure {
  const status = text(input, 'status');
  if (status !== 'Active' && status !== 'Inactive')
    return new Failure('InvalidParameterValueException', `The status ${status} cannot be requested.`);
  const includeMembers = input['includeMemberAccounts'] === true;
  if (includeMembers && !caller.management)
    return new Failure(
      'AccessDeniedException',
      'Only the management account of an organization can include member accounts.',
    );
  // Opting out affects only the caller: no call opts out another account.
  if (includeMembers && status === 'Active') world.enrollments.optInOrganization(now);
  else world.enrollments.request(caller, 'computeOptimizer', status, now);
  if (caller.management && status === 'Inactive') world.enrollments.organizationOptedIn = false;
  const { computeOptimizer } = caller;
  return { status: computeOptimizer.status, statusReason: computeOptimizer.reason ?? undefined };
}
