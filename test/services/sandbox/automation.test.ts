import { describe, expect, test } from 'vitest';
import type { RunningSandbox } from '../../../services/sandbox/start.ts';
import {
  as,
  automated,
  automation,
  control,
  HOUR_MS,
  member,
  members,
  START,
  sandboxForTest,
  truth,
} from './support.ts';

const update = (running: RunningSandbox, accountId: string, input: Record<string, unknown>) =>
  automation(running, 'UpdateEnrollmentConfiguration', input, as(accountId));

async function disassociated(running: RunningSandbox): Promise<string> {
  const { accountId } = member(running, automated);
  await automation(running, 'DisassociateAccounts', { accountIds: [accountId] });
  return accountId;
}

describe('UpdateEnrollmentConfiguration', () => {
  test('enables Automation where Compute Optimizer is on', async () => {
    const running = await sandboxForTest();
    const { accountId } = member(running, (account) => account.automation.status === 'Inactive');
    const answer = await update(running, accountId, { status: 'Active', clientToken: 'a-1' });
    expect(answer).toMatchObject({ status: 200, body: { status: 'Active', lastUpdatedTimestamp: START / 1000 } });
    const read = await automation(running, 'GetEnrollmentConfiguration', {}, as(accountId));
    expect(read.body).toEqual({
      status: 'Active',
      organizationRuleMode: 'NoneAllowed',
      lastUpdatedTimestamp: START / 1000,
      organizationEnrollmentConfigurationStatus: 'Inactive',
    });
  });

  test('needs Compute Optimizer, even for reading', async () => {
    const running = await sandboxForTest({ drift: 0.2 });
    const { accountId } = member(running, (account) => account.computeOptimizer.status === 'Inactive');
    expect(await update(running, accountId, { status: 'Active' })).toMatchObject({
      status: 403,
      error: 'OptInRequiredException',
    });
    const read = await automation(running, 'GetEnrollmentConfiguration', {}, as(accountId));
    expect(read.error).toBe('OptInRequiredException');
  });

  test.each(['Pending', 'Failed', 'On'])('rejects a request for the status %j', async (status) => {
    const running = await sandboxForTest();
    const answer = await update(running, member(running).accountId, { status });
    expect(answer).toMatchObject({ status: 400, error: 'InvalidParameterValueException' });
  });

  test('24 hours must pass between opting out and opting in again', async () => {
    const running = await sandboxForTest();
    const accountId = await disassociated(running);
    expect((await update(running, accountId, { status: 'Inactive' })).body['status']).toBe('Inactive');
    running.clock.advance(24 * HOUR_MS - 1);
    expect(await update(running, accountId, { status: 'Active' })).toMatchObject({
      status: 403,
      error: 'ForbiddenException',
    });
    const association = await automation(running, 'AssociateAccounts', { accountIds: [accountId] });
    expect(association.body['accountIds']).toEqual([]);
    expect(association.body['errors']).toEqual([expect.stringContaining(accountId)]);
    running.clock.advance(1);
    expect((await update(running, accountId, { status: 'Active' })).body['status']).toBe('Active');
  });

  test('opting out twice does not prolong the cool-down', async () => {
    const running = await sandboxForTest();
    const accountId = await disassociated(running);
    await update(running, accountId, { status: 'Inactive' });
    running.clock.advance(12 * HOUR_MS);
    await update(running, accountId, { status: 'Inactive' });
    running.clock.advance(12 * HOUR_MS);
    expect((await update(running, accountId, { status: 'Active' })).status).toBe(200);
  });

  test('a member must be disassociated before it can disable Automation', async () => {
    const running = await sandboxForTest();
    const { accountId, automation: before } = member(running, automated);
    expect(before.organizationRuleMode).toBe('AnyAllowed');
    const refused = await update(running, accountId, { status: 'Inactive' });
    expect(refused).toMatchObject({ status: 400, error: 'InvalidParameterValueException' });
    await automation(running, 'DisassociateAccounts', { accountIds: [accountId] });
    expect(truth(running, accountId).automation).toMatchObject({
      status: 'Active',
      organizationRuleMode: 'NoneAllowed',
    });
    expect((await update(running, accountId, { status: 'Inactive' })).body['status']).toBe('Inactive');
  });

  test('stays Pending for pendingMs', async () => {
    const running = await sandboxForTest({ pendingMs: HOUR_MS });
    const { accountId } = member(running, (account) => account.automation.status === 'Inactive');
    expect((await update(running, accountId, { status: 'Active' })).body['status']).toBe('Pending');
    running.clock.advance(HOUR_MS);
    expect(truth(running, accountId).automation.status).toBe('Active');
  });

  test("the management account's own opt-out disables its associations, and opting in enables them again", async () => {
    const running = await sandboxForTest();
    const { managementAccountId } = running.info;
    const associated = members(running).filter(automated);
    const [leaver, ...stayers] = associated.map(({ accountId }) => accountId);
    expect(stayers.length).toBeGreaterThan(1);
    await update(running, managementAccountId, { status: 'Inactive' });
    for (const { accountId } of associated)
      expect(truth(running, accountId).automation).toMatchObject({
        status: 'Active',
        organizationRuleMode: 'NoneAllowed',
      });
    expect((await update(running, leaver ?? '', { status: 'Inactive' })).status).toBe(200);
    running.clock.advance(24 * HOUR_MS);
    await update(running, leaver ?? '', { status: 'Active' });
    await update(running, managementAccountId, { status: 'Active' });
    expect(truth(running, leaver ?? '').automation).toMatchObject({
      status: 'Active',
      organizationRuleMode: 'NoneAllowed',
    });
    for (const accountId of stayers)
      expect(truth(running, accountId).automation.organizationRuleMode).toBe('AnyAllowed');
  });
});

describe('client tokens', () => {
  test('a repeated call within 30 minutes returns the earlier response and has no effect', async () => {
    const running = await sandboxForTest();
    const { accountId } = member(running, automated);
    const associate = () =>
      automation(running, 'AssociateAccounts', { accountIds: [accountId], clientToken: 'token_1' });
    const first = await associate();
    await automation(running, 'DisassociateAccounts', { accountIds: [accountId] });
    running.clock.advance(HOUR_MS / 2 - 1);
    expect((await associate()).body).toEqual(first.body);
    expect(truth(running, accountId).automation.organizationRuleMode).toBe('NoneAllowed');
    running.clock.advance(1);
    expect((await associate()).status).toBe(200);
    expect(truth(running, accountId).automation.organizationRuleMode).toBe('AnyAllowed');
  });

  test('other parameters under the same token are a mismatch; another account may use the token', async () => {
    const running = await sandboxForTest();
    const [one, two] = members(running).filter(automated);
    const associate = (ids: (string | undefined)[], caller = running.info.managementAccountId) =>
      automation(running, 'AssociateAccounts', { accountIds: ids, clientToken: 'same' }, as(caller));
    expect((await associate([one?.accountId])).status).toBe(200);
    expect(await associate([two?.accountId])).toMatchObject({
      status: 409,
      error: 'IdempotentParameterMismatchException',
    });
    expect((await associate([two?.accountId], running.info.delegatedAdministratorId)).status).toBe(200);
  });

  test('a failed call does not use up its token', async () => {
    const running = await sandboxForTest({ drift: 0.2 });
    const { accountId } = member(running, (account) => account.computeOptimizer.status === 'Inactive');
    const input = { status: 'Active', clientToken: 'again' };
    expect((await update(running, accountId, input)).error).toBe('OptInRequiredException');
    await control(running, 'drift', { changes: [{ accountId, enrollment: 'computeOptimizer', status: 'Active' }] });
    expect((await update(running, accountId, input)).status).toBe(200);
  });

  test.each(['', 'has space', 'x'.repeat(65)])('rejects the malformed token %j', async (clientToken) => {
    const running = await sandboxForTest();
    const answer = await update(running, member(running).accountId, { status: 'Active', clientToken });
    expect(answer).toMatchObject({ status: 400, error: 'InvalidParameterValueException' });
  });

  test('a slow call has its token in use', async () => {
    const running = await sandboxForTest();
    const { accountId } = member(running);
    const fault = { service: 'aco-automation', kind: 'denied', code: 'IdempotencyTokenInUseException', count: 1 };
    await control(running, 'faults', { faults: [fault] });
    const input = { status: 'Active', clientToken: 'busy' };
    expect(await update(running, accountId, input)).toMatchObject({
      status: 409,
      error: 'IdempotencyTokenInUseException',
    });
    expect((await update(running, accountId, input)).status).toBe(200);
  });
});

describe('ListAccounts', () => {
  test('lists the members enrolled in Compute Optimizer, in pages of the requested size', async () => {
    const running = await sandboxForTest({ drift: 0.3 });
    const found: unknown[] = [];
    let nextToken: unknown;
    do {
      const { body } = await automation(running, 'ListAccounts', { maxResults: 4, nextToken });
      const page = Array.isArray(body['accounts']) ? body['accounts'] : [];
      expect(page.length).toBeLessThanOrEqual(4);
      found.push(...page);
      nextToken = body['nextToken'];
      if (nextToken !== undefined) expect(nextToken).toMatch(/^[A-Za-z0-9+/=]+$/);
    } while (nextToken !== undefined);
    const enrolled = running.sandbox
      .accounts()
      .filter((account) => !account.management && account.computeOptimizer.status === 'Active');
    expect(found).toEqual(
      enrolled.map(({ accountId, automation: { status, organizationRuleMode, lastUpdatedTimestamp } }) => ({
        accountId,
        status,
        organizationRuleMode,
        organizationRuleModeSource: { sourceType: organizationRuleMode === 'AnyAllowed' ? 'Direct' : 'Default' },
        lastUpdatedTimestamp: lastUpdatedTimestamp.getTime() / 1000,
      })),
    );
  });

  test.each([{ maxResults: 0 }, { maxResults: 1001 }, { nextToken: 'not base64!' }, { nextToken: 'bWFkZSB1cA==' }])(
    'refuses %j',
    async (input) => {
      const running = await sandboxForTest();
      expect(await automation(running, 'ListAccounts', input)).toMatchObject({
        status: 400,
        error: 'InvalidParameterValueException',
      });
    },
  );
});

describe('organization-level operations', () => {
  const operations = ['ListAccounts', 'AssociateAccounts', 'DisassociateAccounts'];
  const input = (operation: string, accountId: string) =>
    operation === 'ListAccounts' ? {} : { accountIds: [accountId] };

  test.each(operations)('%s needs the management account or the delegated administrator', async (operation) => {
    const running = await sandboxForTest();
    const { accountId } = member(running);
    const outsider = await automation(running, operation, input(operation, accountId), as(accountId));
    expect(outsider).toMatchObject({ status: 400, error: 'NotManagementAccountException' });
    const delegated = as(running.info.delegatedAdministratorId);
    expect((await automation(running, operation, input(operation, accountId), delegated)).status).toBe(200);
  });

  test.each(operations)('%s needs trusted access and an opt-in of the caller', async (operation) => {
    const running = await sandboxForTest();
    const { accountId } = member(running);
    const { managementAccountId, delegatedAdministratorId } = running.info;
    await control(running, 'trusted-access', { enabled: false });
    const call = (caller: string) => automation(running, operation, input(operation, accountId), as(caller));
    expect((await call(managementAccountId)).error).toBe('ForbiddenException');
    expect((await call(delegatedAdministratorId)).error).toBe('AccessDeniedException');
    await control(running, 'trusted-access', { enabled: true });
    expect((await call(delegatedAdministratorId)).error).toBe('OptInRequiredException');
  });

  test('associating enables Automation and allows any rule; disassociating does not disable it', async () => {
    const running = await sandboxForTest();
    const { accountId } = member(running, (account) => account.automation.status === 'Inactive');
    const associated = await automation(running, 'AssociateAccounts', { accountIds: [accountId] });
    expect(associated.body).toEqual({ accountIds: [accountId], errors: [] });
    expect(truth(running, accountId).automation).toMatchObject({
      status: 'Active',
      organizationRuleMode: 'AnyAllowed',
    });
    await automation(running, 'DisassociateAccounts', { accountIds: [accountId] });
    expect(truth(running, accountId).automation).toMatchObject({
      status: 'Active',
      organizationRuleMode: 'NoneAllowed',
    });
  });

  test('some of a batch can fail', async () => {
    const running = await sandboxForTest({ drift: 0.2 });
    const { accountId } = member(running, automated);
    const notOptedIn = member(running, (account) => account.computeOptimizer.status === 'Inactive').accountId;
    const closed = running.sandbox.accounts().find(({ state }) => state !== 'ACTIVE')?.accountId ?? '';
    const wrong = [notOptedIn, closed, '000000000000', running.info.managementAccountId];
    const { status, body } = await automation(running, 'AssociateAccounts', {
      accountIds: [...wrong, accountId, accountId],
    });
    expect(status).toBe(200);
    expect(body['accountIds']).toEqual([accountId]);
    expect(body['errors']).toEqual(wrong.map((id) => expect.stringContaining(id)));
  });

  test('accept 1 to 50 account ids', async () => {
    const running = await sandboxForTest({ accounts: 60 });
    const ids = running.sandbox.accounts().map(({ accountId }) => accountId);
    expect((await automation(running, 'AssociateAccounts', { accountIds: ids.slice(0, 50) })).status).toBe(200);
    for (const accountIds of [[], ids.slice(0, 51)])
      expect(await automation(running, 'AssociateAccounts', { accountIds })).toMatchObject({
        status: 400,
        error: 'InvalidParameterValueException',
      });
  });

  test('associating needs Automation in the management account', async () => {
    const running = await sandboxForTest();
    await update(running, running.info.managementAccountId, { status: 'Inactive' });
    const answer = await automation(running, 'AssociateAccounts', { accountIds: [member(running).accountId] });
    expect(answer.error).toBe('OptInRequiredException');
  });
});
