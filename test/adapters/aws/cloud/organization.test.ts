import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { pathStep } from '../../../../shared/adapters/aws/cloud/organization-paths.ts';
import { countOf, failureOf, findMember } from '../../../contract/cloud-world.ts';
import { withoutRetries } from '../../../support/without-retries.ts';
import { accountsOf, inRoot, management, OTHER, organizations, read, root } from './fake-organizations.ts';
import { ACCOUNT, awsWorld, cloudOn } from './support.ts';

/** The ancestors of an OU: for `/A/B/C`, `/A` and `/A/B`. */
function parentsOf(ou: string): string[] {
  const names = ou.split('/').slice(1, -1);
  return names.map((_, index) => `/${names.slice(0, index + 1).join('/')}`);
}

describe('reading the organization', () => {
  it('lists children only of OUs that are parents on the paths of accounts', async () => {
    const world = await awsWorld({ sandbox: { accounts: 100 } });
    await read(world);
    const inner = new Set(['/', ...world.sandbox.accounts().flatMap(({ ou }) => parentsOf(ou))]);
    expect(countOf(world, 'ListOrganizationalUnitsForParent')).toBe(inner.size);
    expect(countOf(world, 'ListAccounts')).toBe(Math.ceil(world.sandbox.accounts().length / 20));
    expect(countOf(world, 'ListAccountsForParent')).toBe(0);
    await world.close();
  });

  it('lists the OUs while it lists the accounts', async () => {
    const world = await awsWorld({ sandbox: { accounts: 100 } });
    await read(world);
    const asked = world.calls.flatMap(({ what, operation }) => (what === 'acquire' ? [operation] : []));
    const pages = asked.flatMap((operation, n) => (operation === 'ListAccounts' ? [n] : []));
    // Requested as soon as the first page names an OU, so before the answer to the second page.
    expect(asked.indexOf('ListOrganizationalUnitsForParent')).toBeLessThan(pages[2] ?? 0);
    await world.close();
  });

  it('fails if the OUs cannot be listed, even before the accounts are', async () => {
    const denied = { __type: 'AccessDeniedException', message: 'no' };
    let pages = 0;
    const world = await organizations({
      ListAccounts: () => {
        pages += 1;
        const moved = { ...inRoot({ Id: OTHER }), Paths: [`${root}/ou-a/${OTHER}/`] };
        return { Accounts: [management, moved], ...(pages < 3 && { NextToken: `${pages}` }) };
      },
      ListOrganizationalUnitsForParent: () => denied,
    });
    expect((await failureOf(read(world))).details).toMatchObject({ operation: 'ListOrganizationalUnitsForParent' });
  });

  it('makes no further call once the read has failed', async () => {
    let listings = 0;
    const nested = { ...inRoot({ Id: OTHER }), Paths: [`${root}/ou-a/ou-b/${OTHER}/`] };
    // The listing lacks the management account, so the read fails.
    const { cloud } = await accountsOf([nested], {
      ListOrganizationalUnitsForParent: () => {
        listings += 1;
        return { OrganizationalUnits: [] };
      },
    });
    const failed = Promise.withResolvers<void>();
    const late: Promise<unknown>[] = [];
    const once = (key: string, call: () => Promise<unknown>): Promise<unknown> => {
      if (!key.startsWith('ListOrganizationalUnits')) return call();
      const answer = failed.promise.then(call);
      late.push(answer);
      return answer;
    };
    await failureOf(cloud.readOrganization({ tags: false, retry: withoutRetries, once }));
    failed.resolve();
    for (const answer of late) {
      await Promise.allSettled([answer]);
      // The next listing begins in a later microtask.
      await setImmediate();
    }
    expect(listings).toBe(0);
  });

  it('an OU that an account left during the read need not exist any more', async () => {
    const before = { ...inRoot({ Id: OTHER }), Paths: [`${root}/ou-gone/${OTHER}/`] };
    const world = await accountsOf([management, before, inRoot({ Id: OTHER })], {
      ListOrganizationalUnitsForParent: () => ({ OrganizationalUnits: [] }),
      DescribeOrganizationalUnit: () => ({ __type: 'OrganizationalUnitNotFoundException', message: 'no' }),
    });
    expect((await read(world)).accounts).toMatchObject([{ ou: '/' }, { id: OTHER, ou: '/' }]);
  });

  it('walks the tree if accounts lack their path', async () => {
    const world = await awsWorld({ sandbox: { accounts: 60, accountShape: 'older' } });
    const { accounts } = await read(world);
    expect(countOf(world, 'ListAccountsForParent')).toBeGreaterThan(0);
    expect(accounts.map(({ id, ou, state }) => [id, ou, state]).sort()).toEqual(
      world.sandbox.accounts().map(({ accountId, ou, state }) => [accountId, ou, state]),
    );
    await world.close();
  });

  it('a walk tolerates a move: it looks up the parent of an account that it did not find', async () => {
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

  it('a walk does not guess: an account in an unknown OU yields no snapshot', async () => {
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

  it('looks up the name of an OU that moved during the read', async () => {
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

  it('prefers State to Status and falls back to Status', async () => {
    const world = await accountsOf([
      management,
      inRoot({ Id: OTHER, State: 'CLOSED', Status: 'SUSPENDED' }),
      { ...inRoot({ Id: '333344445555' }), State: undefined, Status: 'PENDING_CLOSURE' },
    ]);
    expect((await read(world)).accounts.map(({ state }) => state)).toEqual(['ACTIVE', 'CLOSED', 'PENDING_CLOSURE']);
  });

  it.each([['DREAMING'], [undefined]])('an account in the state %s is UNKNOWN; the others are read', async (State) => {
    const world = await accountsOf([management, { ...inRoot({ Id: OTHER }), State }]);
    expect((await read(world)).accounts.map(({ id, state }) => [id, state])).toEqual([
      [management.Id, 'ACTIVE'],
      [OTHER, 'UNKNOWN'],
    ]);
  });

  it('an invalid time does not fail the read', async () => {
    const world = await accountsOf([management, { ...inRoot({ Id: OTHER }), ...{ JoinedTimestamp: 'long ago' } }]);
    expect((await read(world)).accounts).toHaveLength(2);
  });

  it.each([
    ['an invalid id', [management, inRoot({ Id: '22' })], 'Accounts.1.Id'],
    ['a listing without the management account', [inRoot({ Id: OTHER })], 'management account'],
    ['nothing', [], 'management account'],
  ])('%s yields no snapshot', async (_, accounts, says) => {
    const { details: facts, message } = await failureOf(read(await accountsOf(accounts)));
    expect(facts).toMatchObject({ kind: 'Invalid', code: 'UnexpectedAnswer', operation: 'ListAccounts' });
    expect(message).toMatch(says);
  });

  it('a listing with repeated page tokens fails', async () => {
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

  it('more accounts than expected yield no snapshot, and the error names both numbers', async () => {
    const accounts = [management, ...[1, 2, 3].map((index) => inRoot({ Id: `22223333444${index}` }))];
    const wire = await accountsOf(accounts);
    const limited = (maxAccounts: number) => read(cloudOn(wire.endpoint, { maxAccounts }));
    expect((await limited(4)).accounts).toHaveLength(4);
    const { details: facts, message } = await failureOf(limited(3));
    expect(facts).toMatchObject({ kind: 'Invalid', code: 'TooManyAccounts' });
    expect(message).toContain('has 4 accounts, more than the maximum of 3');
    expect(message).toContain('ROLLCALL_MAX_ACCOUNTS');
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

describe('the name of an OU in a path', () => {
  it.each([
    ['Teams/East', 'Teams%2FEast'],
    ['Teams%2FEast', 'Teams%252FEast'],
    ['Teams%252FEast', 'Teams%25252FEast'],
    ['100%', '100%'],
    ['A%/B', 'A%%2FB'],
    ['Shared Services', 'Shared Services'],
  ])('%s becomes %s, and no other name does', (name, step) => {
    expect(pathStep(name)).toBe(step);
    expect(step.replace(/%(25|2F)/g, (found) => (found === '%2F' ? '/' : '%'))).toBe(name);
  });
});
