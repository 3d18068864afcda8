import { describe, expect, it, onTestFinished } from 'vitest';
import { createAwsInspection } from '../../../../shared/adapters/aws/cloud/inspection.ts';
import { pathStep } from '../../../../shared/adapters/aws/cloud/organization-paths.ts';
import { countOf, failureOf, findMember, type World } from '../../../contract/cloud.contract.ts';
import {
  ACCOUNT,
  awsWorld,
  cloudOn,
  json,
  OWN_KEY,
  openGate,
  type WireRequest,
  wireCloud,
  wireServer,
} from './support.ts';

const once = <T>(call: () => Promise<T>): Promise<T> => call();
const read = ({ cloud }: Pick<World, 'cloud'>, tags = false) => cloud.readOrganization({ tags, retry: once });

const ORGANIZATION = { Id: 'o-abc1234567', MasterAccountId: ACCOUNT };
const OTHER = '222233334444';

interface FakeAccount {
  readonly Id: string;
  readonly Name?: string;
  readonly State?: string | undefined;
  readonly Status?: string;
  readonly Paths?: readonly string[];
}

/** Organizations as a table of answers by operation; `answers` may look at the request. */
function organizations(answers: Readonly<Record<string, (input: Readonly<Record<string, string>>) => unknown>>) {
  return wireCloud(({ operation, body }: WireRequest, response) => {
    const answer = operation === 'DescribeOrganization' ? () => ({ Organization: ORGANIZATION }) : answers[operation];
    if (answer === undefined) json(response, 400, { __type: 'UnknownOperationException' });
    else {
      const output = answer(JSON.parse(body));
      json(response, typeof output === 'object' && output !== null && '__type' in output ? 400 : 200, output);
    }
  });
}

const root = `${ORGANIZATION.Id}/r-root`;
const inRoot = (account: Omit<FakeAccount, 'Paths'>): FakeAccount => ({
  State: 'ACTIVE',
  ...account,
  Paths: [`${root}/${account.Id}/`],
});
const management = inRoot({ Id: ACCOUNT, Name: 'management' });
const accountsOf = async (accounts: readonly FakeAccount[], more: Parameters<typeof organizations>[0] = {}) =>
  organizations({ ListAccounts: () => ({ Accounts: accounts }), ...more });

describe('reading the organization', () => {
  it('asks for the children only of OUs that have some on the accounts’ paths', async () => {
    const world = await awsWorld({ sandbox: { accounts: 100 } });
    await read(world);
    const inner = new Set(['/', ...world.sandbox.accounts().flatMap(({ ou }) => parentsOf(ou))]);
    expect(countOf(world, 'ListOrganizationalUnitsForParent')).toBe(inner.size);
    expect(countOf(world, 'ListAccounts')).toBe(Math.ceil(world.sandbox.accounts().length / 20));
    expect(countOf(world, 'ListAccountsForParent')).toBe(0);
    await world.close();
  });

  it('walks the tree where accounts do not say where they are', async () => {
    const world = await awsWorld({ sandbox: { accounts: 60, accountShape: 'older' } });
    const { accounts } = await read(world);
    expect(countOf(world, 'ListAccountsForParent')).toBeGreaterThan(0);
    expect(accounts.map(({ id, ou, state }) => [id, ou, state]).sort()).toEqual(
      world.sandbox.accounts().map(({ accountId, ou, state }) => [accountId, ou, state]),
    );
    await world.close();
  });

  it('walking survives a move: who was met nowhere is asked for', async () => {
    const unplaced = [
      { Id: ACCOUNT, Status: 'ACTIVE' },
      { Id: OTHER, Status: 'ACTIVE' },
    ];
    const world = await accountsOf(unplaced, {
      ListRoots: () => ({ Roots: [{ Id: 'r-root' }] }),
      ListOrganizationalUnitsForParent: ({ ParentId }) => ({
        OrganizationalUnits: ParentId === 'r-root' ? [{ Id: 'ou-a', Name: 'A' }] : [],
      }),
      ListAccountsForParent: ({ ParentId }) => ({ Accounts: ParentId === 'r-root' ? unplaced.slice(0, 1) : [] }),
      ListParents: () => ({ Parents: [{ Id: 'ou-a', Type: 'ORGANIZATIONAL_UNIT' }] }),
    });
    expect((await read(world)).accounts.map(({ id, ou }) => [id, ou])).toEqual([
      [ACCOUNT, '/'],
      [OTHER, '/A'],
    ]);
  });

  it('walking does not guess: an account in an OU that was not there yields no snapshot', async () => {
    const world = await accountsOf([{ Id: ACCOUNT, Status: 'ACTIVE' }], {
      ListRoots: () => ({ Roots: [{ Id: 'r-root' }] }),
      ListOrganizationalUnitsForParent: () => ({ OrganizationalUnits: [] }),
      ListAccountsForParent: () => ({ Accounts: [] }),
      ListParents: () => ({ Parents: [{ Id: 'ou-new', Type: 'ORGANIZATIONAL_UNIT' }] }),
    });
    const { details: facts, message } = await failureOf(read(world));
    expect(facts).toMatchObject({ kind: 'Conflict', code: 'OrganizationChanged' });
    expect(message).toContain(ACCOUNT);
  });

  it('an OU that was moved meanwhile is asked for its name', async () => {
    const moved = { ...inRoot({ Id: OTHER }), Paths: [`${root}/ou-a/ou-b/${OTHER}/`] };
    const world = await accountsOf([management, moved], {
      ListOrganizationalUnitsForParent: ({ ParentId }) => ({
        OrganizationalUnits: ParentId === 'r-root' ? [{ Id: 'ou-a', Name: 'A' }] : [],
      }),
      DescribeOrganizationalUnit: ({ OrganizationalUnitId }) => ({
        OrganizationalUnit: { Id: OrganizationalUnitId, Name: 'B' },
      }),
    });
    expect((await read(world)).accounts[1]).toMatchObject({ id: OTHER, ou: '/A/B' });
  });

  it('reads State, falls back to Status, and takes State where they differ', async () => {
    const world = await accountsOf([
      management,
      inRoot({ Id: OTHER, State: 'CLOSED', Status: 'SUSPENDED' }),
      { ...inRoot({ Id: '333344445555' }), State: undefined, Status: 'PENDING_CLOSURE' },
    ]);
    expect((await read(world)).accounts.map(({ state }) => state)).toEqual(['ACTIVE', 'CLOSED', 'PENDING_CLOSURE']);
  });

  it.each([['DREAMING'], [undefined]])('an account in the state %s is UNKNOWN, the others are read', async (State) => {
    const world = await accountsOf([management, { ...inRoot({ Id: OTHER }), State }]);
    expect((await read(world)).accounts.map(({ id, state }) => [id, state])).toEqual([
      [management.Id, 'ACTIVE'],
      [OTHER, 'UNKNOWN'],
    ]);
  });

  it('a time that is no time ends nothing', async () => {
    const world = await accountsOf([management, { ...inRoot({ Id: OTHER }), ...{ JoinedTimestamp: 'long ago' } }]);
    expect((await read(world)).accounts).toHaveLength(2);
  });

  it.each([
    ['an id that is none', [management, inRoot({ Id: '22' })], 'Accounts.1.Id'],
    ['a listing without the management account', [inRoot({ Id: OTHER })], 'management account'],
    ['nothing', [], 'management account'],
  ])('%s yields no snapshot', async (_, accounts, says) => {
    const { details: facts, message } = await failureOf(read(await accountsOf(accounts)));
    expect(facts).toMatchObject({ kind: 'Invalid', code: 'UnexpectedAnswer', operation: 'ListAccounts' });
    expect(message).toMatch(says);
  });

  it('a listing that goes round in circles ends in an error', async () => {
    const world = await organizations({ ListAccounts: () => ({ Accounts: [management], NextToken: 'again' }) });
    expect((await failureOf(read(world))).details).toMatchObject({ code: 'UnexpectedAnswer' });
    const empty = await organizations({ ListAccounts: () => ({ Accounts: [], NextToken: 'again' }) });
    expect((await failureOf(read(empty))).details).toMatchObject({ code: 'UnexpectedAnswer' });
    let pages = 0;
    const alternating = await organizations({
      ListAccounts: () => {
        pages += 1;
        return { Accounts: [inRoot({ Id: OTHER })], NextToken: pages % 2 === 0 ? 'A' : 'B' };
      },
    });
    expect((await failureOf(read(alternating))).message).toContain('a page token was repeated');
    expect(pages).toBeLessThan(5);
  });

  it('more accounts than are expected yield no snapshot, and the error names both numbers', async () => {
    const accounts = [management, ...[1, 2, 3].map((index) => inRoot({ Id: `22223333444${index}` }))];
    const wire = await accountsOf(accounts);
    const limited = (maxAccounts: number) => read(cloudOn(wire.endpoint, { maxAccounts }));
    expect((await limited(4)).accounts).toHaveLength(4);
    const { details: facts, message } = await failureOf(limited(3));
    expect(facts).toMatchObject({ kind: 'Invalid', code: 'TooManyAccounts' });
    expect(message).toContain('has 4 accounts, more than the maximum of 3');
    expect(message).toContain('ROLLCALL_MAX_ACCOUNTS');
  });

  it('who we are, and what the doctor asks, end at tokens that go in a circle', async () => {
    let pages = 0;
    const next = () => {
      pages += 1;
      return pages % 2 === 0 ? 'A' : 'B';
    };
    const world = await wireCloud(({ operation }: WireRequest, response) => {
      if (operation === 'DescribeOrganization')
        json(response, 200, { Organization: { ...ORGANIZATION, MasterAccountId: OTHER } });
      else if (operation === 'ListDelegatedAdministrators')
        json(response, 200, { DelegatedAdministrators: [{ Id: OTHER }], NextToken: next() });
      else if (operation === 'ListAWSServiceAccessForOrganization')
        json(response, 200, { EnabledServicePrincipals: [], NextToken: next() });
      else if (operation === 'ListAccounts') json(response, 200, { Accounts: [], NextToken: next() });
      else json(response, 200, { accountEnrollmentStatuses: [], nextToken: next() });
    });
    const silent = () => undefined;
    const inspection = createAwsInspection({
      ...{ gate: openGate, logger: { debug: silent, info: silent, warn: silent, error: silent } },
      timeouts: { connectMs: 1_000, requestMs: 5_000 },
    });
    onTestFinished(() => inspection.close());
    const questions: readonly (() => Promise<unknown>)[] = [
      () => world.cloud.identify(),
      () => inspection.delegatedAdministrators(),
      () => inspection.trustedServices(),
      () => inspection.failedEnrollments('computeOptimizer'),
      () => inspection.members(1),
    ];
    for (const ask of questions) {
      pages = 0;
      const { details: facts, message } = await failureOf(ask());
      expect(facts).toMatchObject({ kind: 'Invalid', code: 'UnexpectedAnswer' });
      expect(message).toContain('a page token was repeated');
      expect(pages).toBeLessThan(12);
    }
  });

  it('tags of several pages are one set, with any name', async () => {
    const world = await accountsOf([management], {
      ListTagsForResource: ({ NextToken }) =>
        NextToken === undefined
          ? { Tags: [{ Key: 'env', Value: 'dev' }], NextToken: '2' }
          : { Tags: [{ Key: '__proto__', Value: 'x' }] },
    });
    const { accounts } = await read(world, true);
    expect(Object.entries(accounts[0]?.tags ?? {})).toEqual([
      ['env', 'dev'],
      ['__proto__', 'x'],
    ]);
  });

  it.each([
    ['no list', {}],
    ['a tag without its value', { Tags: [{ Key: 'env' }] }],
    ['a token that comes again', { Tags: [{ Key: 'env', Value: 'dev' }], NextToken: 'again' }],
    ['a failure of the service', { __type: 'ServiceException', message: 'internal' }],
  ])('%s for the tags of one account leaves its tags unread, and the others are read', async (_, answer) => {
    const accounts = [management, inRoot({ Id: OTHER }), inRoot({ Id: '333344445555' })];
    const warnings: string[] = [];
    const silent = () => undefined;
    const logger = {
      debug: silent,
      info: silent,
      warn: (message: string) => void warnings.push(message),
      error: silent,
    };
    const wire = await accountsOf(accounts, {
      ListTagsForResource: ({ ResourceId }) =>
        ResourceId === OTHER ? answer : { Tags: [{ Key: 'env', Value: 'dev' }] },
    });
    const snapshot = await read(cloudOn(wire.endpoint, { logger }), true);
    expect(snapshot.tags).toBe(true);
    expect(snapshot.accounts.map(({ id, tags }) => [id, tags])).toEqual([
      [ACCOUNT, { env: 'dev' }],
      [OTHER, null],
      ['333344445555', { env: 'dev' }],
    ]);
    expect(warnings.join()).toContain(`the tags of account ${OTHER} could not be read`);
    const ids = { organizationId: ORGANIZATION.Id, managementAccountId: ACCOUNT };
    const describing = await organizations({
      DescribeAccount: () => ({ Account: inRoot({ Id: OTHER }) }),
      ListTagsForResource: () => answer,
    });
    await failureOf(describing.cloud.readAccount(OTHER, { tags: true, retry: once, ...ids }));
  });

  it('tags that cannot be read of any account end the reading', async () => {
    const accounts = [
      management,
      ...Array.from({ length: 30 }, (_, index) => inRoot({ Id: `3333444455${10 + index}` })),
    ];
    const world = await accountsOf(accounts, { ListTagsForResource: () => ({}) });
    expect((await failureOf(read(world, true))).details).toMatchObject({ kind: 'Transient', code: 'IncompleteAnswer' });
    expect(world.requests.filter(({ operation }) => operation === 'ListTagsForResource').length).toBeLessThan(12);
  });

  it('an account that AWS says has left while tags were read is left out; a refusal ends the reading', async () => {
    const gone = { __type: 'TargetNotFoundException', message: 'gone' };
    const denied = { __type: 'AccessDeniedException', message: 'no' };
    const accounts = [
      management,
      ...Array.from({ length: 30 }, (_, index) => inRoot({ Id: `3333444455${10 + index}` })),
    ];
    const answering = (other: unknown) =>
      accountsOf(accounts, {
        ListTagsForResource: ({ ResourceId }) => (ResourceId === '333344445512' ? other : { Tags: [] }),
      });
    const left = await read(await answering(gone), true);
    expect(left.accounts).toHaveLength(30);
    expect(left.accounts.some(({ id }) => id === '333344445512')).toBe(false);
    const world = await answering(denied);
    expect((await failureOf(read(world, true))).details).toMatchObject({
      kind: 'Denied',
      code: 'AccessDeniedException',
    });
    // Those under way may end; long before all thirty are asked for, nobody goes on.
    for (let turn = 0; turn < 10; turn += 1) await world.cloud.list('computeOptimizer', null).catch(() => undefined);
    expect(world.requests.filter(({ operation }) => operation === 'ListTagsForResource').length).toBeLessThan(12);
  });

  it.each(['aws-cn', 'aws-us-gov'] as const)('works in the partition %s, also by a member role', async (partition) => {
    const region = { 'aws-cn': 'cn-north-1', 'aws-us-gov': 'us-gov-east-1' }[partition];
    const world = await awsWorld({ sandbox: { partition }, settings: { AWS_REGION: region } });
    const { arn, ...caller } = await world.cloud.identify();
    expect(caller.partition).toBe(partition);
    expect(arn).toMatch(new RegExp(`^arn:${partition}:`));
    expect((await read(world)).accounts).toHaveLength(world.sandbox.accounts().length);
    expect((await world.cloud.read('computeOptimizer', findMember(world).accountId)).kind).toBe('observed');
    await world.close();
  });
});

describe('who we are', () => {
  it('an account that belongs to no organization is told so', async () => {
    const wire = await wireCloud((_, response) => json(response, 400, { __type: 'AWSOrganizationsNotInUseException' }));
    const { details: facts, message } = await failureOf(wire.cloud.identify());
    expect(facts).toMatchObject({ kind: 'Prerequisite', code: 'AWSOrganizationsNotInUseException' });
    expect(message).toContain('does not belong to an AWS Organization');
  });

  const asMember = (answers: Readonly<Record<string, unknown>>) =>
    wireCloud(({ operation }, response) => {
      const elsewhere = { Organization: { ...ORGANIZATION, MasterAccountId: OTHER } };
      const answer = operation === 'DescribeOrganization' ? elsewhere : answers[operation];
      const failed = typeof answer === 'object' && answer !== null && '__type' in answer;
      json(response, failed ? 400 : 200, answer);
    });

  it('the delegated administrator may be on any page', async () => {
    let page = 0;
    const { cloud } = await wireCloud(({ operation }, response) => {
      if (operation === 'DescribeOrganization')
        json(response, 200, { Organization: { ...ORGANIZATION, MasterAccountId: OTHER } });
      else {
        page += 1;
        json(
          response,
          200,
          page === 1 ? { DelegatedAdministrators: [], NextToken: '2' } : { DelegatedAdministrators: [{ Id: ACCOUNT }] },
        );
      }
    });
    expect((await cloud.identify()).role).toBe('delegatedAdministrator');
  });

  it('who may not ask for the administrators is one if AWS lets it list', async () => {
    const denied = { __type: 'AccessDeniedException' };
    const lists = await asMember({
      ListDelegatedAdministrators: denied,
      GetEnrollmentStatusesForOrganization: { accountEnrollmentStatuses: [] },
    });
    expect((await lists.cloud.identify()).role).toBe('delegatedAdministrator');
    const refused = await asMember({
      ListDelegatedAdministrators: denied,
      GetEnrollmentStatusesForOrganization: denied,
    });
    expect((await failureOf(refused.cloud.identify())).details.code).toBe('NotOrganizationCaller');
    const throttled = await asMember({
      ListDelegatedAdministrators: denied,
      GetEnrollmentStatusesForOrganization: { __type: 'ThrottlingException' },
    });
    expect((await failureOf(throttled.cloud.identify())).kind).toBe('Throttled');
  });

  it('is asked once for all calls, again after a failure, and again by identify', async () => {
    let asked = 0;
    const wire = await wireServer(({ operation }, response) => {
      if (operation !== 'GetCallerIdentity')
        return json(response, 200, { Organization: ORGANIZATION, status: 'Active' });
      asked += 1;
      if (asked === 1) return json(response, 500, {});
      response.end(
        `<GetCallerIdentityResponse><GetCallerIdentityResult><Account>${ACCOUNT}</Account><Arn>arn:aws:iam::${ACCOUNT}:user/${OWN_KEY.length}</Arn></GetCallerIdentityResult></GetCallerIdentityResponse>`,
      );
    });
    const { cloud } = cloudOn(wire.endpoint);
    await failureOf(cloud.read('computeOptimizer', ACCOUNT));
    await Promise.all([1, 2, 3].map(() => cloud.read('computeOptimizer', ACCOUNT)));
    expect(asked).toBe(2);
    await cloud.identify();
    expect(asked).toBe(3);
  });
});

/** The OUs above an OU that have it below them: `/A/B/C` has `/A` and `/A/B`. */
function parentsOf(ou: string): string[] {
  const names = ou.split('/').slice(1, -1);
  return names.map((_, index) => `/${names.slice(0, index + 1).join('/')}`);
}

describe('the name of an OU in a path', () => {
  it.each([
    ['Teams/East', 'Teams%2FEast'],
    ['Teams%2FEast', 'Teams%252FEast'],
    ['Teams%252FEast', 'Teams%25252FEast'],
    ['100%', '100%'],
    ['A%/B', 'A%%2FB'],
    ['Shared Services', 'Shared Services'],
  ])('%s is %s, and no other name is', (name, step) => {
    expect(pathStep(name)).toBe(step);
    expect(step.replace(/%(25|2F)/g, (found) => (found === '%2F' ? '/' : '%'))).toBe(name);
  });
});
