import {
  type Account,
  AccountNotFoundException,
  ChildNotFoundException,
  DescribeAccountCommand,
  DescribeOrganizationalUnitCommand,
  DescribeOrganizationCommand,
  InvalidInputException,
  ListAccountsCommand,
  ListAccountsForParentCommand,
  ListAWSServiceAccessForOrganizationCommand,
  ListDelegatedAdministratorsCommand,
  ListOrganizationalUnitsForParentCommand,
  ListParentsCommand,
  ListRootsCommand,
  ListTagsForResourceCommand,
  OrganizationalUnitNotFoundException,
  type OrganizationsClient,
  ParentNotFoundException,
  paginateListAccounts,
  TargetNotFoundException,
} from '@aws-sdk/client-organizations';
import { describe, expect, test } from 'vitest';
import { as, clients, control, json, member, sandboxForTest, truth } from './support.ts';

async function all(client: OrganizationsClient): Promise<Account[]> {
  const found: Account[] = [];
  for await (const { Accounts = [] } of paginateListAccounts({ client }, {})) {
    expect(Accounts.length).toBeLessThanOrEqual(20);
    found.push(...Accounts);
  }
  return found;
}

/** The path of names of each OU, by id, from walking the tree. */
async function walk(client: OrganizationsClient): Promise<Map<string, string>> {
  const { Roots = [] } = await client.send(new ListRootsCommand({}));
  const rootId = Roots[0]?.Id ?? '';
  const paths = new Map([[rootId, '/']]);
  const queue = [rootId];
  for (let parent = queue.shift(); parent !== undefined; parent = queue.shift()) {
    const { OrganizationalUnits = [] } = await client.send(
      new ListOrganizationalUnitsForParentCommand({ ParentId: parent }),
    );
    for (const { Id = '', Name = '' } of OrganizationalUnits) {
      const above = paths.get(parent);
      paths.set(Id, above === '/' ? `/${Name}` : `${above}/${Name}`);
      queue.push(Id);
    }
  }
  return paths;
}

describe('listing accounts', () => {
  test('pages by 20 through all accounts, with State and Paths but without the retired Status', async () => {
    const running = await sandboxForTest({ accounts: 65 });
    const { organizations } = clients(running);
    const [found, paths] = await Promise.all([all(organizations), walk(organizations)]);
    const expected = running.sandbox.accounts();
    expect(found.map(({ Id, Name, State }) => [Id, Name, State])).toEqual(
      expected.map(({ accountId, name, state }) => [accountId, name, state]),
    );
    for (const account of found) {
      expect(account.Status).toBeUndefined();
      const [path = ''] = account.Paths ?? [];
      const segments = path.split('/');
      expect(segments.slice(0, 1)).toEqual([running.info.organizationId]);
      expect(segments.slice(-2)).toEqual([account.Id, '']);
      expect(paths.get(segments.at(-3) ?? '')).toBe(truth(running, account.Id ?? '').ou);
    }
  });

  test('the older shape has Status, but neither State nor Paths; the OUs are known from the tree', async () => {
    const running = await sandboxForTest({ scenario: 'older-organizations' });
    const { organizations } = clients(running);
    for (const account of await all(organizations)) {
      expect(account).not.toHaveProperty('State');
      expect(account).not.toHaveProperty('Paths');
      expect(account.Status).toBe(truth(running, account.Id ?? '').state);
    }
    const seen = new Map<string, string>();
    for (const [ParentId, path] of await walk(organizations)) {
      const { Accounts = [] } = await organizations.send(new ListAccountsForParentCommand({ ParentId }));
      for (const { Id = '' } of Accounts) seen.set(Id, path);
    }
    expect(seen).toEqual(new Map(running.sandbox.accounts().map(({ accountId, ou }) => [accountId, ou])));
  });

  test('the tree is nested', async () => {
    const running = await sandboxForTest();
    const paths = [...(await walk(clients(running).organizations)).values()];
    for (const path of ['/Workloads/Prod/Payments', '/Workloads/Dev', '/Platform', '/Sandbox', '/Security', '/Canary'])
      expect(paths).toContain(path);
  });

  test('a moved, renamed or removed account is visible immediately', async () => {
    const running = await sandboxForTest();
    const { organizations } = clients(running);
    const [mover, leaver] = running.sandbox
      .accounts()
      .filter(({ ou, state }) => ou === '/Workloads/Dev' && state === 'ACTIVE');
    await control(running, 'accounts', {
      update: [{ accountId: mover?.accountId, ou: '/Sandbox', name: 'moved', tags: { Größe: 'klein' } }],
      remove: [leaver?.accountId],
    });
    const found = await all(organizations);
    expect(found).toHaveLength(24);
    expect(found.find(({ Id }) => Id === mover?.accountId)?.Name).toBe('moved');
    const { Parents } = await organizations.send(new ListParentsCommand({ ChildId: mover?.accountId }));
    const { OrganizationalUnit } = await organizations.send(
      new DescribeOrganizationalUnitCommand({ OrganizationalUnitId: Parents?.[0]?.Id }),
    );
    expect(OrganizationalUnit?.Name).toBe('Sandbox');
    const { Tags } = await organizations.send(new ListTagsForResourceCommand({ ResourceId: mover?.accountId }));
    expect(Tags).toEqual([{ Key: 'Größe', Value: 'klein' }]);
  });
});

describe('describing', () => {
  test('the organization, an account, an OU, the parents and the tags', async () => {
    const running = await sandboxForTest();
    const { organizations } = clients(running);
    const { managementAccountId, organizationId } = running.info;
    const { Organization } = await organizations.send(new DescribeOrganizationCommand({}));
    expect(Organization).toMatchObject({ Id: organizationId, MasterAccountId: managementAccountId, FeatureSet: 'ALL' });
    const { accountId, name, tags } = member(running);
    const { Account } = await organizations.send(new DescribeAccountCommand({ AccountId: accountId }));
    expect(Account).toMatchObject({ Id: accountId, Name: name, State: 'ACTIVE' });
    expect(Account?.Arn).toBe(`arn:aws:organizations::${managementAccountId}:account/${organizationId}/${accountId}`);
    const { Tags = [] } = await organizations.send(new ListTagsForResourceCommand({ ResourceId: accountId }));
    expect(Object.fromEntries(Tags.map(({ Key, Value }) => [Key, Value]))).toEqual(tags);
    const { Roots } = await organizations.send(new ListRootsCommand({}));
    const { Parents } = await organizations.send(new ListParentsCommand({ ChildId: managementAccountId }));
    expect(Parents).toEqual([{ Id: Roots?.[0]?.Id, Type: 'ROOT' }]);
    const rootTags = await organizations.send(new ListTagsForResourceCommand({ ResourceId: Roots?.[0]?.Id }));
    expect(rootTags.Tags).toEqual([]);
  });

  test('delegated administrators and trusted services', async () => {
    const running = await sandboxForTest();
    const { organizations } = clients(running);
    const ServicePrincipal = 'compute-optimizer.amazonaws.com';
    const found = await organizations.send(new ListDelegatedAdministratorsCommand({ ServicePrincipal }));
    expect(found.DelegatedAdministrators?.map(({ Id }) => Id)).toEqual([running.info.delegatedAdministratorId]);
    const none = await organizations.send(
      new ListDelegatedAdministratorsCommand({ ServicePrincipal: 'x.amazonaws.com' }),
    );
    expect(none.DelegatedAdministrators).toEqual([]);
    const trusted = await organizations.send(new ListAWSServiceAccessForOrganizationCommand({}));
    expect(trusted.EnabledServicePrincipals).toMatchObject([{ ServicePrincipal }]);
    await control(running, 'trusted-access', { enabled: false });
    const off = await organizations.send(new ListAWSServiceAccessForOrganizationCommand({}));
    expect(off.EnabledServicePrincipals).toEqual([]);
  });

  test('missing objects are not found', async () => {
    const running = await sandboxForTest();
    const { organizations } = clients(running);
    const OU = 'ou-abcd-abcdefgh';
    await expect(organizations.send(new DescribeAccountCommand({ AccountId: '000000000000' }))).rejects.toBeInstanceOf(
      AccountNotFoundException,
    );
    await expect(
      organizations.send(new DescribeOrganizationalUnitCommand({ OrganizationalUnitId: OU })),
    ).rejects.toBeInstanceOf(OrganizationalUnitNotFoundException);
    await expect(organizations.send(new ListAccountsForParentCommand({ ParentId: OU }))).rejects.toBeInstanceOf(
      ParentNotFoundException,
    );
    await expect(
      organizations.send(new ListOrganizationalUnitsForParentCommand({ ParentId: 'r-zzzz' })),
    ).rejects.toBeInstanceOf(ParentNotFoundException);
    await expect(organizations.send(new ListParentsCommand({ ChildId: '000000000000' }))).rejects.toBeInstanceOf(
      ChildNotFoundException,
    );
    await expect(organizations.send(new ListTagsForResourceCommand({ ResourceId: OU }))).rejects.toBeInstanceOf(
      TargetNotFoundException,
    );
  });

  test('a wrong token or page size is invalid input, with its reason', async () => {
    const running = await sandboxForTest();
    const { organizations } = clients(running);
    const refused = await organizations
      .send(new ListAccountsCommand({ NextToken: 'x' }))
      .catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(InvalidInputException);
    expect(refused).toMatchObject({ Reason: 'INVALID_NEXT_TOKEN' });
    const large = await json(running, 'organizations', 'ListAccounts', { MaxResults: 21 });
    expect(large).toMatchObject({
      status: 400,
      error: 'InvalidInputException',
      body: { Reason: 'MAX_VALUE_EXCEEDED' },
    });
    const empty = await json(running, 'organizations', 'DescribeAccount', {});
    expect(empty.body).toMatchObject({ Reason: 'INPUT_REQUIRED' });
  });

  test('members may only describe the organization', async () => {
    const running = await sandboxForTest();
    const { accountId } = member(running);
    const call = (operation: string, input: unknown) =>
      json(running, 'organizations', operation, input, { as: as(accountId) });
    expect((await call('DescribeOrganization', {})).status).toBe(200);
    expect(await call('ListAccounts', {})).toMatchObject({ status: 403, error: 'AccessDeniedException' });
    expect((await call('DescribeAccount', { AccountId: accountId })).error).toBe('AccessDeniedException');
    const delegated = as(running.info.delegatedAdministratorId);
    expect((await json(running, 'organizations', 'ListAccounts', {}, { as: delegated })).status).toBe(200);
  });
});
