import {
  AccessDeniedException,
  type AccountEnrollmentStatus,
  GetEnrollmentStatusCommand,
  GetEnrollmentStatusesForOrganizationCommand,
  InvalidParameterValueException,
  paginateGetEnrollmentStatusesForOrganization,
  UpdateEnrollmentStatusCommand,
} from '@aws-sdk/client-compute-optimizer';
import { describe, expect, test } from 'vitest';
import type { RunningSandbox } from '../../../services/sandbox/start.ts';
import { as, clients, control, HOUR_MS, json, member, members, START, sandboxForTest, truth } from './support.ts';

async function listed(running: RunningSandbox, pageSize?: number): Promise<AccountEnrollmentStatus[]> {
  const pages = paginateGetEnrollmentStatusesForOrganization(
    { client: clients(running).computeOptimizer, ...(pageSize === undefined ? {} : { pageSize }) },
    {},
  );
  const found: AccountEnrollmentStatus[] = [];
  for await (const { accountEnrollmentStatuses = [] } of pages) found.push(...accountEnrollmentStatuses);
  return found;
}

describe('GetEnrollmentStatusesForOrganization', () => {
  test('lists every member account once, including the delegated administrator, but not the management account', async () => {
    const running = await sandboxForTest({ drift: 0.3 });
    const found = await listed(running, 7);
    const expected = running.sandbox.accounts().filter(({ management }) => !management);
    expect(found.map(({ accountId }) => accountId)).toEqual(expected.map(({ accountId }) => accountId));
    expect(found.map(({ status }) => status)).toEqual(expected.map(({ computeOptimizer }) => computeOptimizer.status));
    expect(found[0]?.lastUpdatedTimestamp).toEqual(expected[0]?.computeOptimizer.lastUpdatedTimestamp);
    expect(found.some(({ accountId }) => accountId === running.info.delegatedAdministratorId)).toBe(true);
  });

  test('returns 100 accounts per page, if the request has no size, 0, or more than 100', async () => {
    const running = await sandboxForTest({ accounts: 250 });
    const { computeOptimizer } = clients(running);
    for (const maxResults of [undefined, 0, 1000]) {
      const page = await computeOptimizer.send(new GetEnrollmentStatusesForOrganizationCommand({ maxResults }));
      expect(page.accountEnrollmentStatuses).toHaveLength(100);
      expect(page.nextToken).toEqual(expect.any(String));
    }
    expect(await listed(running)).toHaveLength(249);
  });

  test('filters by status, across pages', async () => {
    const running = await sandboxForTest({ accounts: 120, drift: 0.25 });
    const { computeOptimizer } = clients(running);
    const filters = [{ name: 'Status' as const, values: ['Inactive'] }];
    const found: AccountEnrollmentStatus[] = [];
    for await (const page of paginateGetEnrollmentStatusesForOrganization(
      { client: computeOptimizer, pageSize: 10 },
      { filters },
    ))
      found.push(...(page.accountEnrollmentStatuses ?? []));
    const inactive = members(running).filter((account) => account.computeOptimizer.status === 'Inactive');
    expect(found.map(({ accountId }) => accountId)).toEqual(inactive.map(({ accountId }) => accountId));
    expect(inactive.length).toBeGreaterThan(20);
  });

  test.each([
    { filters: [{ name: 'Status', values: ['Broken'] }] },
    { filters: [{ name: 'Status', values: [] }] },
    { filters: [{ values: ['Active'] }] },
    { filters: [{ name: 'Colour', values: ['Active'] }] },
    { nextToken: 'made-up' },
    { maxResults: 1001 },
    { maxResults: -1 },
  ])('refuses %j', async (input) => {
    const running = await sandboxForTest();
    const answer = await json(running, 'compute-optimizer', 'GetEnrollmentStatusesForOrganization', input);
    expect(answer).toMatchObject({ status: 400, error: 'InvalidParameterValueException' });
  });

  test('a token continues only the listing that it came from', async () => {
    const running = await sandboxForTest({ drift: 0.3 });
    const { computeOptimizer } = clients(running);
    const page = await computeOptimizer.send(new GetEnrollmentStatusesForOrganizationCommand({ maxResults: 3 }));
    const elsewhere = new GetEnrollmentStatusesForOrganizationCommand({
      nextToken: page.nextToken,
      filters: [{ name: 'Status', values: ['Active'] }],
    });
    await expect(computeOptimizer.send(elsewhere)).rejects.toBeInstanceOf(InvalidParameterValueException);
    const stolen = await json(running, 'aco-automation', 'ListAccounts', { nextToken: page.nextToken });
    expect(stolen.error).toBe('InvalidParameterValueException');
  });

  test('needs the management account or the delegated administrator', async () => {
    const running = await sandboxForTest();
    const delegated = clients(running, as(running.info.delegatedAdministratorId)).computeOptimizer;
    const page = await delegated.send(new GetEnrollmentStatusesForOrganizationCommand({}));
    expect(page.accountEnrollmentStatuses).toHaveLength(24);
    const outsider = clients(running, as(member(running).accountId)).computeOptimizer;
    await expect(outsider.send(new GetEnrollmentStatusesForOrganizationCommand({}))).rejects.toBeInstanceOf(
      AccessDeniedException,
    );
  });
});

describe('UpdateEnrollmentStatus', () => {
  test("changes the caller's own account, and has no effect when repeated", async () => {
    const running = await sandboxForTest();
    const { accountId } = member(running);
    const { computeOptimizer } = clients(running, as(accountId));
    const answer = await computeOptimizer.send(new UpdateEnrollmentStatusCommand({ status: 'Inactive' }));
    expect(answer.status).toBe('Inactive');
    running.clock.advance(HOUR_MS);
    await computeOptimizer.send(new UpdateEnrollmentStatusCommand({ status: 'Inactive' }));
    const read = await computeOptimizer.send(new GetEnrollmentStatusCommand({}));
    expect(read).toMatchObject({
      status: 'Inactive',
      lastUpdatedTimestamp: new Date(START),
      memberAccountsEnrolled: false,
    });
    const others = members(running).filter((account) => account.accountId !== accountId);
    expect(others.every((account) => account.computeOptimizer.status === 'Active')).toBe(true);
  });

  test.each(['Pending', 'Failed', 'active', ''])('rejects a request for the status %j', async (status) => {
    const running = await sandboxForTest();
    const answer = await json(running, 'compute-optimizer', 'UpdateEnrollmentStatus', { status });
    expect(answer).toMatchObject({ status: 400, error: 'InvalidParameterValueException' });
  });

  test('opting out of Compute Optimizer also disables Automation, without a cool-down', async () => {
    const running = await sandboxForTest();
    const { accountId } = member(running, ({ automation }) => automation.status === 'Active');
    const { computeOptimizer } = clients(running, as(accountId));
    await computeOptimizer.send(new UpdateEnrollmentStatusCommand({ status: 'Inactive' }));
    expect(truth(running, accountId).automation).toMatchObject({
      status: 'Inactive',
      organizationRuleMode: 'NoneAllowed',
    });
    await computeOptimizer.send(new UpdateEnrollmentStatusCommand({ status: 'Active' }));
    const back = await json(
      running,
      'aco-automation',
      'UpdateEnrollmentConfiguration',
      { status: 'Active' },
      { as: as(accountId) },
    );
    expect(back.body['status']).toBe('Active');
  });

  test('stays Pending for pendingMs, then completes', async () => {
    const running = await sandboxForTest({ pendingMs: 2 * HOUR_MS, drift: 0.2 });
    const { accountId } = member(running, (account) => account.computeOptimizer.status === 'Inactive');
    const { computeOptimizer } = clients(running, as(accountId));
    const answer = await computeOptimizer.send(new UpdateEnrollmentStatusCommand({ status: 'Active' }));
    expect(answer.status).toBe('Pending');
    running.clock.advance(2 * HOUR_MS - 1);
    expect((await computeOptimizer.send(new GetEnrollmentStatusCommand({}))).status).toBe('Pending');
    running.clock.advance(1);
    const landed = await computeOptimizer.send(new GetEnrollmentStatusCommand({}));
    expect(landed).toMatchObject({ status: 'Active', lastUpdatedTimestamp: new Date(START + 2 * HOUR_MS) });
  });

  test('a superseded Pending does not reach its first target', async () => {
    const running = await sandboxForTest({ pendingMs: HOUR_MS });
    const { accountId } = member(running);
    const { computeOptimizer } = clients(running, as(accountId));
    await computeOptimizer.send(new UpdateEnrollmentStatusCommand({ status: 'Inactive' }));
    running.clock.advance(HOUR_MS / 2);
    await computeOptimizer.send(new UpdateEnrollmentStatusCommand({ status: 'Active' }));
    running.clock.advance(HOUR_MS / 2);
    expect(truth(running, accountId).computeOptimizer.status).toBe('Pending');
    running.clock.advance(HOUR_MS / 2);
    expect(truth(running, accountId).computeOptimizer.status).toBe('Active');
  });

  test('ends in Failed with a reason if the account cannot be opted in', async () => {
    const running = await sandboxForTest({ drift: 0.2 });
    const { accountId } = member(running, (account) => account.computeOptimizer.status === 'Inactive');
    const enrollmentFailure = 'The service-linked role could not be created.';
    await control(running, 'accounts', { update: [{ accountId, enrollmentFailure }] });
    const { computeOptimizer } = clients(running, as(accountId));
    const answer = await computeOptimizer.send(new UpdateEnrollmentStatusCommand({ status: 'Active' }));
    expect(answer).toMatchObject({ status: 'Failed', statusReason: enrollmentFailure });
    await control(running, 'accounts', { update: [{ accountId, enrollmentFailure: null }] });
    const again = await computeOptimizer.send(new UpdateEnrollmentStatusCommand({ status: 'Active' }));
    expect(again.status).toBe('Active');
  });

  test('is denied for closed accounts', async () => {
    const running = await sandboxForTest();
    const closed = running.sandbox.accounts().filter(({ state }) => state !== 'ACTIVE');
    expect(closed.map(({ state }) => state).sort()).toEqual(['PENDING_CLOSURE', 'SUSPENDED']);
    for (const { accountId } of closed)
      await expect(
        clients(running, as(accountId)).computeOptimizer.send(new UpdateEnrollmentStatusCommand({ status: 'Active' })),
      ).rejects.toBeInstanceOf(AccessDeniedException);
  });
});

describe('the organization-wide opt-in', () => {
  test('needs the management account', async () => {
    const running = await sandboxForTest();
    for (const accountId of [member(running).accountId, running.info.delegatedAdministratorId])
      await expect(
        clients(running, as(accountId)).computeOptimizer.send(
          new UpdateEnrollmentStatusCommand({ status: 'Active', includeMemberAccounts: true }),
        ),
      ).rejects.toBeInstanceOf(AccessDeniedException);
  });

  test('enrolls every active member and every account that joins later, but no closed account', async () => {
    const running = await sandboxForTest({ drift: 0.5 });
    const { computeOptimizer } = clients(running);
    const before = running.sandbox.accounts().filter(({ state }) => state !== 'ACTIVE');
    await control(running, 'drift', {
      changes: before.map(({ accountId }) => ({ accountId, enrollment: 'computeOptimizer', status: 'Inactive' })),
    });
    await computeOptimizer.send(new UpdateEnrollmentStatusCommand({ status: 'Active', includeMemberAccounts: true }));
    await control(running, 'accounts', { add: [{ accountId: '000000000042', ou: '/Workloads/Dev' }] });
    const active = running.sandbox.accounts().filter((account) => account.computeOptimizer.status === 'Active');
    expect(active.every(({ state }) => state === 'ACTIVE')).toBe(true);
    expect(active).toHaveLength(24);
    expect(truth(running, '000000000042').computeOptimizer.status).toBe('Active');
    const read = await computeOptimizer.send(new GetEnrollmentStatusCommand({}));
    expect(read).toMatchObject({ memberAccountsEnrolled: true, numberOfMemberAccountsOptedIn: 23 });
  });

  test('without it, accounts that join are not opted in', async () => {
    const running = await sandboxForTest();
    await control(running, 'accounts', { add: [{ accountId: '000000000042' }] });
    expect(truth(running, '000000000042')).toMatchObject({ ou: '/', computeOptimizer: { status: 'Inactive' } });
  });

  test('ends with trusted access, and only a new opt-in restores it', async () => {
    const running = await sandboxForTest();
    const { computeOptimizer } = clients(running);
    const optIn = new UpdateEnrollmentStatusCommand({ status: 'Active', includeMemberAccounts: true });
    await computeOptimizer.send(optIn);
    await control(running, 'trusted-access', { enabled: false });
    expect(members(running).every((account) => account.computeOptimizer.status === 'Inactive')).toBe(true);
    expect((await computeOptimizer.send(new GetEnrollmentStatusCommand({}))).status).toBe('Active');
    const delegated = clients(running, as(running.info.delegatedAdministratorId)).computeOptimizer;
    const list = new GetEnrollmentStatusesForOrganizationCommand({});
    await expect(delegated.send(list)).rejects.toBeInstanceOf(AccessDeniedException);
    await control(running, 'trusted-access', { enabled: true });
    expect(members(running).every((account) => account.computeOptimizer.status === 'Inactive')).toBe(true);
    await computeOptimizer.send(optIn);
    expect(members(running).every((account) => account.computeOptimizer.status === 'Active')).toBe(true);
  });

  test('cannot opt out members: only the caller changes', async () => {
    const running = await sandboxForTest();
    const { computeOptimizer } = clients(running);
    await computeOptimizer.send(new UpdateEnrollmentStatusCommand({ status: 'Inactive', includeMemberAccounts: true }));
    expect(truth(running, running.info.managementAccountId).computeOptimizer.status).toBe('Inactive');
    expect(members(running).every((account) => account.computeOptimizer.status === 'Active')).toBe(true);
  });
});
