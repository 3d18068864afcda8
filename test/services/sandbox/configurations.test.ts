import { describe, expect, test } from 'vitest';
import type { AccountTruth } from '../../../services/sandbox/engine/accounts.ts';
import { APPLIED_MS, configured, MINUTE_MS, put, remove, unit } from './configuration-calls.ts';
import { as, automated, automation, control, member, members, sandboxForTest, truth } from './support.ts';

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
