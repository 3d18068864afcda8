import { describe, expect, test } from 'vitest';
import type { RunningSandbox } from '../../../services/sandbox/start.ts';
import { configured, put, remove, targetOf, unit } from './configuration-calls.ts';
import { as, automated, automation, control, member, members, rpcCbor, sandboxForTest } from './support.ts';

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
