import { type Call, Failure, integer, isDelegatedAdministrator, type Operations, text, texts } from './operation.ts';
import { isOpen } from './organization.ts';
import { invalidToken, paginate } from './pages.ts';
import type { Account, Output } from './types.ts';

const MAX_BATCH = 50;
const DEFAULT_PAGE = 100;

/** Compute Optimizer Automation's operations. Source: its API reference and the pages "automation-org", "automation-disable". */
export const automationOperations: Operations = {
  GetEnrollmentConfiguration: { run: getEnrollmentConfiguration },
  UpdateEnrollmentConfiguration: { run: updateEnrollmentConfiguration, mutating: true },
  ListAccounts: { run: listAccounts },
  AssociateAccounts: { run: associateAccounts, mutating: true },
  DisassociateAccounts: { run: disassociateAccounts, mutating: true },
};

function optInRequired(): Failure {
  return new Failure('OptInRequiredException', 'The account must be opted in to AWS Compute Optimizer first.');
}

const optedIn = (account: Account): boolean => account.computeOptimizer.status === 'Active';

function getEnrollmentConfiguration({ world, caller }: Call): Output | Failure {
  if (!optedIn(caller)) return optInRequired();
  const { status, reason, updatedAt } = caller.automation;
  return {
    status,
    statusReason: reason ?? undefined,
    organizationRuleMode: world.enrollments.ruleMode(caller),
    lastUpdatedTimestamp: new Date(updatedAt),
  };
}

function updateEnrollmentConfiguration({ world, caller, input, now }: Call): Output | Failure {
  const { enrollments } = world;
  const status = text(input, 'status');
  if (status !== 'Active' && status !== 'Inactive')
    return new Failure('InvalidParameterValueException', `The status ${status} cannot be requested.`);
  if (!optedIn(caller)) return optInRequired();
  if (status === 'Active') {
    if (enrollments.coolingDownUntil(caller, now) !== null)
      return new Failure(
        'ForbiddenException',
        'At least 24 hours must pass after opting out before the account can opt in again.',
      );
    enrollments.request(caller, 'automation', 'Active', now);
  } else {
    if (!caller.management && enrollments.ruleMode(caller) === 'AnyAllowed')
      return new Failure(
        'InvalidParameterValueException',
        'The account must be disassociated from the management account before it can disable Automation.',
      );
    enrollments.optOutOfAutomation(caller, now);
  }
  const { automation } = caller;
  return {
    status: automation.status,
    statusReason: automation.reason ?? undefined,
    lastUpdatedTimestamp: new Date(automation.updatedAt),
  };
}

/** Organization-level operations need the management account or the delegated administrator, and trusted access. */
function refuseOutsiders(call: Call): Failure | null {
  const { world, caller } = call;
  if (!caller.management && !isDelegatedAdministrator(call))
    return new Failure(
      'NotManagementAccountException',
      'Only the management account or the delegated administrator can perform this action.',
    );
  if (!world.enrollments.trustedAccess)
    return caller.management
      ? new Failure('ForbiddenException', 'Trusted access for Compute Optimizer is not enabled in the organization.')
      : new Failure('AccessDeniedException', 'The delegated administrator needs trusted access in the organization.');
  return optedIn(caller) ? null : optInRequired();
}

function listAccounts(call: Call): Output | Failure {
  const refusal = refuseOutsiders(call);
  if (refusal !== null) return refusal;
  const { world, input } = call;
  const listed = paginate(call, {
    items: world.organization.accounts,
    key: (account) => account.id,
    size: integer(input, 'maxResults') ?? DEFAULT_PAGE,
    token: text(input, 'nextToken'),
    show: (account) => (account.management || !optedIn(account) ? undefined : accountInfo(call, account)),
  });
  return listed === null ? invalidToken() : { accounts: listed.page, nextToken: listed.nextToken };
}

function accountInfo({ world }: Call, account: Account): Output {
  const { status, reason, updatedAt } = account.automation;
  return {
    accountId: account.id,
    status,
    organizationRuleMode: world.enrollments.ruleMode(account),
    statusReason: reason ?? undefined,
    lastUpdatedTimestamp: new Date(updatedAt),
  };
}

function associateAccounts(call: Call): Output | Failure {
  const { enrollments, organization } = call.world;
  const refusal = refuseOutsiders(call);
  if (refusal !== null) return refusal;
  if (organization.management.automation.status !== 'Active')
    return new Failure('OptInRequiredException', 'The management account must be opted in to Automation first.');
  return eachMember(call, (account) => {
    if (!optedIn(account)) return 'is not opted in to Compute Optimizer';
    const { status, target } = account.automation;
    if (status === 'Pending' && target === 'Inactive') return 'is opting out of Automation';
    if (status !== 'Active' && status !== 'Pending') {
      if (enrollments.coolingDownUntil(account, call.now) !== null)
        return 'opted out of Automation less than 24 hours ago';
      if (account.enrollmentFailure !== null) return 'could not be opted in to Automation';
      enrollments.request(account, 'automation', 'Active', call.now);
    }
    account.associated = true;
    return null;
  });
}

function disassociateAccounts(call: Call): Output | Failure {
  const refusal = refuseOutsiders(call);
  if (refusal !== null) return refusal;
  return eachMember(call, (account) => {
    account.associated = false;
    return null;
  });
}

/** Handles each id independently: `accountIds` in the response lists the successful ones, `errors` explains the others. */
function eachMember({ world, input }: Call, act: (account: Account) => string | null): Output | Failure {
  const ids = texts(input, 'accountIds');
  if (ids.length === 0 || ids.length > MAX_BATCH)
    return new Failure(
      'InvalidParameterValueException',
      `The number of account ids must be between 1 and ${MAX_BATCH}.`,
    );
  const accountIds: string[] = [];
  const errors: string[] = [];
  for (const id of new Set(ids)) {
    const account = world.organization.account(id);
    const problem = account === undefined ? 'is not in the organization' : (notEligible(account) ?? act(account));
    if (problem === null) accountIds.push(id);
    else errors.push(`Account ${id} ${problem}.`);
  }
  return { accountIds, errors };
}

function notEligible(account: Account): string | null {
  if (account.management) return 'is the management account';
  return isOpen(account) ? null : 'is not active';
}
