import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import * as z from 'zod';
import { startSandbox } from '../../../services/sandbox/start.ts';
import { readAwsStoreEnv } from '../../../shared/config/aws-env.ts';
import { EMPTY_CHAIN, sealEntry } from '../../../shared/domain/ledger/entry.ts';
import { refusal } from '../../adapters/aws/faults.ts';
import { account, draft } from '../../contract/samples.ts';
import { type AwsWorld, startAwsWorld } from '../../support/aws-world.ts';
import { auditShape, proofShape, verifyShape } from './audit-shapes.ts';
import { accountShape, applyShape, doctorShape, errorShape, planShape, statusShape } from './shapes.ts';
import { deadLettersShape, redriveShape } from './store-shapes.ts';
import { ENROLL, type Ended, expectNoStack, json, place, refused, rollcall } from './support.ts';

const GOOD = {
  ROLLCALL_TABLE: 'rollcall-prod',
  ROLLCALL_QUEUE_URL: 'https://sqs.eu-central-1.amazonaws.com/111122223333/rollcall-prod-work',
  ROLLCALL_DLQ_URL: 'https://sqs.eu-central-1.amazonaws.com/111122223333/rollcall-prod-dead',
  ROLLCALL_EVENT_BUS: 'rollcall-prod',
};

const call = (
  world: AwsWorld,
  args: readonly string[],
  cwd: string,
  env: Readonly<Record<string, string>> = {},
): Promise<Ended> => rollcall([...args, '--store', 'aws'], { cwd, env: { ...world.env, ...env } });

// Real processes are slow on a machine that is busy with other tests.
describe('--store aws', { timeout: 180_000 }, () => {
  test('checkpoints, proofs and verification against a kept checkpoint work as with the embedded store', async () => {
    const world = await startAwsWorld({ accounts: 4, drift: 0.5, seed: 3 });
    const cwd = place({ 'rollcall.yaml': ENROLL });
    const env = { ROLLCALL_CHECKPOINT_KEY: 'key.pem' };
    const ask = (...args: string[]) => call(world, ['audit', ...args], cwd, env);
    expect((await ask('checkpoint', '--new-key', 'key.pem')).stderr).not.toContain('warning');
    expect(await call(world, ['apply', '--yes', '--wait', '1s'], cwd, env)).toMatchObject({ code: 0 });
    const [checkpoint, key, list] = await Promise.all([
      ask('checkpoint'),
      ask('checkpoint', '--key'),
      ask('list', '--type', 'DriftDetected', '--limit', '1', '--json'),
    ]);
    expect(checkpoint, checkpoint.stderr).toMatchObject({ code: 0 });
    writeFileSync(join(cwd, 'c.txt'), checkpoint.stdout);
    writeFileSync(join(cwd, 'key.txt'), key.stdout);
    const [entry] = auditShape.parse(json(list)).entries;
    const [proof, verified, plain] = await Promise.all([
      ask('proof', entry?.id ?? '', '--json'),
      ask('verify', '--checkpoint', 'c.txt', '--key', 'key.txt'),
      ask('verify'),
    ]);
    const [origin = '', size] = checkpoint.stdout.split('\n');
    expect(proofShape.parse(json(proof))).toMatchObject({ entry: { id: entry?.id }, checkpoint: { origin } });
    expect(verified.stdout).toContain(`✓ The store has all ${size} entries that the checkpoint covers, unchanged;`);
    expect(plain.stdout).toContain(`(${size} entries).`);
    for (const { code } of [verified, plain]) expect(code).toBe(0);
    const acknowledged = await call(
      world,
      ['restore', '--acknowledge', '--reason', 'table as of 06:00', '--json'],
      cwd,
    );
    expect(json(acknowledged)).toMatchObject({ acknowledged: true, halted: true, reason: 'table as of 06:00' });
    const [restored] = auditShape.parse(json(await ask('list', '--type', 'StoreRestored', '--json'))).entries;
    expect(restored).toMatchObject({ reason: 'operator', detail: { message: expect.stringContaining('table as of') } });
  });

  test('the commands work as with the embedded store', async () => {
    const world = await startAwsWorld({ accounts: 12, drift: 0.3, seed: 3 });
    const cwd = place({ 'rollcall.yaml': ENROLL });
    const plan = planShape.parse(json(await call(world, ['plan', '--json'], cwd)));
    const stores = await world.look();
    // A dry run writes nothing, not even a lease.
    expect([await stores.registers.list(''), await stores.ledger.chains(null, 10)]).toEqual([[], []]);
    await world.send('poison');
    const applied = await call(world, ['apply', '--yes', '--json', '--wait', '1s'], cwd);
    expect(applied, applied.stderr).toMatchObject({ code: 3 });
    expect(applyShape.parse(json(applied)).changes.succeeded).toBe(plan.changes.length);
    const [accountId = ''] = plan.changes.map((change) => change.accountId);
    const [status, account, verify, dead, unknown] = await Promise.all([
      call(world, ['status', '--json'], cwd),
      call(world, ['account', accountId, '--json'], cwd),
      call(world, ['audit', 'verify', '--json'], cwd),
      call(world, ['dlq', 'list', '--json'], cwd),
      call(world, ['account', '111111111111'], cwd),
    ]);
    expect(statusShape.parse(json(status))).toMatchObject({ open: [], queue: { visible: 0, dead: 1 } });
    expect(accountShape.parse(json(account)).enrollments.computeOptimizer?.verdict).toBe('Compliant');
    expect(verifyShape.parse(json(verify))).toMatchObject({ ok: true });
    const [letter] = deadLettersShape.parse(json(dead)).deadLetters;
    expect(letter).toMatchObject({ body: 'poison', reason: { code: 'UnreadableMessage' } });
    expect(unknown.stderr).toContain(`is not known in ${world.running.info.organizationId}`);
    const redriven = await call(world, ['dlq', 'redrive', '--all', '--json'], cwd);
    expect(redriveShape.parse(json(redriven)).left).toEqual([letter?.id]);
    const unproxied = await call(world, ['doctor', '--json'], cwd, { HTTPS_PROXY: 'socks5://127.0.0.1:1' });
    const { checks } = doctorShape.parse(json(unproxied));
    const failed = checks.filter(({ status: found }) => found === 'fail').map(({ check }) => check);
    expect(failed, unproxied.stdout).toEqual(['network']);
  });

  test('with credentials of another organization, every command that reads AWS refuses and writes nothing', async () => {
    const world = await startAwsWorld({ accounts: 12, drift: 0.3, seed: 3 });
    const cwd = place({ 'rollcall.yaml': ENROLL });
    const first = await call(world, ['apply', '--yes', '--wait', '1s'], cwd);
    expect(first, first.stderr).toMatchObject({ code: 0 });
    const other = await startSandbox({ accounts: 12, drift: 0.3, seed: 4, port: 0 });
    onTestFinished(() => other.close());
    const theirs = { AWS_ENDPOINT_URL: other.endpoint, AWS_ACCESS_KEY_ID: other.info.managementAccountId };
    const [ourId, theirId] = [world.running.info.organizationId, other.info.organizationId];
    const stores = await world.look();
    const content = async () => {
      const chains = await stores.ledger.chains(null, 100);
      const heads = await Promise.all(chains.map((chain) => stores.ledger.head(chain)));
      return { chains, heads, registers: await stores.registers.list(''), facts: await stores.snapshots.load() };
    };
    const before = await content();
    for (const command of [['plan'], ['apply', '--yes'], ['serve', '--port', '0']]) {
      const refusedCall = await call(world, [...command, '--json'], cwd, theirs);
      expect([command, refusedCall.code]).toEqual([command, 1]);
      const { error } = errorShape.parse(json(refusedCall));
      expect(error.code).toBe('OtherOrganization');
      expect(error.message).toContain(`is for ${ourId}`);
      expect(error.message).toContain(`the credentials are for ${theirId}`);
      expect(error.message).toContain('ROLLCALL_TABLE');
    }
    expect(await content()).toEqual(before);
    const doctor = await call(world, ['doctor', '--json'], cwd, theirs);
    expect(doctor.code).toBe(1);
    const found = doctorShape.parse(json(doctor)).checks.find(({ check }) => check === 'storeOrganization');
    expect(found).toMatchObject({ status: 'fail', reason: 'wrong' });
  });

  test('apply publishes its entries before it ends', async () => {
    const world = await startAwsWorld({ accounts: 12, drift: 0.3, seed: 3 });
    const cwd = place({ 'rollcall.yaml': ENROLL });
    const applied = await call(world, ['apply', '--yes', '--wait', '1s'], cwd);
    expect(applied, applied.stderr).toMatchObject({ code: 0 });
    expect(applied.stderr).not.toContain('not on the event bus');
    const stores = await world.look();
    expect(await stores.ledger.unpublished(10)).toEqual([]);
    expect(world.running.sandbox.events().map(({ DetailType }) => DetailType)).toContain('Scan Completed');
  });

  test('apply reports entries that the bus refuses; status and doctor report them once they wait too long', async () => {
    const world = await startAwsWorld({ accounts: 12, drift: 0.3, seed: 3 });
    const cwd = place({ 'rollcall.yaml': ENROLL });
    const stores = await world.look();
    const longAgo = new Date(Date.now() - 3_600_000).toISOString();
    await stores.ledger.append([sealEntry(draft({ chain: account(1), at: longAgo }), EMPTY_CHAIN)]);
    world.busDoor.decide = ({ operation }) =>
      operation === 'PutEvents' ? refusal('AccessDeniedException') : undefined;
    const applied = await call(world, ['apply', '--yes', '--wait', '1s'], cwd);
    expect(applied, applied.stderr).toMatchObject({ code: 0 });
    expect(applied.stderr).toMatch(/\d+ entries of the audit log are not on the event bus yet/);
    const [status, text, doctor] = await Promise.all([
      call(world, ['status', '--json'], cwd),
      call(world, ['status'], cwd),
      call(world, ['doctor', '--json'], cwd),
    ]);
    const { outbox } = statusShape.parse(json(status));
    expect(outbox).toMatchObject({ overdue: 1, more: false, oldestAt: longAgo });
    expect(outbox?.refusal?.code).toBe('AccessDeniedException');
    expect(text.stdout).toMatch(/^! Event bus: 1 entry waiting since .* refused /m);
    const found = doctorShape.parse(json(doctor)).checks.find(({ check }) => check === 'outbox');
    expect(found).toMatchObject({ status: 'fail', reason: 'wrong' });
    expect(found?.message).toContain('AccessDeniedException');
  });

  test('the operator is the ARN of the credentials, or the system user if AWS does not return it', async () => {
    const world = await startAwsWorld({ accounts: 12, seed: 3 });
    const cwd = place({ 'rollcall.yaml': ENROLL });
    const shape = z.object({ by: z.string() });
    const halted = await call(world, ['halt', '--reason', 'drill', '--json'], cwd);
    expect(halted, halted.stderr).toMatchObject({ code: 0 });
    expect(shape.parse(json(halted)).by).toMatch(/^arn:aws:.+\d{12}/);
    const elsewhere = { AWS_ENDPOINT_URL_STS: 'http://127.0.0.1:9' };
    const suspended = await call(world, ['suspend', 'all', '--json'], cwd, elsewhere);
    expect(suspended, suspended.stderr).toMatchObject({ code: 0 });
    expect(shape.parse(json(suspended)).by).toMatch(/^user:/);
    const { entries } = await (await world.look()).ledger.query({ type: 'EnforcementHalted' }, { limit: 10 });
    expect(entries).toMatchObject([{ actor: shape.parse(json(halted)).by }]);
  });

  test('an incomplete environment is rejected with every missing or wrong variable', async () => {
    const message = await refused(['status', '--store', 'aws']);
    for (const name of Object.keys(GOOD)) expect(message).toContain(`${name} is not set: expected`);
    const wrong: readonly [Partial<Record<string, string>>, string][] = [
      [
        { ROLLCALL_QUEUE_URL: 'rollcall-prod-work' },
        'ROLLCALL_QUEUE_URL is "rollcall-prod-work": expected a queue URL',
      ],
      [{ ROLLCALL_DLQ_URL: '' }, 'ROLLCALL_DLQ_URL is not set: expected the URL of the dead-letter queue'],
      [{ ROLLCALL_DLQ_URL: GOOD.ROLLCALL_QUEUE_URL }, 'name two queues'],
      [{ ROLLCALL_TABLE: 'a b' }, 'ROLLCALL_TABLE is "a b": expected the name or ARN of a DynamoDB table'],
      [
        { ROLLCALL_EVENT_BUS: 'arn:aws:sns:x' },
        'ROLLCALL_EVENT_BUS is "arn:aws:sns:x": expected the name or ARN of an event bus',
      ],
      [{ AWS_ENDPOINT_URL_SQS: 'localhost:4566' }, 'AWS_ENDPOINT_URL_SQS is "localhost:4566": expected a URL'],
    ];
    for (const [change, words] of wrong) expect(() => readAwsStoreEnv({ ...GOOD, ...change })).toThrow(words);
    expect(readAwsStoreEnv({ ...GOOD, AWS_ENDPOINT_URL_SQS: 'http://127.0.0.1:1' }).sqsEndpoint).toBe(
      'http://127.0.0.1:1',
    );
    for (const command of ['backup', 'restore']) {
      expect(await refused([command, 'x.db', '--store', 'aws'])).toContain(
        `${command} is for the embedded store. Use point-in-time recovery`,
      );
    }
  });

  test('errors name a missing table, a missing queue, and a missing permission', async () => {
    const world = await startAwsWorld({ accounts: 8 });
    const cwd = place({ 'rollcall.yaml': ENROLL });
    const [gone, served] = await Promise.all([
      call(world, ['status'], cwd, {
        ROLLCALL_TABLE: 'no-such-table',
        ROLLCALL_QUEUE_URL: `${world.stores.queueUrl}x`,
      }),
      call(world, ['serve'], cwd, { ROLLCALL_TABLE: 'no-such-table' }),
    ]);
    expect(gone).toMatchObject({ code: 1, stdout: '' });
    expect(gone.stderr).toContain('table no-such-table does not exist');
    expect(gone.stderr).toContain(`queue ${world.stores.queueUrl}x does not exist`);
    expect(served).toMatchObject({ code: 1, stdout: '' });
    expect(served.stderr).toContain('table no-such-table does not exist');
    world.stores.refuse = (operation) => (operation === 'Query' ? 'AccessDeniedException' : null);
    const denied = await call(world, ['status'], cwd);
    expect(denied).toMatchObject({ code: 1, stdout: '' });
    expect(denied.stderr).toMatch(/^error: table rollcall: Query failed \(AccessDeniedException/m);
    expect(denied.stderr).toContain('Check the policies of this role');
    for (const result of [gone, served, denied]) expectNoStack(result);
  });

  test('a store action that is denied in the middle of a run ends it with the reason, before any change', async () => {
    const world = await startAwsWorld({ accounts: 12, drift: 0.5, seed: 3 });
    const cwd = place({ 'rollcall.yaml': ENROLL });
    world.stores.refuse = (operation) => (operation === 'BatchWriteItem' ? 'AccessDeniedException' : null);
    const denied = await call(world, ['apply', '--yes'], cwd);
    expect(denied).toMatchObject({ code: 1, stdout: '' });
    expect(denied.stderr).toMatch(/error: table rollcall: BatchWriteItem failed \(AccessDeniedException/);
    expect(world.mutating).toEqual([]);
    world.stores.refuse = () => null;
    const again = await call(world, ['apply', '--yes', '--wait', '1s'], cwd);
    expect(again, again.stderr).toMatchObject({ code: 0 });
  });
});
