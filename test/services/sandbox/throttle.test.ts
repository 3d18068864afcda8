import { ThrottlingException, UpdateEnrollmentStatusCommand } from '@aws-sdk/client-compute-optimizer';
import { ListRootsCommand, TooManyRequestsException } from '@aws-sdk/client-organizations';
import { GetCallerIdentityCommand } from '@aws-sdk/client-sts';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createSandbox } from '../../../services/sandbox/engine/sandbox.ts';
import { TokenBucket } from '../../../services/sandbox/engine/throttle.ts';
import { as, automation, clients, control, json, members, START, sandboxForTest } from './support.ts';

function admitted(bucket: TokenBucket, at: number): boolean {
  const free = bucket.has(at);
  if (free) bucket.take();
  return free;
}

describe('token bucket', () => {
  test('is exact: after any whole number of milliseconds it has exactly the tokens for that time', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 200 }),
        fc.array(fc.integer({ min: 0, max: 700 }), { minLength: 1, maxLength: 60 }),
        (rate, gaps) => {
          const bucket = new TokenBucket(rate, START);
          // The expected level in exact thousandths of a token. Each step takes all whole tokens.
          let thousandths = 2000n * BigInt(rate);
          let now = START;
          for (const gap of gaps) {
            now += gap;
            thousandths += BigInt(gap) * BigInt(rate);
            if (thousandths > 2000n * BigInt(rate)) thousandths = 2000n * BigInt(rate);
            const due = Number(thousandths / 1000n);
            let taken = 0;
            while (admitted(bucket, now)) taken += 1;
            expect(taken).toBe(due);
            thousandths -= BigInt(taken) * 1000n;
          }
        },
      ),
    );
  });

  test('holds twice its rate, but at least one token', () => {
    for (const [rate, burst] of [
      [5, 10],
      [1, 2],
      [0.1, 1],
    ] as const) {
      const bucket = new TokenBucket(rate, START);
      for (let call = 0; call < burst; call += 1) expect(admitted(bucket, START)).toBe(true);
      expect(admitted(bucket, START)).toBe(false);
      expect(admitted(bucket, START + 1000 / rate - 1)).toBe(false);
      expect(admitted(bucket, START + 1000 / rate)).toBe(true);
    }
  });
});

describe('--rate', () => {
  test('counts per calling account and operation', async () => {
    const running = await sandboxForTest({ rate: 2 });
    const [one, two] = members(running).map(({ accountId }) => accountId);
    const call = async (accountId: string | undefined, operation: string) =>
      (await json(running, 'compute-optimizer', operation, { status: 'Active' }, { as: as(accountId ?? '') })).error;
    const results: unknown[] = [];
    for (let index = 0; index < 5; index += 1) results.push(await call(one, 'GetEnrollmentStatus'));
    expect(results).toEqual([undefined, undefined, undefined, undefined, 'ThrottlingException']);
    expect(await call(two, 'GetEnrollmentStatus')).toBeUndefined();
    expect(await call(one, 'UpdateEnrollmentStatus')).toBeUndefined();
    running.clock.advance(499);
    expect(await call(one, 'GetEnrollmentStatus')).toBe('ThrottlingException');
    running.clock.advance(1);
    expect(await call(one, 'GetEnrollmentStatus')).toBeUndefined();
    expect(running.sandbox.calls()).toContainEqual({
      service: 'compute-optimizer',
      operation: 'GetEnrollmentStatus',
      accountId: one,
      count: 7,
      throttled: 2,
      failed: 0,
    });
  });

  test('causes the throttling error of each service', async () => {
    const running = await sandboxForTest({ rate: 0.5 });
    const { computeOptimizer, organizations, sts } = clients(running);
    const update = () => computeOptimizer.send(new UpdateEnrollmentStatusCommand({ status: 'Active' }));
    const roots = () => organizations.send(new ListRootsCommand({}));
    const identity = () => sts.send(new GetCallerIdentityCommand({}));
    await Promise.all([update(), roots(), identity()]);
    await expect(update()).rejects.toBeInstanceOf(ThrottlingException);
    await expect(update()).rejects.toMatchObject({ $metadata: { httpStatusCode: 429 } });
    await expect(roots()).rejects.toBeInstanceOf(TooManyRequestsException);
    await expect(identity()).rejects.toMatchObject({ name: 'Throttling' });
    await automation(running, 'ListAccounts');
    expect(await automation(running, 'ListAccounts')).toMatchObject({ status: 429, error: 'ThrottlingException' });
  });
});

describe('--org-rate', () => {
  test('is one bucket for all changes of all accounts, and does not limit reads', () => {
    const clock = { time: START, now: () => clock.time };
    const sandbox = createSandbox({ accounts: 100, orgRate: 3 }, { clock });
    const ids = sandbox
      .accounts()
      .filter(({ state }) => state === 'ACTIVE')
      .map(({ accountId }) => accountId);
    const change = (callerAccountId: string) =>
      sandbox.handle({
        service: 'compute-optimizer',
        operation: 'UpdateEnrollmentStatus',
        callerAccountId,
        input: { status: 'Inactive' },
        requestId: '-',
      });
    const passed = (list: readonly string[]) => list.filter((id) => change(id).kind === 'ok').length;
    expect(passed(ids.slice(0, 10))).toBe(6);
    clock.time += 1000;
    expect(passed(ids.slice(10, 20))).toBe(3);
    const read = sandbox.handle({
      service: 'compute-optimizer',
      operation: 'GetEnrollmentStatus',
      callerAccountId: ids[30] ?? '',
      input: {},
      requestId: '-',
    });
    expect(read.kind).toBe('ok');
  });

  test('also limits changes of Automation', async () => {
    const running = await sandboxForTest({ orgRate: 1 });
    const [one] = members(running);
    const ids = { accountIds: [one?.accountId] };
    expect((await automation(running, 'AssociateAccounts', ids)).status).toBe(200);
    expect((await automation(running, 'DisassociateAccounts', ids)).status).toBe(200);
    const answer = await automation(running, 'UpdateEnrollmentConfiguration', { status: 'Active' });
    expect(answer.error).toBe('ThrottlingException');
    expect((await automation(running, 'ListAccounts')).status).toBe(200);
    await control(running, 'clock', { advance: '1s' });
    expect((await automation(running, 'AssociateAccounts', ids)).status).toBe(200);
  });
});
