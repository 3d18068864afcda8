import { expect } from 'vitest';
import type { CallGate, ChangeRequest, Cloud } from '../../shared/ports/cloud.ts';
import {
  associate,
  changeNow,
  disassociate,
  organizationWide,
  updateConfiguration,
  updateStatus,
} from '../support/change-requests.ts';
import { countOf, failureOf, findMember, isPlainMember, KINDS, type Promised, set, truthOf } from './cloud-world.ts';

/** The promises of changes, and of how every call waits and fails. */
export const CHANGE_PROMISES = {
  async 'change: UpdateEnrollmentStatus changes only the one account'(open) {
    const world = await open({ sandbox: { accounts: 30 } });
    const { accountId } = findMember(world);
    const others = world.sandbox.accounts().filter((each) => each.accountId !== accountId);
    const result = await changeNow(world.cloud, updateStatus(accountId, 'Inactive'));
    expect(result).toMatchObject({ requestId: expect.any(String), refused: new Map() });
    expect(truthOf(world, accountId).computeOptimizer.status).toBe('Inactive');
    expect(world.sandbox.accounts().filter((each) => each.accountId !== accountId)).toEqual(others);
    const { managementAccountId } = world.sandbox.info();
    await changeNow(world.cloud, updateStatus(managementAccountId, 'Inactive'));
    expect(truthOf(world, managementAccountId).computeOptimizer.status).toBe('Inactive');
  },

  async 'change: UpdateEnrollmentStatus for the whole organization'(open) {
    const world = await open({ sandbox: { accounts: 30, drift: 0.5 } });
    await changeNow(world.cloud, organizationWide('Active'));
    const open_ = world.sandbox.accounts().filter(({ state }) => state === 'ACTIVE');
    expect(new Set(open_.map(({ computeOptimizer }) => computeOptimizer.status))).toEqual(new Set(['Active']));
  },

  async 'change: a token repeats only the same call'(open) {
    const world = await open();
    const { accountId } = findMember(world);
    set(world, accountId, 'computeOptimizer', 'Active');
    const request = updateConfiguration(accountId, 'Active');
    await changeNow(world.cloud, request);
    expect(truthOf(world, accountId).automation.status).toBe('Active');
    await changeNow(world.cloud, request);
    const other = await failureOf(changeNow(world.cloud, { ...request, status: 'Inactive' }));
    expect(other.details).toMatchObject({ kind: 'Conflict', code: 'IdempotentParameterMismatchException' });
  },

  async 'change: an error code with several causes is marked ambiguous'(open) {
    const world = await open();
    const { accountId } = findMember(world);
    set(world, accountId, 'computeOptimizer', 'Active');
    await changeNow(world.cloud, associate([accountId], 'a'));
    const update = (status: 'Active' | 'Inactive', clientToken: string) =>
      changeNow(world.cloud, updateConfiguration(accountId, status, clientToken));
    expect((await failureOf(update('Inactive', 'b'))).details).toMatchObject({ kind: 'Invalid', ambiguous: true });
    await changeNow(world.cloud, disassociate([accountId], 'c'));
    await update('Inactive', 'd');
    expect((await failureOf(update('Active', 'e'))).details).toMatchObject({ kind: 'Denied', ambiguous: true });
  },

  async 'change: success of a batch is per account'(open) {
    const world = await open({ sandbox: { accounts: 30 } });
    const isMember = isPlainMember(world);
    const [first, second, third] = world.sandbox
      .accounts()
      .filter(isMember)
      .map(({ accountId }) => accountId);
    if (first === undefined || second === undefined || third === undefined) throw new Error('too few members');
    set(world, first, 'computeOptimizer', 'Active');
    set(world, second, 'computeOptimizer', 'Inactive');
    const accountIds = [first, second, '999999999999'];
    const { refused } = await changeNow(world.cloud, associate(accountIds, 'a'));
    expect([...refused.keys()]).toEqual([second, '999999999999']);
    for (const [id, reason] of refused) expect(reason).toContain(id);
    expect(truthOf(world, first).automation).toMatchObject({ status: 'Active', organizationRuleMode: 'AnyAllowed' });
    const gone = await changeNow(world.cloud, disassociate([first, third], 'b'));
    expect(gone.refused).toEqual(new Map());
    expect(truthOf(world, first).automation.organizationRuleMode).toBe('NoneAllowed');
  },

  async 'an empty batch or one of more than 50 accounts is rejected before it is sent'(open) {
    const world = await open();
    for (const size of [0, 51]) {
      const accountIds = Array.from({ length: size }, (_, index) => String(100_000_000_000 + index));
      const { details } = await failureOf(changeNow(world.cloud, associate(accountIds)));
      expect(details).toMatchObject({ kind: 'Invalid', code: 'BatchSize' });
    }
    expect(countOf(world, 'AssociateAccounts')).toBe(0);
  },

  async 'change: an action that the kind does not have is rejected before it is sent'(open) {
    const world = await open();
    const { accountId } = findMember(world);
    const requests: readonly ChangeRequest[] = [
      { ...updateStatus(accountId, 'Active'), kind: 'automation' },
      { ...updateConfiguration(accountId, 'Active'), kind: 'computeOptimizer' },
      { ...associate([accountId]), target: { scope: 'account', accountId } },
      { ...updateConfiguration(accountId, 'Active'), target: { scope: 'organization' } },
      { ...updateStatus(accountId, 'Active'), target: { scope: 'batch', accountIds: [accountId] } },
      { ...updateConfiguration(accountId, 'Active'), kind: 'costOptimizationHub' },
      {
        ...updateStatus(accountId, 'Active', 'costOptimizationHub'),
        target: { scope: 'batch', accountIds: [accountId] },
      },
      { ...associate([accountId]), kind: 'costOptimizationHub' },
    ];
    for (const request of requests) {
      const { details } = await failureOf(changeNow(world.cloud, request));
      expect(details).toMatchObject({ kind: 'Invalid', code: 'UnsupportedChange' });
    }
    expect(world.sandbox.calls().map(({ operation }) => operation)).toEqual([]);
  },

  async 'an adapter is a plain object that a decorator can spread'(open) {
    const { cloud } = await open();
    const observed = {
      kind: 'observed',
      status: 'Failed',
      ruleMode: null,
      statusReason: null,
      lastUpdated: null,
    } as const;
    const decorated: Cloud = { ...cloud, read: async () => observed };
    expect(await decorated.identify()).toEqual(await cloud.identify());
    expect(await decorated.list('computeOptimizer', null)).toEqual(await cloud.list('computeOptimizer', null));
    expect(await decorated.read('automation', '111122223333')).toBe(observed);
  },

  async 'a prepared change has its permit, and nothing is sent until the caller sends it'(open) {
    const world = await open();
    const { accountId } = findMember(world);
    const mutations = [
      updateStatus(accountId, 'Active'),
      organizationWide('Active'),
      updateStatus(accountId, 'Active', 'costOptimizationHub'),
      organizationWide('Active', 'costOptimizationHub'),
      updateConfiguration(accountId, 'Active', 'a'),
      associate([accountId], 'b'),
      disassociate([accountId], 'c'),
    ];
    const before = world.sandbox.accounts();
    for (const mutation of mutations) {
      await world.cloud.prepareChange(mutation);
      expect(world.calls.at(-1)).toMatchObject({ what: 'acquire', operation: mutation.action });
      expect(countOf(world, mutation.action)).toBe(0);
    }
    expect(world.sandbox.accounts()).toEqual(before);
  },

  async 'the gate learns in whose account AWS meters a call: the account whose credentials sign it'(open) {
    const metered: string[] = [];
    const gate: CallGate = {
      acquire: async ({ operation, meteredIn }) => void metered.push(`${operation} ${meteredIn}`),
      report: ({ operation, meteredIn }) => void metered.push(`${operation} ${meteredIn}, reported`),
    };
    const { cloud, sandbox, ...world } = await open({ gate });
    const { accountId } = findMember({ cloud, sandbox, ...world });
    metered.length = 0;
    await cloud.read('computeOptimizer', accountId);
    await cloud.read('computeOptimizer', sandbox.info().managementAccountId);
    await cloud.list('computeOptimizer', null);
    const calls = [
      'AssumeRole caller',
      'GetEnrollmentStatus member',
      'GetEnrollmentStatus caller',
      'GetEnrollmentStatusesForOrganization caller',
    ];
    const seen = metered.filter((each) => !each.startsWith('GetCallerIdentity'));
    expect(seen).toEqual(calls.flatMap((call) => [call, `${call}, reported`]));
  },

  async 'every call acquires a slot before and reports its outcome after, once'(open) {
    const world = await open();
    const { accountId } = findMember(world);
    await world.cloud.identify();
    await world.cloud.read('computeOptimizer', accountId);
    world.sandbox.setFaults([{ operation: 'GetEnrollmentStatus', kind: 'throttle' }]);
    expect((await failureOf(world.cloud.read('computeOptimizer', accountId))).kind).toBe('Throttled');
    world.sandbox.setFaults([{ operation: 'GetEnrollmentStatus', kind: 'unavailable' }]);
    expect((await failureOf(world.cloud.read('computeOptimizer', accountId))).kind).toBe('Transient');
    const told = world.calls.filter(({ operation }) => operation === 'GetEnrollmentStatus').map(({ what }) => what);
    expect(told).toEqual(['acquire', 'ok', 'acquire', 'throttled', 'acquire', 'failed']);
    expect(countOf(world, 'GetEnrollmentStatus')).toBe(3);
    const acquired = world.calls.filter(({ what }) => what === 'acquire').length;
    expect(acquired).toBe(world.sandbox.calls().reduce((sum, { count }) => sum + count, 0));
    expect(world.calls).toHaveLength(2 * acquired);
  },

  async 'errors are classified by code'(open) {
    const world = await open();
    const { accountId } = findMember(world);
    for (const [code, kind, ambiguous] of KINDS) {
      world.sandbox.setFaults([{ operation: 'UpdateEnrollmentConfiguration', kind: 'denied', code }]);
      const error = await failureOf(changeNow(world.cloud, updateConfiguration(accountId, 'Active')));
      expect(error.details).toMatchObject({ kind, code, ambiguous, accountId, service: 'aco-automation' });
      expect(error.details.operation).toBe('UpdateEnrollmentConfiguration');
      expect(error.message).toContain(accountId);
      expect(error.message).toContain(code);
    }
  },

  async 'a member role that cannot be assumed: Denied, for that account'(open) {
    const world = await open();
    const { accountId } = findMember(world);
    world.sandbox.changeAccounts({ update: [{ accountId, roleAssumable: false }] });
    const { details } = await failureOf(world.cloud.read('computeOptimizer', accountId));
    expect(details).toMatchObject({ kind: 'Denied', service: 'sts', operation: 'AssumeRole', accountId });
    expect(details.code).toBe('AccessDenied');
  },

  async 'an expired session is renewed'(open) {
    const world = await open();
    const { accountId } = findMember(world);
    await world.cloud.read('computeOptimizer', accountId);
    await world.clock.advance(30 * 60_000);
    await world.cloud.read('computeOptimizer', accountId);
    expect(countOf(world, 'AssumeRole')).toBe(1);
    await world.clock.advance(26 * 60_000);
    await world.cloud.read('computeOptimizer', accountId);
    expect(countOf(world, 'AssumeRole')).toBe(2);
  },
} satisfies Record<string, Promised>;
