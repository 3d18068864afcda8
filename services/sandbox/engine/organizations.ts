import { type Call, Failure, integer, type Operation, type Operations, text } from './operation.ts';
import { type Listing, paginate } from './pages.ts';
import type { Account, OrganizationalUnit, Output } from './types.ts';

const MAX_PAGE = 20;
const COMPUTE_OPTIMIZER_PRINCIPAL = 'compute-optimizer.amazonaws.com';
const HUB_PRINCIPAL = 'cost-optimization-hub.bcm.amazonaws.com';

/** AWS Organizations, read-only. All operations but DescribeOrganization need the management account or a delegated administrator. */
export const organizationsOperations: Operations = {
  DescribeOrganization: { run: describeOrganization },
  DescribeAccount: administrators(describeAccount),
  DescribeOrganizationalUnit: administrators(describeOrganizationalUnit),
  ListAccounts: administrators(listAccounts),
  ListAccountsForParent: administrators(listAccountsForParent),
  ListOrganizationalUnitsForParent: administrators(listOrganizationalUnitsForParent),
  ListParents: administrators(listParents),
  ListRoots: administrators(listRoots),
  ListTagsForResource: administrators(listTagsForResource),
  ListDelegatedAdministrators: administrators(listDelegatedAdministrators),
  ListAWSServiceAccessForOrganization: administrators(listServiceAccess),
};

function administrators(run: Operation['run']): Operation {
  return {
    run: (call) => {
      const { caller, world } = call;
      if (caller.management || caller === world.organization.delegatedAdministrator) return run(call);
      return new Failure('AccessDeniedException', "You don't have permissions to access this resource.");
    },
  };
}

/** A page of items, under the name that it has in the operation's response. */
function answerPage<T, U>(call: Call, name: string, listing: Pick<Listing<T, U>, 'items' | 'key' | 'show' | 'scope'>) {
  const size = integer(call.input, 'MaxResults') ?? MAX_PAGE;
  const listed = paginate(call, { ...listing, size, token: text(call.input, 'NextToken') });
  if (listed === null)
    return new Failure('InvalidInputException', 'You specified an invalid value for NextToken.', {
      Reason: 'INVALID_NEXT_TOKEN',
    });
  return { [name]: listed.page, NextToken: listed.nextToken };
}

function describeOrganization({ world: { organization } }: Call): Output {
  const { management, id, partition } = organization;
  return {
    Organization: {
      Id: id,
      Arn: `arn:${partition}:organizations::${management.id}:organization/${id}`,
      FeatureSet: 'ALL',
      MasterAccountArn: organization.accountArn(management),
      MasterAccountId: management.id,
      MasterAccountEmail: management.email,
      AvailablePolicyTypes: [{ Type: 'SERVICE_CONTROL_POLICY', Status: 'ENABLED' }],
    },
  };
}

function describeAccount(call: Call): Output | Failure {
  const account = call.world.organization.account(text(call.input, 'AccountId') ?? '');
  if (account === undefined)
    return new Failure('AccountNotFoundException', "You specified an account that doesn't exist.");
  return { Account: accountSummary(call, account) };
}

function describeOrganizationalUnit({ world, input }: Call): Output | Failure {
  const unit = world.organization.unit(text(input, 'OrganizationalUnitId') ?? '');
  if (unit === undefined || unit.parent === null)
    return new Failure(
      'OrganizationalUnitNotFoundException',
      "You specified an organizational unit that doesn't exist.",
    );
  return { OrganizationalUnit: unitSummary(unit) };
}

function listAccounts(call: Call): Output | Failure {
  return answerPage(call, 'Accounts', {
    items: call.world.organization.accounts,
    key: (account) => account.id,
    show: (account) => accountSummary(call, account),
  });
}

function listAccountsForParent(call: Call): Output | Failure {
  const unit = parentOf(call);
  if (unit instanceof Failure) return unit;
  return answerPage(call, 'Accounts', {
    items: unit.accounts,
    key: (account) => account.id,
    scope: unit.id,
    show: (account) => accountSummary(call, account),
  });
}

function listOrganizationalUnitsForParent(call: Call): Output | Failure {
  const unit = parentOf(call);
  if (unit instanceof Failure) return unit;
  return answerPage(call, 'OrganizationalUnits', {
    items: unit.children.toSorted((left, right) => (left.id < right.id ? -1 : 1)),
    key: (child) => child.id,
    scope: unit.id,
    show: unitSummary,
  });
}

function parentOf({ world, input }: Call): OrganizationalUnit | Failure {
  const unit = world.organization.unit(text(input, 'ParentId') ?? '');
  return unit ?? new Failure('ParentNotFoundException', "You specified a root or an OU that doesn't exist.");
}

function listParents(call: Call): Output | Failure {
  const { organization } = call.world;
  const childId = text(call.input, 'ChildId') ?? '';
  const parent = organization.account(childId)?.ou ?? organization.unit(childId)?.parent ?? undefined;
  if (parent === undefined)
    return new Failure('ChildNotFoundException', "You specified a child that doesn't exist in the organization.");
  return answerPage(call, 'Parents', {
    items: [parent],
    key: (unit) => unit.id,
    scope: childId,
    show: (unit) => ({ Id: unit.id, Type: unit.parent === null ? 'ROOT' : 'ORGANIZATIONAL_UNIT' }),
  });
}

function listRoots(call: Call): Output | Failure {
  return answerPage(call, 'Roots', {
    items: [call.world.organization.root],
    key: (root) => root.id,
    show: (root) => ({ Id: root.id, Arn: root.arn, Name: root.name, PolicyTypes: [] }),
  });
}

function listTagsForResource(call: Call): Output | Failure {
  const { organization } = call.world;
  const id = text(call.input, 'ResourceId') ?? '';
  const tags = organization.account(id)?.tags ?? (organization.unit(id) === undefined ? undefined : {});
  if (tags === undefined)
    return new Failure('TargetNotFoundException', "We can't find a root, OU, account, or policy with that id.");
  return answerPage(call, 'Tags', {
    items: Object.keys(tags).sort(),
    key: (name) => name,
    scope: id,
    show: (name) => ({ Key: name, Value: tags[name] }),
  });
}

function listDelegatedAdministrators(call: Call): Output | Failure {
  const { organization } = call.world;
  const principal = text(call.input, 'ServicePrincipal');
  const { delegatedAdministrator } = organization;
  return answerPage(call, 'DelegatedAdministrators', {
    items: [undefined, COMPUTE_OPTIMIZER_PRINCIPAL, HUB_PRINCIPAL].includes(principal) ? [delegatedAdministrator] : [],
    key: (account) => account.id,
    scope: principal ?? '',
    show: (account) => {
      const { Paths: _, ...summary } = accountSummary(call, account);
      return { ...summary, DelegationEnabledDate: new Date(account.joinedAt) };
    },
  });
}

function listServiceAccess(call: Call): Output | Failure {
  const { trustedAccess, trustedAccessSince } = call.world.enrollments;
  return answerPage(call, 'EnabledServicePrincipals', {
    items: [
      ...(trustedAccess ? [COMPUTE_OPTIMIZER_PRINCIPAL] : []),
      ...(call.world.hub.trustedAccess ? [HUB_PRINCIPAL] : []),
    ],
    key: (principal) => principal,
    show: (principal) => ({ ServicePrincipal: principal, DateEnabled: new Date(trustedAccessSince) }),
  });
}

/** Since 2026-09-09 an account has `State` and no `Status`. The older shape has neither `State` nor `Paths`. */
function accountSummary({ world }: Call, account: Account): Output {
  const older = world.settings.accountShape === 'older';
  return {
    Id: account.id,
    Arn: world.organization.accountArn(account),
    Email: account.email,
    Name: account.name,
    Status: older ? account.state : undefined,
    State: older ? undefined : account.state,
    Paths: older ? undefined : [`${account.ou.idPath}${account.id}/`],
    JoinedMethod: account.invited ? 'INVITED' : 'CREATED',
    JoinedTimestamp: new Date(account.joinedAt),
  };
}

function unitSummary(unit: OrganizationalUnit): Output {
  return { Id: unit.id, Arn: unit.arn, Name: unit.name, Path: unit.idPath };
}
