import { writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { makeHandler as makeTick } from '../../../services/tick/handler.ts';
import { composeAws } from '../../../shared/compose/lambda-runtime.ts';
import { readAwsEnv } from '../../../shared/config/aws-env.ts';
import { ConfigError } from '../../../shared/config/config-error.ts';
import { policyText } from '../../support/world-policy.ts';
import { functionsOf } from './functions.ts';
import { deploy, lambdaContext } from './support.ts';

const GOOD = {
  ROLLCALL_TABLE: 'rollcall-prod',
  ROLLCALL_QUEUE_URL: 'https://sqs.eu-central-1.amazonaws.com/111122223333/rollcall-prod-work',
  ROLLCALL_DLQ_URL: 'https://sqs.eu-central-1.amazonaws.com/111122223333/rollcall-prod-dead',
  ROLLCALL_EVENT_BUS: 'arn:aws-us-gov:events:us-gov-west-1:111122223333:event-bus/rollcall-prod',
  ROLLCALL_POLICY: 's3://my-bucket/policies/rollcall.yaml',
};

function refusal(env: Record<string, string>): string {
  try {
    readAwsEnv(env);
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  return 'accepted';
}

describe('the environment of a function', () => {
  it('is read', () => {
    expect(readAwsEnv({ ...GOOD, LAMBDA_TASK_ROOT: '/var/task', OTHER: 'x' })).toEqual({
      table: GOOD.ROLLCALL_TABLE,
      sqsEndpoint: null,
      queueUrl: GOOD.ROLLCALL_QUEUE_URL,
      dlqUrl: GOOD.ROLLCALL_DLQ_URL,
      eventBus: GOOD.ROLLCALL_EVENT_BUS,
      policy: { kind: 's3', bucket: 'my-bucket', key: 'policies/rollcall.yaml' },
      stage: 'dev',
      logLevel: 'info',
      monitoring: 'full',
      taskRoot: '/var/task',
    });
    expect(readAwsEnv({ ...GOOD, ROLLCALL_MONITORING: 'alarms' }).monitoring).toBe('alarms');
    expect(() => readAwsEnv({ ...GOOD, ROLLCALL_MONITORING: 'off' })).toThrow('expected one of full, alarms, none');
    expect(readAwsEnv({ ...GOOD, ROLLCALL_POLICY: 'ssm:/rollcall/prod/policy' }).policy).toEqual({
      kind: 'ssm',
      name: '/rollcall/prod/policy',
    });
    expect(readAwsEnv({ ...GOOD, ROLLCALL_POLICY: 'file:infra/policy.yaml' }).policy).toEqual({
      kind: 'file',
      path: 'infra/policy.yaml',
    });
  });

  it.each(Object.keys(GOOD))('%s is named if it is missing or empty', (name) => {
    for (const env of [
      { ...GOOD, [name]: '' },
      Object.fromEntries(Object.entries(GOOD).filter(([key]) => key !== name)),
    ]) {
      expect(refusal(env)).toMatch(new RegExp(`${name} is not set: expected .+\\.`));
    }
  });

  it.each([
    ['ROLLCALL_TABLE', 'no/such table'],
    ['ROLLCALL_QUEUE_URL', 'rollcall-prod-work'],
    ['ROLLCALL_QUEUE_URL', 'ftp://sqs/1/2'],
    ['ROLLCALL_DLQ_URL', 'https://sqs.eu-central-1.amazonaws.com'],
    ['ROLLCALL_EVENT_BUS', 'a bus'],
    ['ROLLCALL_POLICY', 'rollcall.yaml'],
    ['ROLLCALL_POLICY', 's3://my-bucket'],
    ['ROLLCALL_POLICY', 's3://My_Bucket/key'],
    ['ROLLCALL_POLICY', 'ssm:'],
    ['ROLLCALL_POLICY', 'file:'],
    ['ROLLCALL_STAGE', 'Prod!'],
    ['ROLLCALL_LOG_LEVEL', 'loud'],
    ['LAMBDA_TASK_ROOT', 'task'],
  ])('%s: %j is refused by name, with what is expected', (name, value) => {
    const message = refusal({ ...GOOD, [name]: value });
    expect(message).toContain(`${name} is ${JSON.stringify(value)}: expected `);
    expect(message.match(/ is /g)?.length).toBeLessThan(4);
  });

  it('is rejected with a list of all errors', () => {
    const message = refusal({ ROLLCALL_TABLE: '!' });
    for (const name of Object.keys(GOOD)) expect(message).toContain(name);
  });

  it('must name two different queues', () => {
    expect(refusal({ ...GOOD, ROLLCALL_DLQ_URL: GOOD.ROLLCALL_QUEUE_URL })).toContain(
      'ROLLCALL_DLQ_URL is the same queue',
    );
  });

  it('is read at the first event, not at import, and again at the next event if it was rejected', async () => {
    let env: Record<string, string> = {};
    let composed = 0;
    const handler = makeTick(async () => {
      composed += 1;
      return composeAws({ service: 'tick', env: readAwsEnv(env), policyEnv: {} });
    });
    expect(composed).toBe(0);
    await expect(handler({}, lambdaContext({ now: Date.now }))).rejects.toThrow(/ROLLCALL_TABLE is not set/);
    env = { ROLLCALL_TABLE: 'x' };
    await expect(handler({}, lambdaContext({ now: Date.now }))).rejects.toThrow(/ROLLCALL_TABLE is "x"/);
    expect(composed).toBe(2);
  });
});

describe('a missing resource', () => {
  it('is named in the error: table, queue, policy', async () => {
    const world = await deploy({ sandbox: { accounts: 8, drift: 0.5 } });
    const { tick } = functionsOf(world);
    world.env['ROLLCALL_TABLE'] = 'another-table';
    await expect(tick()).rejects.toThrow(/table another-table/);
    world.env['ROLLCALL_TABLE'] = 'rollcall';
    const good = world.env['ROLLCALL_DLQ_URL'] ?? '';
    world.env['ROLLCALL_DLQ_URL'] = `${good}-other`;
    await expect(functionsOf(world).tick()).rejects.toThrow(/rollcall-dead-other/);
    world.env['ROLLCALL_DLQ_URL'] = good;
    world.env['ROLLCALL_POLICY'] = 'file:none.yaml';
    await expect(functionsOf(world).tick()).rejects.toThrow(/the policy .*none\.yaml cannot be read: ENOENT/);
  });
});

describe('a policy that changes', () => {
  it('is read again, and causes an immediate scan', async () => {
    const world = await deploy({ sandbox: { accounts: 10, drift: 0.5 } });
    const { tick, scan, work } = functionsOf(world);
    const first = await tick();
    await scan();
    world.writePolicy({ computeOptimizer: 'Active', concurrency: 3, mode: 'alert' });
    world.clock.advance(60_000);
    const second = await tick();
    expect(second.scanRequested).not.toBeNull();
    expect(second.scanRequested).not.toBe(first.scanRequested);
    // Keys of the previous policy, which enforced, are dropped, because this one only alerts.
    for (let batch = await work(); batch !== null; batch = await work()) expect(batch.failed).toEqual([]);
    await scan();
    expect(await work()).toBeNull();
    expect(world.sandbox.sandbox.calls().some(({ operation }) => operation.startsWith('Update'))).toBe(false);
  });

  it('is noticed by a worker that still has the previous one', async () => {
    const world = await deploy({ sandbox: { accounts: 10, drift: 0.5 }, policy: { mode: 'alert' } });
    const { tick, scan, work, worker } = functionsOf(world);
    await tick();
    await scan();
    // A container that has just read the policy.
    const key = {
      v: 1,
      kind: 'account',
      accountId: '111122223333',
      enrollment: 'automation',
      policyHash: 'old',
      runId: 'r',
    };
    await world.send(JSON.stringify({ ...key, planHash: null }));
    await worker(await world.sqsEvent(), lambdaContext(world.clock));
    world.writePolicy({ mode: 'enforce' });
    const other = functionsOf(world);
    expect((await other.tick()).scanRequested).not.toBeNull();
    await scan();
    for (let batch = await work(); batch !== null; batch = await work()) expect(batch.failed).toEqual([]);
    const active = world.sandbox.sandbox.accounts().filter(({ state }) => state === 'ACTIVE');
    expect(active.every(({ computeOptimizer }) => computeOptimizer.status === 'Active')).toBe(true);
  });

  it('to an invalid one stops all work, with an error that names file and line, until it is fixed', async () => {
    const world = await deploy({ sandbox: { accounts: 10, drift: 0.5 } });
    const { tick, scan, worker } = functionsOf(world);
    await tick();
    await scan();
    const event = await world.sqsEvent();
    const path = (world.env['ROLLCALL_POLICY'] ?? '').slice('file:'.length);
    writeFileSync(path, 'version: 1\ndefaults: { computeOptimizer: Maybe }\n');
    world.clock.advance(60_000);
    await expect(tick()).rejects.toThrow(/rollcall\.yaml is not valid: .*rollcall\.yaml:2:\d+/);
    await expect(worker(event, lambdaContext(world.clock))).rejects.toThrow(/is not valid/);
    writeFileSync(path, policyText());
    world.clock.advance(60_000);
    expect((await worker(event, lambdaContext(world.clock))).batchItemFailures).toEqual([]);
  });
});
