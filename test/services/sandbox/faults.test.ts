import { GetEnrollmentStatusCommand, ServiceUnavailableException } from '@aws-sdk/client-compute-optimizer';
import { ListAccountsCommand } from '@aws-sdk/client-organizations';
import { describe, expect, test } from 'vitest';
import type { Fault } from '../../../services/sandbox/engine/faults.ts';
import { createSandbox } from '../../../services/sandbox/engine/sandbox.ts';
import {
  as,
  automation,
  clients,
  control,
  json,
  member,
  members,
  query,
  START,
  sandboxForTest,
  truth,
} from './support.ts';

const read = { service: 'compute-optimizer', operation: 'GetEnrollmentStatus' } as const;

describe('faults', () => {
  test.each([
    ['throttle', 'ThrottlingException', 429],
    ['unavailable', 'ServiceUnavailableException', 503],
    ['internal', 'InternalServerException', 500],
    ['denied', 'AccessDeniedException', 403],
  ] as const)('%s', async (kind, code, status) => {
    const running = await sandboxForTest({ faults: [{ ...read, kind }] });
    expect(await json(running, read.service, read.operation)).toMatchObject({ status, error: code });
    expect((await automation(running, 'GetEnrollmentConfiguration')).status).toBe(200);
  });

  test('have the error format of each service', async () => {
    const identity = { Action: 'GetCallerIdentity', Version: '2011-06-15' };
    for (const [kind, organizations, sts, events] of [
      ['throttle', 'TooManyRequestsException', 'Throttling', 'ThrottlingException'],
      ['unavailable', 'ServiceUnavailable', 'ServiceUnavailable', 'ServiceUnavailable'],
      ['internal', 'ServiceException', 'InternalFailure', 'InternalException'],
      ['denied', 'AccessDeniedException', 'AccessDenied', 'AccessDeniedException'],
    ] as const) {
      const running = await sandboxForTest({ faults: [{ kind }] });
      expect((await json(running, 'organizations', 'ListRoots')).error).toBe(organizations);
      expect((await query(running, identity)).text).toContain(`<Code>${sts}</Code>`);
      expect((await json(running, 'events', 'PutEvents', { Entries: [{}] })).error).toBe(events);
    }
  });

  test('reach the SDK as typed errors', async () => {
    const running = await sandboxForTest({ faults: [{ kind: 'unavailable' }] });
    await expect(clients(running).computeOptimizer.send(new GetEnrollmentStatusCommand({}))).rejects.toBeInstanceOf(
      ServiceUnavailableException,
    );
  });

  test('apply exactly to matching calls number from to from + count - 1', async () => {
    const running = await sandboxForTest();
    const [one, two] = members(running).map(({ accountId }) => accountId);
    await control(running, 'faults', { faults: [{ ...read, accountId: one, kind: 'internal', from: 2, count: 2 }] });
    const statuses: number[] = [];
    for (let call = 0; call < 5; call += 1) {
      await json(running, read.service, read.operation, {}, { as: as(two ?? '') });
      statuses.push((await json(running, read.service, read.operation, {}, { as: as(one ?? '') })).status);
    }
    expect(statuses).toEqual([200, 500, 500, 200, 200]);
    expect(running.sandbox.calls()).toContainEqual({ ...read, accountId: one, count: 5, throttled: 0, failed: 2 });
    expect(running.sandbox.calls()).toContainEqual({ ...read, accountId: two, count: 5, throttled: 0, failed: 0 });
  });

  test('for an account also apply to assuming its role', async () => {
    const running = await sandboxForTest();
    const [one, two] = members(running).map(({ accountId }) => accountId);
    await control(running, 'faults', { faults: [{ service: 'sts', accountId: one, kind: 'denied' }] });
    const assume = (id: string | undefined) =>
      query(running, {
        Action: 'AssumeRole',
        Version: '2011-06-15',
        RoleSessionName: 'ok',
        RoleArn: `arn:aws:iam::${id}:role/RollcallMember`,
      });
    expect((await assume(one)).text).toContain('AccessDenied');
    expect((await assume(two)).status).toBe(200);
  });

  test('a reset breaks the connection after the call was carried out', async () => {
    const running = await sandboxForTest({
      faults: [{ operation: 'UpdateEnrollmentStatus', kind: 'reset', count: 1 }],
    });
    const { accountId } = member(running);
    const call = () =>
      json(running, 'compute-optimizer', 'UpdateEnrollmentStatus', { status: 'Inactive' }, { as: as(accountId) });
    await expect(call()).rejects.toThrow(TypeError);
    expect(truth(running, accountId).computeOptimizer.status).toBe('Inactive');
    expect((await call()).status).toBe(200);
    expect(running.sandbox.calls()).toMatchObject([{ count: 2, failed: 1 }]);
  });

  test('slow adds a delay to the latency', () => {
    const clock = { now: () => START };
    const faults: Fault[] = [{ kind: 'slow', delayMs: 300 }, { kind: 'slow' }];
    const sandbox = createSandbox({ accounts: 5, latencyMs: 20, faults }, { clock });
    const answer = sandbox.handle({
      ...read,
      callerAccountId: sandbox.info().managementAccountId,
      input: {},
      requestId: '-',
    });
    expect(answer).toMatchObject({ kind: 'ok', delayMs: 1320 });
  });

  test('an empty page has a token that continues the listing', async () => {
    const running = await sandboxForTest({ faults: [{ kind: 'empty-page', count: 1 }] });
    const { organizations } = clients(running);
    const empty = await organizations.send(new ListAccountsCommand({}));
    expect(empty.Accounts).toEqual([]);
    const first = await organizations.send(new ListAccountsCommand({ NextToken: empty.NextToken }));
    expect(first.Accounts).toHaveLength(20);
    await control(running, 'faults', { faults: [{ kind: 'empty-page', count: 1 }] });
    const between = await organizations.send(new ListAccountsCommand({ NextToken: first.NextToken }));
    expect(between.Accounts).toEqual([]);
    const last = await organizations.send(new ListAccountsCommand({ NextToken: between.NextToken }));
    expect(last.Accounts).toHaveLength(5);
    expect(last.NextToken).toBeUndefined();
  });

  test('a torn page has a token that fails, even on what would be the last page', async () => {
    const running = await sandboxForTest({ faults: [{ kind: 'torn-page', count: 3 }] });
    const { body } = await json(running, 'compute-optimizer', 'GetEnrollmentStatusesForOrganization');
    expect(body['accountEnrollmentStatuses']).toHaveLength(24);
    const torn = await json(running, 'compute-optimizer', 'GetEnrollmentStatusesForOrganization', {
      nextToken: body['nextToken'],
    });
    expect(torn.error).toBe('InvalidParameterValueException');
    const page = await json(running, 'organizations', 'ListAccounts');
    const next = await json(running, 'organizations', 'ListAccounts', { NextToken: page.body['NextToken'] });
    expect(next).toMatchObject({ error: 'InvalidInputException', body: { Reason: 'INVALID_NEXT_TOKEN' } });
  });

  test('probability is right on average, and the seed decides which calls fail', () => {
    const outcomes = (seed: number) => {
      const sandbox = createSandbox(
        { accounts: 5, seed, faults: [{ kind: 'internal', probability: 0.25 }] },
        { clock: { now: () => START } },
      );
      const request = { ...read, callerAccountId: sandbox.info().managementAccountId, input: {}, requestId: '-' };
      return Array.from({ length: 4000 }, () => sandbox.handle(request).kind === 'error');
    };
    const first = outcomes(1);
    const share = first.filter(Boolean).length / first.length;
    expect(share).toBeGreaterThan(0.22);
    expect(share).toBeLessThan(0.28);
    expect(outcomes(1)).toEqual(first);
    expect(outcomes(2)).not.toEqual(first);
  });

  test.each([
    [{ kind: 'explode' }, 'kind'],
    [{}, 'kind'],
    [{ kind: 'throttle', service: 's3' }, 'service'],
    [{ kind: 'throttle', operation: 'ListBuckets' }, 'ListBuckets'],
    [{ kind: 'throttle', service: 'sts', operation: 'ListAccounts' }, 'ListAccounts'],
    [{ kind: 'throttle', accountId: '42' }, 'accountId'],
    [{ kind: 'throttle', probability: 1.5 }, 'probability'],
    [{ kind: 'throttle', from: 0 }, 'from'],
    [{ kind: 'throttle', count: -1 }, 'count'],
    [{ kind: 'throttle', delayMs: 5 }, 'delayMs'],
    [{ kind: 'slow', delayMs: -1 }, 'delayMs'],
    [{ kind: 'slow', code: 'ThrottlingException' }, 'code'],
    [{ kind: 'denied', code: 'NoSuchThingException' }, 'NoSuchThingException'],
    [{ kind: 'throttle', often: true }, 'often'],
  ])('refuses %j and keeps the present faults', async (fault, named) => {
    const running = await sandboxForTest({ faults: [{ kind: 'internal' }] });
    const { status, body } = await control(running, 'faults', { faults: [fault] });
    expect(status).toBe(400);
    expect(body['error']).toContain(named);
    expect((await json(running, read.service, read.operation)).status).toBe(500);
  });
});
