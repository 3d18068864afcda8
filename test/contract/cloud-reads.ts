import { expect } from 'vitest';
import { withoutRetries } from '../support/without-retries.ts';
import {
  automationOf,
  computeOptimizerOf,
  countOf,
  failureOf,
  findMember,
  listAll,
  type Promised,
  patiently,
  ruleModeSourceOf,
  set,
  sorted,
  truthOf,
  type World,
} from './cloud-world.ts';

/** The promises of reading the caller, the organization and the enrollments. */
export const READ_PROMISES = {
  async 'identify: the management account'(open) {
    const world = await open();
    const { organizationId, managementAccountId } = world.sandbox.info();
    expect(await world.cloud.identify()).toMatchObject({
      ...{ accountId: managementAccountId, partition: 'aws', organizationId, managementAccountId, role: 'management' },
      arn: expect.stringMatching(/^arn:aws:/),
    });
  },

  async 'identify: the delegated administrator'(open) {
    const world = await open({ caller: 'delegatedAdministrator' });
    const { delegatedAdministratorId, managementAccountId } = world.sandbox.info();
    expect(await world.cloud.identify()).toMatchObject({
      ...{ accountId: delegatedAdministratorId, managementAccountId, role: 'delegatedAdministrator' },
    });
  },

  async 'identify: any other account gets an error'(open) {
    const world = await open({ caller: 'member' });
    const { message, details } = await failureOf(world.cloud.identify());
    expect(details).toMatchObject({ kind: 'Denied', code: 'NotOrganizationCaller' });
    expect(message).toContain(world.sandbox.info().managementAccountId);
  },

  async 'readOrganization returns the whole organization'(open) {
    for (const caller of ['management', 'delegatedAdministrator'] as const) {
      const world = await open({ caller, sandbox: { accounts: 61 } });
      const progress: number[] = [];
      const onProgress = (accounts: number) => progress.push(accounts);
      const snapshot = await world.cloud.readOrganization({ tags: false, retry: withoutRetries, onProgress });
      const { organizationId, managementAccountId } = world.sandbox.info();
      expect(snapshot).toMatchObject({ organizationId, managementAccountId, takenAt: world.clock.now(), tags: false });
      expect(sorted(snapshot.accounts)).toEqual(
        world.sandbox.accounts().map(({ accountId: id, name, ou, state, management }) => ({
          ...{ id, name, ou, unitIds: unitIdsOf(world, ou), state, management, tags: null },
        })),
      );
      expect(progress.at(-1)).toBe(world.sandbox.accounts().length);
      expect(countOf(world, 'ListTagsForResource')).toBe(0);
    }
  },

  async 'readUnits returns the root and all OUs, each after its parent'(open) {
    for (const caller of ['management', 'delegatedAdministrator'] as const) {
      const world = await open({ caller, sandbox: { accounts: 61 } });
      const units = await world.cloud.readUnits({ retry: withoutRetries });
      const truth = world.sandbox.organizationalUnits();
      expect(units.map(({ id, parentId }) => [id, parentId]).sort()).toEqual(
        truth.map(({ id, parentId }) => [id, parentId]).sort(),
      );
      const seen = new Set<string | null>([null]);
      for (const { id, parentId, path } of units) {
        expect(seen.has(parentId)).toBe(true);
        expect(path.split('/').at(-1)).toBe(parentId === null ? '' : truth.find((each) => each.id === id)?.name);
        seen.add(id);
      }
      const paths = new Set(units.map(({ path }) => path));
      for (const { ou } of world.sandbox.accounts()) expect(paths.has(ou)).toBe(true);
    }
  },

  async 'readUnits wraps each page in retry, and throws for an interrupted one'(open) {
    const world = await open();
    const service = 'organizations';
    world.sandbox.setFaults([{ service, kind: 'throttle', probability: 0.3 }]);
    expect(await world.cloud.readUnits({ retry: patiently })).toHaveLength(world.sandbox.organizationalUnits().length);
    const operation = 'ListOrganizationalUnitsForParent';
    world.sandbox.setFaults([{ service, operation, kind: 'throttle', from: 2, count: 1 }]);
    expect((await failureOf(world.cloud.readUnits({ retry: withoutRetries }))).kind).toBe('Throttled');
  },

  async 'readUnits makes no call for a page that `once` remembers'(open) {
    const world = await open();
    const answers = new Map<string, unknown>();
    const once = async (key: string, call: () => Promise<unknown>): Promise<unknown> => {
      if (!answers.has(key)) answers.set(key, JSON.parse(JSON.stringify(await call())));
      return answers.get(key);
    };
    const units = await world.cloud.readUnits({ retry: withoutRetries, once });
    const before = world.calls.length;
    expect(await world.cloud.readUnits({ retry: withoutRetries, once })).toEqual(units);
    expect(world.calls.slice(before).filter(({ what }) => what === 'acquire')).toEqual([]);
  },

  async 'readAccount returns the same account as readOrganization, in a few calls'(open) {
    for (const accountShape of ['current', 'older'] as const) {
      const world = await open({ sandbox: { accounts: 40, accountShape } });
      const { organizationId, managementAccountId } = world.sandbox.info();
      const whole = await world.cloud.readOrganization({ tags: true, retry: withoutRetries });
      const before = world.calls.length;
      const options = { organizationId, managementAccountId, retry: withoutRetries };
      const some = whole.accounts.slice(0, 8);
      for (const account of some) {
        expect(await world.cloud.readAccount(account.id, { ...options, tags: true })).toEqual(account);
      }
      expect(world.calls.length - before).toBeLessThanOrEqual(some.length * 14);
      const [first] = some;
      expect(await world.cloud.readAccount(first?.id ?? '', { ...options, tags: false })).toEqual({
        ...first,
        tags: null,
      });
      expect(await world.cloud.readAccount('999999999999', { ...options, tags: true })).toBeNull();
    }
  },

  async 'readOrganization retries single calls'(open) {
    const world = await open({ sandbox: { accounts: 61 } });
    world.sandbox.setFaults([{ service: 'organizations', kind: 'throttle', probability: 0.3 }]);
    const snapshot = await world.cloud.readOrganization({ tags: true, retry: patiently });
    expect(snapshot.accounts).toHaveLength(world.sandbox.accounts().length);
    expect(world.calls.some(({ what }) => what === 'throttled')).toBe(true);
  },

  async 'readOrganization without retry ends at the first throttling'(open) {
    const world = await open({ sandbox: { accounts: 61 } });
    world.sandbox.setFaults([
      { operation: 'ListAccounts', service: 'organizations', kind: 'throttle', from: 2, count: 1 },
    ]);
    const { kind, details } = await failureOf(world.cloud.readOrganization({ tags: false, retry: withoutRetries }));
    expect([kind, details.service, details.operation]).toEqual(['Throttled', 'organizations', 'ListAccounts']);
  },

  async 'readOrganization: an interrupted page returns nothing'(open) {
    const world = await open({ sandbox: { accounts: 61 } });
    world.sandbox.setFaults([
      { service: 'organizations', operation: 'ListAccounts', kind: 'torn-page', from: 2, count: 1 },
    ]);
    expect((await failureOf(world.cloud.readOrganization({ tags: false, retry: patiently }))).kind).toBe('Invalid');
  },

  async 'readOrganization: continues after empty pages with a token'(open) {
    const world = await open({ sandbox: { accounts: 61 } });
    world.sandbox.setFaults([{ service: 'organizations', kind: 'empty-page', probability: 0.4 }]);
    const snapshot = await world.cloud.readOrganization({ tags: false, retry: withoutRetries });
    expect(snapshot.accounts.map(({ ou }) => ou).sort()).toEqual(
      world.sandbox
        .accounts()
        .map(({ ou }) => ou)
        .sort(),
    );
  },

  async 'trustedAccess: the present state, for callers that may read the organization'(open) {
    for (const caller of ['management', 'delegatedAdministrator'] as const) {
      const { cloud, sandbox } = await open({ caller });
      expect(await cloud.trustedAccess()).toBe(true);
      sandbox.setTrustedAccess(false);
      expect(await cloud.trustedAccess()).toBe(false);
    }
    const { cloud } = await open({ caller: 'member' });
    await expect(cloud.trustedAccess()).rejects.toMatchObject({ details: { kind: 'Denied' } });
  },

  async 'list: Compute Optimizer, every member once, 100 per page'(open) {
    for (const caller of ['management', 'delegatedAdministrator'] as const) {
      const world = await open({ caller, sandbox: { accounts: 251, drift: 0.4 } });
      const { items, pages } = await listAll((pageToken) => world.cloud.list('computeOptimizer', pageToken));
      expect(pages).toBe(3);
      const members = world.sandbox.accounts().filter(({ management }) => !management);
      expect(items).toEqual(members.map((each) => ({ accountId: each.accountId, observed: computeOptimizerOf(each) })));
    }
  },

  async 'listings: an empty page is returned, an interrupted one throws'(open) {
    const world = await open({ sandbox: { accounts: 251 } });
    const list = (pageToken: string | null) => world.cloud.list('computeOptimizer', pageToken);
    world.sandbox.setFaults([{ kind: 'empty-page', from: 2, count: 2 }]);
    expect((await listAll(list)).items).toHaveLength(world.sandbox.accounts().length - 1);
    world.sandbox.setFaults([{ kind: 'torn-page', from: 1, count: 1 }]);
    expect((await failureOf(listAll(list))).kind).toBe('Invalid');
  },

  async 'list: Automation, the accounts enrolled in Compute Optimizer, with the rule mode'(open) {
    const world = await open({ sandbox: { accounts: 120, drift: 0.5 } });
    const { items, pages } = await listAll((pageToken) => world.cloud.list('automation', pageToken));
    const enrolled = world.sandbox
      .accounts()
      .filter(({ management, computeOptimizer }) => !management && computeOptimizer.status === 'Active');
    expect(pages).toBe(1);
    expect(items).toEqual(
      enrolled.map((each) => ({
        ...{ accountId: each.accountId, observed: automationOf(each), ruleModeSource: ruleModeSourceOf(each) },
      })),
    );
    expect(new Set(items.map(({ observed }) => observed.ruleMode)).size).toBe(2);
  },

  async 'listings are denied to other accounts'(open) {
    const world = await open({ caller: 'member' });
    expect((await failureOf(world.cloud.list('computeOptimizer', null))).kind).toBe('Denied');
    expect((await failureOf(world.cloud.list('automation', null))).kind).toBe('Denied');
  },

  async 'reads are live and return their own account, even concurrently'(open) {
    const world = await open({ sandbox: { accounts: 60, drift: 0.5 } });
    const accounts = world.sandbox.accounts().filter(({ state }) => state === 'ACTIVE');
    const reads = accounts.flatMap(({ accountId }) => [accountId, accountId, accountId]);
    const observed = await Promise.all(reads.map((accountId) => world.cloud.read('computeOptimizer', accountId)));
    expect(observed).toEqual(reads.map((accountId) => computeOptimizerOf(truthOf(world, accountId))));
    const automation = await Promise.all(accounts.map(({ accountId }) => world.cloud.read('automation', accountId)));
    for (const [index, account] of accounts.entries()) {
      if (account.computeOptimizer.status === 'Active') expect(automation[index]).toMatchObject(automationOf(account));
    }
  },

  async 'a read says whether a configuration governs the account'(open) {
    const world = await open({ sandbox: { accounts: 30, drift: 0 } });
    const { accountId: id } = findMember(world, ({ ou }) => ou === '/Sandbox');
    const read = (accountId: string) => world.cloud.read('automation', accountId);
    expect(await read(id)).toMatchObject({ ruleModeSource: null });
    await (await world.cloud.configurations.preparePut({ type: 'account', id }, 'NoneAllowed', 'token'))();
    expect(await read(id)).toMatchObject({ ruleModeSource: { type: 'configuration', targetId: null } });
    expect(await read(world.sandbox.info().managementAccountId)).not.toHaveProperty('ruleModeSource');
  },

  async 'a read that needs an opt-in first is Inactive'(open) {
    const world = await open();
    const { accountId } = findMember(world);
    set(world, accountId, 'computeOptimizer', 'Inactive');
    expect(await world.cloud.read('automation', accountId)).toMatchObject({ kind: 'observed', status: 'Inactive' });
    for (const code of ['OptInRequiredException', 'ResourceNotFoundException']) {
      world.sandbox.setFaults([{ operation: 'GetEnrollmentConfiguration', kind: 'denied', code }]);
      const { managementAccountId } = world.sandbox.info();
      expect((await world.cloud.read('automation', managementAccountId)).status).toBe('Inactive');
    }
  },
} satisfies Record<string, Promised>;

/** The ids of the units on an OU path, from the root down. */
function unitIdsOf({ sandbox }: World, ou: string): string[] {
  const units = sandbox.organizationalUnits();
  const ids = units.filter(({ parentId }) => parentId === null).map(({ id }) => id);
  for (const step of ou.split('/').filter((name) => name !== '')) {
    const found = units.find(({ name, parentId }) => name === step && parentId === ids.at(-1));
    if (found !== undefined) ids.push(found.id);
  }
  return ids;
}
