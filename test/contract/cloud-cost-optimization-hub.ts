import { expect } from 'vitest';
import { changeNow, organizationWide, updateStatus } from '../support/change-requests.ts';
import {
  countOf,
  failureOf,
  findMember,
  hubOf,
  listAll,
  type Promised,
  patiently,
  set,
  truthOf,
  type World,
} from './cloud-world.ts';

const HUB = 'costOptimizationHub';
const SERVICE = 'cost-optimization-hub';
const NEVER_ENROLLED = { kind: 'observed', status: 'Inactive', ruleMode: null, statusReason: null, lastUpdated: null };

/** Enrolls every second account. Returns the ids of those that are or were enrolled, sorted as AWS lists them. */
function enrollHalf(world: World): readonly string[] {
  const accounts = world.sandbox.accounts().filter(({ state }) => state === 'ACTIVE');
  const chosen = accounts.map(({ accountId }) => accountId).filter((_, index) => index % 2 === 0);
  for (const [index, accountId] of chosen.entries()) {
    set(world, accountId, HUB, 'Active');
    if (index % 5 === 0) set(world, accountId, HUB, 'Inactive');
  }
  return chosen;
}

const hubStatuses = (world: World) =>
  world.sandbox.accounts().map(({ accountId, costOptimizationHub }) => [accountId, costOptimizationHub.status]);
const otherEnrollments = (world: World) =>
  world.sandbox
    .accounts()
    .map(({ accountId, computeOptimizer, automation }) => [accountId, computeOptimizer, automation]);

/** The promises of Cost Optimization Hub, which has operations with the names of Compute Optimizer's and lists only accounts that were ever enrolled. */
export const COST_OPTIMIZATION_HUB_PROMISES = {
  async 'Cost Optimization Hub: list returns every account that was ever enrolled, 100 per page'(open) {
    for (const caller of ['management', 'delegatedAdministrator'] as const) {
      const world = await open({ caller, sandbox: { accounts: 441 } });
      const enrolled = enrollHalf(world);
      const { items, pages } = await listAll((token) => world.cloud.list(HUB, token));
      expect(pages).toBe(Math.ceil(enrolled.length / 100));
      expect(pages).toBeGreaterThan(2);
      expect(items).toEqual(enrolled.map((id) => ({ accountId: id, observed: hubOf(truthOf(world, id)) })));
      expect(new Set(items.map(({ observed }) => observed.status))).toEqual(new Set(['Active', 'Inactive']));
    }
  },

  async 'Cost Optimization Hub: list returns an empty page, and throws for an interrupted one'(open) {
    const world = await open({ sandbox: { accounts: 441 } });
    const enrolled = enrollHalf(world);
    const list = (token: string | null) => world.cloud.list(HUB, token);
    world.sandbox.setFaults([{ service: SERVICE, kind: 'empty-page', from: 1, count: 3 }]);
    expect((await listAll(list)).items).toHaveLength(enrolled.length);
    world.sandbox.setFaults([{ service: SERVICE, kind: 'torn-page', from: 1, count: 1 }]);
    expect((await failureOf(listAll(list))).kind).toBe('Invalid');
  },

  async 'Cost Optimization Hub: the listing is denied to other accounts, which may read and change their own enrollment'(
    open,
  ) {
    const world = await open({ caller: 'member' });
    expect((await failureOf(world.cloud.list(HUB, null))).kind).toBe('Denied');
    const { accountId } = findMember(world);
    expect(await world.cloud.read(HUB, accountId)).toEqual(NEVER_ENROLLED);
    await changeNow(world.cloud, updateStatus(accountId, 'Active', HUB));
    expect(await world.cloud.read(HUB, accountId)).toEqual(hubOf(truthOf(world, accountId)));
  },

  async 'Cost Optimization Hub: reads are live and return their own account, even concurrently'(open) {
    const world = await open({ sandbox: { accounts: 60 } });
    const enrolled = new Set(enrollHalf(world));
    const ids = world.sandbox
      .accounts()
      .filter(({ state }) => state === 'ACTIVE')
      .map(({ accountId }) => accountId);
    const observed = await Promise.all(ids.map((accountId) => world.cloud.read(HUB, accountId)));
    expect(observed).toEqual(ids.map((id) => (enrolled.has(id) ? hubOf(truthOf(world, id)) : NEVER_ENROLLED)));
    const { accountId } = findMember(world, (account) => enrolled.has(account.accountId));
    set(world, accountId, HUB, 'Inactive');
    expect(await world.cloud.read(HUB, accountId)).toMatchObject({ status: 'Inactive' });
  },

  async 'Cost Optimization Hub: a read that AWS has not finished is retried, never taken for an account without an entry'(
    open,
  ) {
    const world = await open();
    const { accountId } = findMember(world);
    set(world, accountId, HUB, 'Active');
    world.sandbox.setFaults([{ service: SERVICE, kind: 'empty-page', from: 1, count: 2 }]);
    expect((await failureOf(world.cloud.read(HUB, accountId))).kind).toBe('Transient');
    expect(await patiently(() => world.cloud.read(HUB, accountId))).toMatchObject({ status: 'Active' });
  },

  async 'Cost Optimization Hub: a change affects one account, and only this kind'(open) {
    const world = await open({ sandbox: { accounts: 30, drift: 0.5 } });
    const { accountId } = findMember(world);
    const { managementAccountId } = world.sandbox.info();
    const before = otherEnrollments(world);
    for (const id of [accountId, managementAccountId]) {
      for (const status of ['Active', 'Inactive'] as const) {
        const others = hubStatuses(world).filter(([other]) => other !== id);
        const result = await changeNow(world.cloud, updateStatus(id, status, HUB));
        expect(result).toEqual({ requestId: expect.any(String), message: null, refused: new Map() });
        expect(truthOf(world, id).costOptimizationHub.status).toBe(status);
        expect(hubStatuses(world).filter(([other]) => other !== id)).toEqual(others);
      }
    }
    expect(otherEnrollments(world)).toEqual(before);
    const hub = hubStatuses(world);
    await changeNow(world.cloud, updateStatus(accountId, 'Active'));
    expect(hubStatuses(world)).toEqual(hub);
  },

  async 'Cost Optimization Hub: one call changes the whole organization, and only this kind'(open) {
    const world = await open({ sandbox: { accounts: 130, drift: 0.5 } });
    enrollHalf(world);
    const before = otherEnrollments(world);
    const open_ = () => world.sandbox.accounts().filter(({ state }) => state === 'ACTIVE');
    for (const status of ['Active', 'Inactive'] as const) {
      await changeNow(world.cloud, organizationWide(status, HUB));
      expect(new Set(open_().map(({ costOptimizationHub }) => costOptimizationHub.status))).toEqual(new Set([status]));
    }
    expect(countOf(world, 'UpdateEnrollmentStatus')).toBe(2);
    expect(countOf(world, 'AssumeRole')).toBe(0);
    expect(otherEnrollments(world)).toEqual(before);
    const hub = hubStatuses(world);
    await changeNow(world.cloud, organizationWide('Active'));
    expect(hubStatuses(world)).toEqual(hub);
  },

  async 'Cost Optimization Hub: the call for the whole organization is denied to the delegated administrator'(open) {
    const world = await open({ caller: 'delegatedAdministrator' });
    const before = world.sandbox.accounts();
    const { details } = await failureOf(changeNow(world.cloud, organizationWide('Active', HUB)));
    expect(details).toMatchObject({ kind: 'Denied', code: 'AccessDeniedException', service: SERVICE });
    expect(world.sandbox.accounts()).toEqual(before);
  },

  async 'Cost Optimization Hub: errors are classified by code'(open) {
    const world = await open();
    const { accountId } = findMember(world);
    const codes = [
      ['ThrottlingException', 'Throttled', false],
      ['InternalServerException', 'Transient', false],
      ['AccessDeniedException', 'Denied', false],
      ['ValidationException', 'Invalid', true],
    ] as const;
    for (const [code, kind, ambiguous] of codes) {
      world.sandbox.setFaults([{ service: SERVICE, kind: 'denied', code }]);
      const calls = {
        ListEnrollmentStatuses: world.cloud.read(HUB, accountId),
        UpdateEnrollmentStatus: changeNow(world.cloud, updateStatus(accountId, 'Active', HUB)),
      };
      for (const [operation, call] of Object.entries(calls)) {
        const { details, message } = await failureOf(call);
        expect(details).toMatchObject({ kind, code, ambiguous, accountId, service: SERVICE, operation });
        expect(message).toContain(accountId);
      }
    }
  },
} satisfies Record<string, Promised>;
