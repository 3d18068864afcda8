import { ControlError } from './drift.ts';
import type { Enrollments } from './enrollments.ts';
import { enrollment, freshAccountId, neverEnrolled } from './generate.ts';
import type { Organization } from './organization.ts';
import type { Random } from './random.ts';
import { indexedTags } from './tagging.ts';
import type { Account, AccountState, OrganizationalUnit, RuleMode, RuleModeSource, Status } from './types.ts';

type EnrollmentTruth = { status: Status; statusReason: string | null; lastUpdatedTimestamp: Date };
/** The real state of one account, independent of what an API returns. */
export type AccountTruth = {
  accountId: string;
  name: string;
  ou: string;
  tags: Readonly<Record<string, string>>;
  state: AccountState;
  management: boolean;
  roleAssumable: boolean;
  computeOptimizer: EnrollmentTruth;
  automation: EnrollmentTruth & { organizationRuleMode: RuleMode; organizationRuleModeSource: RuleModeSource | null };
  costOptimizationHub: Pick<EnrollmentTruth, 'status' | 'lastUpdatedTimestamp'>;
};

export function accountTruth(account: Account, enrollments: Enrollments): AccountTruth {
  const truth = (name: 'computeOptimizer' | 'automation'): EnrollmentTruth => ({
    status: account[name].status,
    statusReason: account[name].reason,
    lastUpdatedTimestamp: new Date(account[name].updatedAt),
  });
  return {
    accountId: account.id,
    name: account.name,
    ou: account.ou.path,
    tags: account.tags,
    state: account.state,
    management: account.management,
    roleAssumable: account.roleAssumable,
    computeOptimizer: truth('computeOptimizer'),
    automation: {
      ...truth('automation'),
      organizationRuleMode: enrollments.ruleMode(account),
      organizationRuleModeSource: enrollments.ruleModeSource(account),
    },
    costOptimizationHub: {
      status: account.costOptimizationHub.status,
      lastUpdatedTimestamp: new Date(account.costOptimizationHub.updatedAt),
    },
  };
}

type AccountPatch = {
  name?: string | undefined;
  ou?: string | undefined;
  tags?: Readonly<Record<string, string>> | undefined;
  state?: AccountState | undefined;
  roleAssumable?: boolean | undefined;
  /** Opting in ends in Failed with this reason; null makes it succeed again. */
  enrollmentFailure?: string | null | undefined;
};
export type AccountChanges = {
  add?: readonly (AccountPatch & { accountId?: string | undefined })[] | undefined;
  update?: readonly (AccountPatch & { accountId: string })[] | undefined;
  remove?: readonly string[] | undefined;
};

/** Adds, changes, closes and removes accounts. Returns the affected ids. Throws ControlError before any change. */
export function changeAccounts(
  organization: Organization,
  enrollments: Enrollments,
  changes: AccountChanges,
  context: { now: number; random: Random; tagIndexDelayMs: number },
): string[] {
  const { add = [], update = [], remove = [] } = changes;
  for (const patch of [...add, ...update]) if (patch.ou !== undefined) unitAt(organization, patch.ou);
  const adding = add.map(({ accountId }) => accountId).filter((id) => id !== undefined);
  for (const [index, id] of adding.entries())
    if (organization.account(id) !== undefined || adding.indexOf(id) !== index)
      throw new ControlError(`Account ${id} is already in the organization`);
  const leaving = remove.map((id) => existing(organization, id));
  const changing = update.map((patch) => ({ patch, account: existing(organization, patch.accountId) }));
  for (const account of leaving)
    if (account.management || account === organization.delegatedAdministrator)
      throw new ControlError(`Account ${account.id} cannot leave the organization`);
  if (changing.some(({ patch, account }) => account.management && (patch.state ?? 'ACTIVE') !== 'ACTIVE'))
    throw new ControlError('The management account cannot be closed');

  for (const { patch, account } of changing) {
    if (patch.tags !== undefined) delayIndex(account, context);
    applyPatch(organization, account, patch);
    if (patch.ou !== undefined || patch.state !== undefined) enrollments.follow(account, context.now);
  }
  const joined = add.map((patch) => join(organization, enrollments, patch, context));
  for (const account of leaving) {
    organization.remove(account);
    enrollments.left(account);
  }
  return [...changing.map(({ account }) => account.id), ...joined.map(({ id }) => id), ...remove];
}

function existing(organization: Organization, id: string): Account {
  const account = organization.account(id);
  if (account === undefined) throw new ControlError(`Account ${id} is not in the organization`);
  return account;
}

function unitAt(organization: Organization, path: string): OrganizationalUnit {
  const unit = organization.unitAt(path);
  if (unit === undefined) throw new ControlError(`The organization has no OU ${path}`);
  return unit;
}

/** Call before tags change: the index goes on showing those that it shows now. */
function delayIndex(account: Account, { now, tagIndexDelayMs }: { now: number; tagIndexDelayMs: number }): void {
  account.formerTags = { tags: indexedTags(account, now), until: now + tagIndexDelayMs };
}

function applyPatch(organization: Organization, account: Account, patch: AccountPatch): void {
  if (patch.name !== undefined) account.name = patch.name;
  if (patch.tags !== undefined) account.tags = patch.tags;
  if (patch.state !== undefined) account.state = patch.state;
  if (patch.roleAssumable !== undefined) account.roleAssumable = patch.roleAssumable;
  if (patch.enrollmentFailure !== undefined) account.enrollmentFailure = patch.enrollmentFailure;
  if (patch.ou !== undefined) organization.move(account, unitAt(organization, patch.ou));
}

function join(
  organization: Organization,
  enrollments: Enrollments,
  patch: AccountPatch & { accountId?: string | undefined },
  { now, random }: { now: number; random: Random },
): Account {
  let id = patch.accountId ?? freshAccountId(random);
  while (organization.account(id) !== undefined) id = freshAccountId(random);
  const account: Account = {
    id,
    name: patch.name ?? `joined-${id}`,
    email: `account-${id}@example.com`,
    ou: unitAt(organization, patch.ou ?? '/'),
    tags: patch.tags ?? {},
    formerTags: null,
    state: patch.state ?? 'ACTIVE',
    joinedAt: now,
    invited: false,
    management: false,
    roleAssumable: patch.roleAssumable ?? true,
    enrollmentFailure: patch.enrollmentFailure ?? null,
    computeOptimizer: enrollment('Inactive', now),
    automation: enrollment('Inactive', now),
    costOptimizationHub: neverEnrolled(now),
    associated: false,
    automationOptedOutAt: null,
  };
  organization.add(account);
  enrollments.joined(account, now);
  return account;
}
