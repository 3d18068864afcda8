import { optedIn, optInRequired, refuseOutsiders } from './automation-callers.ts';
import { configurationOperations } from './configuration-operations.ts';
import { type Call, Failure, integer, type Operations, text, texts, type World } from './operation.ts';
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
  ...configurationOperations,
};

function getEnrollmentConfiguration(call: Call): Output | Failure {
  const { world, caller } = call;
  if (!optedIn(caller)) return optInRequired();
  const { status, reason, updatedAt } = caller.automation;
  return {
    status,
    statusReason: reason ?? undefined,
    organizationRuleMode: world.enrollments.ruleMode(caller),
    lastUpdatedTimestamp: new Date(updatedAt),
    organizationEnrollmentConfigurationStatus: configurationStatus(call),
  };
}

/** Absent for the management account. */
function configurationStatus({ world, caller }: Call): 'Active' | 'Inactive' | undefined {
  if (caller.management) return undefined;
  return world.enrollments.configurations.nearest(caller) === null ? 'Inactive' : 'Active';
}

/** AWS does not document which error code says that a configuration applies, so an option chooses it. */
function covered({ settings }: World, message: string): Failure {
  return new Failure(settings.coveredCode, message);
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
    if (enrollments.configurations.covers(caller))
      return covered(world, 'An organization enrollment configuration enables Automation in this account.');
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
    organizationRuleModeSource: world.enrollments.ruleModeSource(account) ?? undefined,
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
  const governed = ids.filter((id) => {
    const account = world.organization.account(id);
    return account !== undefined && world.enrollments.configurations.covers(account);
  });
  if (governed.length > 0)
    return covered(world, `An organization enrollment configuration applies to ${governed.join(', ')}.`);
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
