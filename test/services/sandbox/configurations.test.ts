import { describe, expect, test } from 'vitest';
import type { AccountTruth } from '../../../services/sandbox/engine/accounts.ts';
import type { RunningSandbox } from '../../../services/sandbox/start.ts';
import { as, automated, automation, control, member, members, rpcCbor, sandboxForTest, truth } from './support.ts';

const MINUTE_MS = 60_000;
const APPLIED_MS = 5 * MINUTE_MS;

function unit(running: RunningSandbox, name: string): string {
  const found = running.sandbox.organizationalUnits().find((each) => each.name === name);
  if (found === undefined) throw new Error(`The sandbox has no OU ${name}`);
  return found.id;
}

const targetOf = (id: string) => (/^\d/.test(id) ? { accountId: id } : { organizationalUnitId: id });

const put = (running: RunningSandbox, id: string, organizationRuleMode: string, caller?: string) =>
  automation(
    running,
    'PutOrganizationEnrollmentConfiguration',
    { target: targetOf(id), organizationRuleMode },
    caller === undefined ? undefined : as(caller),
  );

const remove = (running: RunningSandbox, id: string) =>
  automation(running, 'DeleteOrganizationEnrollmentConfiguration', {
    ...{ target: targetOf(id), configurationTypes: ['OrganizationRuleMode'] },
  });

/** Stores a configuration and waits until it is in effect. */
async function configured(running: RunningSandbox, id: string, mode: string): Promise<void> {
  expect(await put(running, id, mode)).toMatchObject({ status: 200, body: {} });
  running.clock.advance(APPLIED_MS);
}

const below = (path: string) => (account: AccountTruth) => account.ou === path || account.ou.startsWith(`${path}/`);

describe('a configuration', () => {
  test.each(['AnyAllowed', 'NoneAllowed'])('of the root with %s enables Automation in every member', async (mode) => {
    const running = await sandboxForTest({ drift: 0.2 });
    await configured(running, unit(running, 'Root'), mode);
    const enrolled = members(running).filter(({ computeOptimizer }) => computeOptimizer.status === 'Active');
    for (const { automation: own } of enrolled)
      expect(own).toMatchObject({
        ...{ status: 'Active', organizationRuleMode: mode },
        organizationRuleModeSource: { sourceType: 'Inherited', sourceTargetId: unit(running, 'Root') },
      });
    const others = members(running).filter(({ computeOptimizer }) => computeOptimizer.status !== 'Active');
    expect(others.length).toBeGreaterThan(0);
    for (const { automation: own } of others) expect(own.status).toBe('Inactive');
    expect(truth(running, running.info.managementAccountId).automation).toMatchObject({
      ...{ organizationRuleMode: 'AnyAllowed', organizationRuleModeSource: null },
    });
  });

  test('nearest to the account decides', async () => {
    const running = await sandboxForTest({ accounts: 60 });
    const { accountId } = member(running, ({ ou }) => ou === '/Workloads/Prod/Retail');
    await configured(running, unit(running, 'Workloads'), 'NoneAllowed');
    await configured(running, unit(running, 'Prod'), 'AnyAllowed');
    const source = () => truth(running, accountId).automation;
    expect(source()).toMatchObject({ organizationRuleMode: 'AnyAllowed' });
    expect(source().organizationRuleModeSource).toEqual({
      ...{ sourceType: 'Inherited', sourceTargetId: unit(running, 'Prod') },
    });
    await configured(running, accountId, 'NoneAllowed');
    expect(source()).toMatchObject({
      organizationRuleMode: 'NoneAllowed',
      organizationRuleModeSource: { sourceType: 'Applied', sourceTargetId: accountId },
    });
    const dev = member(running, ({ ou }) => ou === '/Workloads/Dev');
    expect(truth(running, dev.accountId).automation.organizationRuleMode).toBe('NoneAllowed');
  });

  test('of an OU takes effect within 5 minutes, and that of an account immediately', async () => {
    const running = await sandboxForTest({ accounts: 60 });
    const dev = member(running, ({ ou }) => ou === '/Workloads/Dev').accountId;
    await put(running, unit(running, 'Dev'), 'AnyAllowed');
    expect(truth(running, dev).automation.status).toBe('Inactive');
    expect(running.sandbox.configurations()).toEqual([
      { targetId: unit(running, 'Dev'), organizationRuleMode: 'AnyAllowed' },
    ]);
    running.clock.advance(APPLIED_MS);
    expect(truth(running, dev).automation.status).toBe('Active');
    const test1 = member(running, ({ ou }) => ou === '/Workloads/Test').accountId;
    await put(running, test1, 'NoneAllowed');
    expect(truth(running, test1).automation.status).toBe('Active');
  });

  test('takes as long as the option says', async () => {
    const running = await sandboxForTest({ configurationDelayMs: 2 * MINUTE_MS });
    const { accountId } = member(running, (account) => !automated(account));
    await put(running, unit(running, 'Root'), 'AnyAllowed');
    running.clock.advance(2 * MINUTE_MS - 1);
    expect(truth(running, accountId).automation.status).toBe('Inactive');
    running.clock.advance(1);
    expect(truth(running, accountId).automation.status).toBe('Active');
    const immediate = await sandboxForTest({ configurationDelayMs: 0 });
    await put(immediate, unit(immediate, 'Root'), 'AnyAllowed');
    expect(members(immediate).every(automated)).toBe(true);
  });

  test('applies to accounts that join, move in, or are opted in to Compute Optimizer later', async () => {
    const running = await sandboxForTest({ accounts: 60, drift: 0.3 });
    await configured(running, unit(running, 'Workloads'), 'AnyAllowed');
    const expectGoverned = (accountId: string) =>
      expect(truth(running, accountId).automation).toMatchObject({
        status: 'Active',
        organizationRuleMode: 'AnyAllowed',
      });
    const drifted = member(running, (account) => below('/Workloads')(account) && !automated(account)).accountId;
    await control(running, 'drift', {
      changes: [{ accountId: drifted, enrollment: 'computeOptimizer', status: 'Active' }],
    });
    expectGoverned(drifted);
    const isOutside = ({ ou, computeOptimizer, automation: own }: AccountTruth) =>
      ou === '/Sandbox' && computeOptimizer.status === 'Active' && own.status === 'Inactive';
    const mover = member(running, isOutside).accountId;
    await control(running, 'accounts', { update: [{ accountId: mover, ou: '/Workloads/Dev' }] });
    expectGoverned(mover);
    const joiner = '999988887777';
    await control(running, 'accounts', { add: [{ accountId: joiner, ou: '/Workloads/Test' }] });
    expect(truth(running, joiner).automation.status).toBe('Inactive');
    await control(running, 'drift', {
      changes: [{ accountId: joiner, enrollment: 'computeOptimizer', status: 'Active' }],
    });
    expectGoverned(joiner);
    await control(running, 'accounts', { update: [{ accountId: mover, ou: '/Sandbox' }] });
    expect(truth(running, mover).automation).toMatchObject({
      ...{
        status: 'Active',
        organizationRuleMode: 'NoneAllowed',
        organizationRuleModeSource: { sourceType: 'Default' },
      },
    });
  });

  test('that is deleted leaves Automation on, restores no association, and uncovers the parent', async () => {
    const running = await sandboxForTest({ accounts: 60 });
    const associated = member(running, ({ ou }) => ou === '/Workloads/Prod/Retail');
    expect(associated.automation.organizationRuleModeSource).toEqual({ sourceType: 'Direct' });
    const { accountId } = associated;
    await configured(running, unit(running, 'Workloads'), 'AnyAllowed');
    await configured(running, accountId, 'NoneAllowed');
    await remove(running, accountId);
    expect(truth(running, accountId).automation).toMatchObject({
      status: 'Active',
      organizationRuleMode: 'AnyAllowed',
      organizationRuleModeSource: { sourceType: 'Inherited', sourceTargetId: unit(running, 'Workloads') },
    });
    expect((await remove(running, unit(running, 'Workloads'))).status).toBe(200);
    running.clock.advance(APPLIED_MS);
    expect(truth(running, accountId).automation).toMatchObject({
      status: 'Active',
      organizationRuleMode: 'NoneAllowed',
      organizationRuleModeSource: { sourceType: 'Default' },
    });
    expect(running.sandbox.configurations()).toEqual([]);
  });

  test.each([['ForbiddenException', 403] as const, ['InvalidParameterValueException', 400] as const])(
    'refuses associations and the opt-out of its accounts with %s',
    async (coveredCode, status) => {
      const running = await sandboxForTest({ accounts: 60, coveredCode });
      const covered = member(running, ({ ou }) => ou === '/Workloads/Dev').accountId;
      const free = member(running, ({ ou }) => ou === '/Sandbox').accountId;
      await put(running, unit(running, 'Dev'), 'AnyAllowed');
      for (const applied of [0, APPLIED_MS]) {
        running.clock.advance(applied);
        for (const operation of ['AssociateAccounts', 'DisassociateAccounts'])
          expect(await automation(running, operation, { accountIds: [free, covered] })).toMatchObject({
            ...{ status, error: coveredCode },
          });
        const optOut = await automation(running, 'UpdateEnrollmentConfiguration', { status: 'Inactive' }, as(covered));
        expect(optOut).toMatchObject({ status, error: coveredCode });
      }
      expect(truth(running, free).automation).toMatchObject({
        status: 'Inactive',
        organizationRuleMode: 'NoneAllowed',
      });
      const change = { accountId: covered, enrollment: 'automation', status: 'Inactive' };
      expect((await control(running, 'drift', { changes: [change] })).status).toBe(400);
    },
  );

  test('conflicts with a change of the same, a parent or a child target that is still being applied', async () => {
    const running = await sandboxForTest({ accounts: 60 });
    await put(running, unit(running, 'Prod'), 'AnyAllowed');
    const inside = member(running, ({ ou }) => ou === '/Workloads/Prod/Retail').accountId;
    const overlapping = [unit(running, 'Prod'), unit(running, 'Root'), unit(running, 'Retail'), inside];
    for (const id of overlapping)
      expect(await put(running, id, 'AnyAllowed')).toMatchObject({ status: 409, error: 'ConflictException' });
    expect((await remove(running, unit(running, 'Prod'))).error).toBe('ConflictException');
    expect((await put(running, unit(running, 'Dev'), 'AnyAllowed')).status).toBe(200);
    running.clock.advance(APPLIED_MS);
    expect((await put(running, inside, 'NoneAllowed')).status).toBe(200);
  });

  test('conflicts by a fault', async () => {
    const running = await sandboxForTest();
    const fault = { operation: 'PutOrganizationEnrollmentConfiguration', kind: 'denied', code: 'ConflictException' };
    await control(running, 'faults', { faults: [{ ...fault, count: 1 }] });
    expect((await put(running, unit(running, 'Root'), 'AnyAllowed')).error).toBe('ConflictException');
    expect((await put(running, unit(running, 'Root'), 'AnyAllowed')).status).toBe(200);
  });

  test('of an account ends when the account leaves', async () => {
    const running = await sandboxForTest();
    const { accountId } = member(running);
    await configured(running, accountId, 'AnyAllowed');
    await control(running, 'accounts', { remove: [accountId] });
    expect(running.sandbox.configurations()).toEqual([]);
  });
});

describe('PutOrganizationEnrollmentConfiguration', () => {
  test('needs an existing target other than the management account, and a rule mode', async () => {
    const running = await sandboxForTest();
    const wrong = { status: 400, error: 'InvalidParameterValueException' };
    const closed = running.sandbox.accounts().find(({ state }) => state !== 'ACTIVE')?.accountId ?? '';
    const { managementAccountId } = running.info;
    for (const id of [managementAccountId, '000000000000', closed, 'r-zzzz', 'ou-zzzz-zzzzzzzz'])
      expect(await put(running, id, 'AnyAllowed')).toMatchObject(wrong);
    const target = targetOf(unit(running, 'Root'));
    expect(await automation(running, 'PutOrganizationEnrollmentConfiguration', { target })).toMatchObject(wrong);
    expect(await remove(running, unit(running, 'Root'))).toMatchObject(wrong);
    expect(running.sandbox.configurations()).toEqual([]);
  });

  test.each([{}, { accountId: '111122223333', organizationalUnitId: 'r-abcd' }, { other: 'r-abcd' }, []])(
    'rejects the target %j',
    async (target) => {
      const running = await sandboxForTest();
      const input = { target, organizationRuleMode: 'AnyAllowed' };
      const answer = await automation(running, 'PutOrganizationEnrollmentConfiguration', input);
      expect(answer).toMatchObject({ status: 400, error: 'SerializationException' });
    },
  );

  test('a repeated token returns the earlier answer; other parameters are a mismatch', async () => {
    const running = await sandboxForTest();
    const input = { target: targetOf(member(running).accountId), organizationRuleMode: 'AnyAllowed', clientToken: 'a' };
    const send = (more: object = {}) =>
      automation(running, 'PutOrganizationEnrollmentConfiguration', { ...input, ...more });
    await send();
    await remove(running, member(running).accountId);
    expect(await send()).toMatchObject({ status: 200, body: {} });
    expect(running.sandbox.configurations()).toEqual([]);
    const mismatch = await send({ organizationRuleMode: 'NoneAllowed' });
    expect(mismatch).toMatchObject({ status: 409, error: 'IdempotentParameterMismatchException' });
  });
});

describe('the operations on configurations', () => {
  const inputs: Readonly<Record<string, (running: RunningSandbox) => object>> = {
    PutOrganizationEnrollmentConfiguration: (running) => ({
      ...{ target: targetOf(member(running).accountId), organizationRuleMode: 'AnyAllowed' },
    }),
    DeleteOrganizationEnrollmentConfiguration: (running) => ({
      ...{ target: targetOf(member(running).accountId), configurationTypes: ['OrganizationRuleMode'] },
    }),
    ListOrganizationEnrollmentConfigurations: () => ({}),
    ListOrganizationalUnits: () => ({}),
  };

  test.each(Object.entries(inputs))(
    '%s: only the management account and its delegate may call it',
    async (operation, input) => {
      const running = await sandboxForTest();
      const call = (caller: string) => automation(running, operation, input(running), as(caller));
      await put(running, member(running).accountId, 'NoneAllowed');
      const outsider = await call(member(running).accountId);
      expect(outsider).toMatchObject({ status: 403, error: 'AccessDeniedException' });
      expect((await call(running.info.delegatedAdministratorId)).status).toBe(200);
    },
  );

  test.each(Object.entries(inputs))('%s needs the organization to be opted in', async (operation, input) => {
    const running = await sandboxForTest();
    const { managementAccountId, delegatedAdministratorId } = running.info;
    const change = { accountId: managementAccountId, enrollment: 'computeOptimizer', status: 'Inactive' };
    await control(running, 'drift', { changes: [change] });
    for (const caller of [managementAccountId, delegatedAdministratorId]) {
      const answer = await automation(running, operation, input(running), as(caller));
      expect(answer).toMatchObject({ status: 403, error: 'OptInRequiredException' });
    }
  });

  test('list what is stored, by type and in pages', async () => {
    const running = await sandboxForTest();
    const [one, two] = members(running).map(({ accountId }) => accountId);
    for (const id of [two ?? '', one ?? '', unit(running, 'Root')]) await configured(running, id, 'AnyAllowed');
    const list = async (input: object = {}) => {
      const found: unknown[] = [];
      let nextToken: unknown;
      do {
        const { body } = await automation(running, 'ListOrganizationEnrollmentConfigurations', {
          ...{ ...input, nextToken },
        });
        const page = body['organizationEnrollmentConfigurations'];
        if (!Array.isArray(page)) throw new Error('no page');
        found.push(...page);
        nextToken = body['nextToken'];
      } while (nextToken !== undefined);
      return found;
    };
    const account = (targetId: string | undefined) => ({
      ...{ targetId, targetType: 'Account', organizationRuleMode: 'AnyAllowed' },
    });
    const root = {
      ...{ targetId: unit(running, 'Root'), targetType: 'OrganizationalUnit', organizationRuleMode: 'AnyAllowed' },
    };
    expect(await list()).toEqual([account(one), account(two), root]);
    expect(await list({ maxResults: 1 })).toEqual([account(one), account(two), root]);
    expect(await list({ targetType: 'Account' })).toEqual([account(one), account(two)]);
    expect(await list({ targetType: 'OrganizationalUnit', maxResults: 1 })).toEqual([root]);
  });

  test('ListOrganizationalUnits returns the root and all OUs with their rule modes', async () => {
    const running = await sandboxForTest();
    await configured(running, unit(running, 'Workloads'), 'AnyAllowed');
    const { body } = await automation(running, 'ListOrganizationalUnits');
    const units = Array.isArray(body['organizationalUnits']) ? body['organizationalUnits'] : [];
    expect(units).toHaveLength(running.sandbox.organizationalUnits().length);
    const infoOf = (name: string) => units.find((each) => each['organizationalUnitId'] === unit(running, name));
    const source = { sourceTargetId: unit(running, 'Workloads') };
    const configuredInfo = { autoEnrollMemberAccounts: 'All', organizationRuleMode: 'AnyAllowed' };
    expect(infoOf('Root')).toMatchObject({
      autoEnrollMemberAccounts: 'None',
      organizationRuleMode: 'NoneAllowed',
      organizationRuleModeSource: { sourceType: 'Default' },
    });
    expect(infoOf('Workloads')).toMatchObject({
      ...configuredInfo,
      organizationRuleModeSource: { sourceType: 'Applied', ...source },
    });
    expect(infoOf('Retail')).toMatchObject({
      ...configuredInfo,
      organizationRuleModeSource: { sourceType: 'Inherited', ...source },
    });
    const organizationalUnitIds = [unit(running, 'Retail')];
    const one = await automation(running, 'ListOrganizationalUnits', { organizationalUnitIds });
    expect(one.body['organizationalUnits']).toEqual([infoOf('Retail')]);
    const unknown = await automation(running, 'ListOrganizationalUnits', { organizationalUnitIds: ['r-zzzz'] });
    expect(unknown.error).toBe('InvalidParameterValueException');
  });

  test('speak rpc-v2-cbor', async () => {
    const running = await sandboxForTest();
    const { accountId } = member(running);
    const input = { target: { accountId }, organizationRuleMode: 'NoneAllowed' };
    expect(await rpcCbor(running, 'aco-automation', 'PutOrganizationEnrollmentConfiguration', input)).toMatchObject({
      ...{ status: 200, body: {} },
    });
    const listed = await rpcCbor(running, 'aco-automation', 'ListOrganizationEnrollmentConfigurations');
    expect(listed.body['organizationEnrollmentConfigurations']).toEqual([
      { targetId: accountId, targetType: 'Account', organizationRuleMode: 'NoneAllowed' },
    ]);
  });

  test('GetEnrollmentConfiguration says whether a configuration applies', async () => {
    const running = await sandboxForTest();
    const { accountId } = member(running, automated);
    const read = async (caller: string) =>
      (await automation(running, 'GetEnrollmentConfiguration', {}, as(caller))).body[
        'organizationEnrollmentConfigurationStatus'
      ];
    expect(await read(accountId)).toBe('Inactive');
    await configured(running, unit(running, 'Root'), 'NoneAllowed');
    expect(await read(accountId)).toBe('Active');
    expect(await read(running.info.managementAccountId)).toBeUndefined();
  });
});

describe('control endpoints', () => {
  test('show the configurations and the tree of OUs', async () => {
    const running = await sandboxForTest({ scenario: 'configurations' });
    const { body } = await control(running, 'organizational-units');
    const root = { id: unit(running, 'Root'), name: 'Root', parentId: null };
    expect(body['organizationalUnits']).toContainEqual(root);
    const workloads = { id: unit(running, 'Workloads'), name: 'Workloads', parentId: root.id };
    expect(body['organizationalUnits']).toContainEqual(workloads);
    const configurations = (await control(running, 'configurations')).body['configurations'];
    expect(configurations).toHaveLength(3);
    expect(configurations).toContainEqual({ targetId: workloads.id, organizationRuleMode: 'NoneAllowed' });
  });

  test('the scenario starts with its configurations in effect', async () => {
    const running = await sandboxForTest({ scenario: 'configurations' });
    const enrolled = members(running).filter(({ computeOptimizer }) => computeOptimizer.status === 'Active');
    const modes = (path: string) =>
      new Set(
        enrolled
          .filter(({ ou }) => ou === path)
          .map(({ automation: own }) => [own.status, own.organizationRuleMode].join()),
      );
    expect(modes('/Workloads/Dev')).toEqual(new Set(['Active,NoneAllowed']));
    expect(modes('/Workloads/Prod/Retail')).toEqual(new Set(['Active,AnyAllowed']));
    expect(modes('/Security')).toEqual(new Set(['Inactive,NoneAllowed']));
    expect(Math.max(...enrolled.map((each) => each.automation.lastUpdatedTimestamp.getTime()))).toBeLessThan(
      Date.UTC(2026, 0, 1),
    );
  });
});
