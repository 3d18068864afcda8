import { readdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { CreateTableCommand } from '@aws-sdk/client-dynamodb';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { RunningSandbox } from '../../../services/sandbox/start.ts';
import { createTableInput } from '../../../shared/adapters/aws/dynamodb/schema.ts';
import { CHECKS, type CheckId } from '../../../shared/app/doctor/check-ids.ts';
import { makeQueues, startSimulatedAws } from '../../adapters/aws/stores.ts';
import { auditShape } from './audit-shapes.ts';
import { doctorShape } from './shapes.ts';
import { as, ENROLL, EVERYTHING_ON, expectNoStack, json, place, rollcall, world } from './support.ts';

/** Runs `doctor --json`, and finds the result of each check. */
async function doctor(cwd: string, env: Readonly<Record<string, string>>, ...args: readonly string[]) {
  const ended = await rollcall(['doctor', '--json', ...args], { cwd, env });
  expectNoStack(ended);
  const document = doctorShape.parse(json(ended));
  const ids = document.checks.map(({ check }) => check);
  // No policy here manages Cost Optimization Hub, so it is checked only if the policy cannot be read.
  const policy = document.checks.find(({ check }) => check === 'policy')?.status;
  const isRead = policy === 'pass' || policy === 'warn';
  expect(ids).toEqual(CHECKS.filter((id) => id !== 'costOptimizationHub' || !isRead));
  expect(ended.code).toBe(document.summary.fail === 0 ? 0 : 1);
  const of = (id: CheckId) => {
    const found = document.checks.find(({ check }) => check === id);
    return found ?? expect.fail(`no check ${id}`);
  };
  return { ended, document, of };
}

const CHANGING = /^(Update|Associate|Disassociate|Put|Create|Delete|Register|Enable)/;

function changes(running: RunningSandbox): readonly string[] {
  return running.sandbox.calls().flatMap(({ operation }) => (CHANGING.test(operation) ? [operation] : []));
}

describe('doctor without problems', () => {
  test('passes, makes no mutating call and writes nothing to disk', async () => {
    const { env, running } = await world({ accounts: 25 });
    const cwd = place({ 'rollcall.yaml': EVERYTHING_ON });
    const { document, of } = await doctor(cwd, env, '--sample', '7');
    expect(document.checks.filter(({ status }) => status === 'fail' || status === 'warn')).toEqual([]);
    expect(of('memberRole').message).toContain('RollcallMember works in 7 of 7 sampled accounts');
    expect(of('organization').message).toContain(running.info.organizationId);
    expect(of('database')).toMatchObject({ status: 'skipped', reason: 'missing' });
    expect(of('table')).toMatchObject({ status: 'skipped', reason: 'notUsed' });
    expect(changes(running)).toEqual([]);
    expect(running.sandbox.calls().find(({ operation }) => operation === 'AssumeRole')?.count).toBe(7);
    expect(readdirSync(cwd)).toEqual(['rollcall.yaml']);
  });

  test('checks an existing store, and writes no entry', async () => {
    const { env, running } = await world();
    const cwd = place({ 'rollcall.yaml': ENROLL });
    expect(await rollcall(['apply', '--yes'], { cwd, env })).toMatchObject({ code: 0 });
    const ledger = async () =>
      auditShape.parse(json(await rollcall(['audit', 'list', '--limit', '1000', '--json'], { cwd })));
    const [before, made] = [await ledger(), changes(running)];
    const { document, of } = await doctor(cwd, env);
    expect(document.summary.fail).toBe(0);
    for (const id of ['dataDirectory', 'database', 'writeAheadLog', 'disk'] as const)
      expect(of(id).status).toBe('pass');
    expect(await ledger()).toEqual(before);
    expect(changes(running)).toEqual(made);
    const text = await rollcall(['doctor'], { cwd, env });
    expect(text.stdout).toMatch(/^ {2}✓ Trusted access +on for Compute Optimizer$/m);
    expect(text.stdout).toMatch(/^\d+ passed, 0 warnings, 0 failed, \d+ skipped\.$/m);
  });

  test('passes for the delegated administrator, and names what it cannot read', async () => {
    const { env, running } = await world();
    const { document, of } = await doctor(place(), { ...env, ...as(running.info.delegatedAdministratorId) });
    expect(document.summary.fail).toBe(0);
    expect(of('delegatedAdministrator').message).toContain(
      `cannot read the management account ${running.info.managementAccountId}`,
    );
    expect(of('policy')).toMatchObject({ status: 'skipped', mend: ['rollcall policy init'] });
  });
});

describe('doctor finds', () => {
  test('trusted access that is off, and does not blame permissions for its consequences', async () => {
    const { env, running } = await world();
    running.sandbox.setTrustedAccess(false);
    const { of } = await doctor(place({ 'rollcall.yaml': EVERYTHING_ON }), env);
    expect(of('trustedAccess')).toMatchObject({
      status: 'fail',
      reason: 'missing',
      mend: ['aws organizations enable-aws-service-access --service-principal compute-optimizer.amazonaws.com'],
    });
    expect(of('automation')).toMatchObject({ status: 'skipped', reason: 'notReached' });
    expect(of('serviceLinkedRoles')).toMatchObject({ status: 'skipped', reason: 'notReached' });
    expect(of('memberRole').status).toBe('pass');
    const administrator = await doctor(place(), { ...env, ...as(running.info.delegatedAdministratorId) });
    expect(administrator.of('computeOptimizer')).toMatchObject({
      status: 'fail',
      mend: [expect.stringMatching(/^aws organizations enable-aws-service-access .* # in the management account /)],
    });
  });

  test('roles that cannot be assumed, with their accounts', async () => {
    const { env, running } = await world({ accounts: 12 });
    const own = running.info.managementAccountId;
    const members = running.sandbox
      .accounts()
      .filter(({ state, accountId }) => state === 'ACTIVE' && accountId !== own);
    const shut = members.slice(0, 3).map(({ accountId }) => accountId);
    running.sandbox.changeAccounts({ update: shut.map((accountId) => ({ accountId, roleAssumable: false })) });
    const { of } = await doctor(place({ 'rollcall.yaml': ENROLL }), env, '--sample', '100');
    const { status, reason, message, mend } = of('memberRole');
    expect({ status, reason }).toEqual({ status: 'fail', reason: 'denied' });
    expect(message).toContain(shut.toSorted().join(', '));
    // The caller is a user, but the template trusts only roles.
    const [deploy = '', ...others] = mend;
    expect(others).toEqual([]);
    expect(deploy).toMatch(
      /^aws cloudformation create-stack-instances .* '\{"OrganizationalUnitIds":\["r-\w+"\],"Accounts":/,
    );
    for (const id of shut) expect(deploy).toContain(`"${id}"`);
    expect(of('credentials').status).toBe('pass');
  });

  test('a role that can be assumed but may not read', async () => {
    const { env, running } = await world();
    const member = running.sandbox.accounts().find(({ management, state }) => !management && state === 'ACTIVE');
    const accountId = member?.accountId ?? '';
    running.sandbox.setFaults([{ operation: 'GetEnrollmentStatus', accountId, kind: 'denied' }]);
    const { of } = await doctor(place({ 'rollcall.yaml': ENROLL }), env, '--sample', '100');
    expect(of('memberRole')).toMatchObject({ status: 'fail', reason: 'denied' });
    expect(of('memberRole').message).toMatch(
      new RegExp(`^RollcallMember may not read enrollments in 1 of \\d+ sampled accounts: ${accountId} \\(`),
    );
    expect(of('memberRole').mend).toEqual([expect.stringContaining('update-stack-set')]);
  });

  test('an account that is neither management account nor delegated administrator', async () => {
    const { env, running } = await world();
    const { managementAccountId, delegatedAdministratorId } = running.info;
    const outsider = running.sandbox
      .accounts()
      .find(
        ({ accountId, state }) =>
          state === 'ACTIVE' && ![managementAccountId, delegatedAdministratorId].includes(accountId),
      );
    const accountId = outsider?.accountId ?? '';
    const { of } = await doctor(place(), { ...env, ...as(accountId) });
    expect(of('delegatedAdministrator')).toMatchObject({ status: 'fail', reason: 'denied' });
    expect(of('delegatedAdministrator').mend[0]).toBe(
      `aws organizations register-delegated-administrator --account-id ${accountId} --service-principal compute-optimizer.amazonaws.com`,
    );
    expect(of('computeOptimizer')).toMatchObject({ status: 'skipped', reason: 'notReached' });
  });

  test('each denied call, with the missing permission', async () => {
    const { env, running } = await world();
    running.sandbox.setFaults([
      { operation: 'ListAWSServiceAccessForOrganization', kind: 'denied' },
      { operation: 'ListDelegatedAdministrators', kind: 'denied' },
      { operation: 'GetEnrollmentStatusesForOrganization', kind: 'denied' },
      { service: 'aco-automation', operation: 'ListAccounts', kind: 'denied' },
    ]);
    const { of } = await doctor(place({ 'rollcall.yaml': ENROLL }), env);
    expect(of('trustedAccess')).toMatchObject({ status: 'warn', reason: 'denied' });
    expect(of('delegatedAdministrator')).toMatchObject({ status: 'warn', reason: 'denied' });
    expect(of('computeOptimizer')).toMatchObject({ status: 'fail', reason: 'denied' });
    expect(of('computeOptimizer').mend[0]).toContain('aws iam put-user-policy --user-name sandbox');
    expect(of('computeOptimizer').mend[0]).toContain('compute-optimizer:GetEnrollmentStatusesForOrganization');
    // This policy does not manage Automation.
    expect(of('automation')).toMatchObject({ status: 'warn', reason: 'denied' });
    expect(of('memberRole').status).toBe('pass');
  });

  test('enrollments that failed because of a missing service-linked role', async () => {
    const { env, running } = await world({ drift: 0 });
    const [first, second] = running.sandbox
      .accounts()
      .filter(({ management, state }) => !management && state === 'ACTIVE');
    const changed = [first, second].map((each) => ({
      accountId: each?.accountId ?? '',
      enrollment: 'computeOptimizer' as const,
      status: 'Failed' as const,
    }));
    running.sandbox.drift({ changes: changed });
    const { of } = await doctor(place({ 'rollcall.yaml': ENROLL }), env);
    expect(of('serviceLinkedRoles')).toMatchObject({ status: 'fail', reason: 'missing' });
    expect(of('serviceLinkedRoles').message).toContain('Compute Optimizer: 2 Failed');
    const [command = ''] = of('serviceLinkedRoles').mend;
    expect(command).toMatch(/^aws iam create-service-linked-role --aws-service-name compute-optimizer\.amazonaws\.com/);
    for (const { accountId } of changed) expect(command).toContain(accountId);
  });

  test('an unreachable endpoint, and continues with the checks that need none', async () => {
    const { env } = await world();
    const { of } = await doctor(place(), { ...env, AWS_ENDPOINT_URL: 'http://127.0.0.1:9' }, '--policy', 'mine.yaml');
    const mend = ['unset AWS_ENDPOINT_URL'];
    expect(of('credentials')).toMatchObject({ status: 'fail', reason: 'unreachable', mend });
    expect(of('policy')).toMatchObject({ status: 'fail', mend: ['rollcall policy init --out mine.yaml'] });
    expect(of('organization')).toMatchObject({ status: 'skipped', reason: 'notReached' });
    expect(of('disk').status).toBe('pass');
  });

  test('an endpoint that accepts the connection but never answers, within the timeout', async () => {
    const { env } = await world();
    const hole = createServer();
    await new Promise<void>((resolve) => hole.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => {
      hole.close();
    });
    const address = hole.address();
    const port = address !== null && typeof address === 'object' ? address.port : 0;
    const { of } = await doctor(place(), { ...env, AWS_ENDPOINT_URL: `http://127.0.0.1:${port}` }, '--timeout', '1s');
    expect(of('credentials')).toMatchObject({ status: 'fail', reason: 'timeout' });
    expect(of('credentials').durationMs).toBeLessThan(5_000);
  });

  test('missing credentials, and an invalid Region', async () => {
    const { env } = await world();
    const { AWS_ACCESS_KEY_ID: _key, AWS_SECRET_ACCESS_KEY: _secret, ...bare } = env;
    const cwd = place({ config: '[profile finops]\nregion = eu-west-1\n' });
    const profiles = { ...bare, AWS_CONFIG_FILE: join(cwd, 'config') };
    const [unknown, absent, misspelt] = await Promise.all([
      doctor(place(), { ...profiles, AWS_PROFILE: 'finops' }),
      doctor(place(), { ...profiles, AWS_PROFILE: 'nosuch' }),
      doctor(place(), { ...env, AWS_REGION: 'eu-wset' }),
    ]);
    expect(unknown.of('credentials')).toMatchObject({
      status: 'fail',
      reason: 'unauthenticated',
      mend: ['aws sso login --profile finops'],
    });
    expect(absent.of('credentials')).toMatchObject({
      status: 'fail',
      reason: 'unauthenticated',
      mend: ['aws configure list-profiles'],
    });
    expect(misspelt.of('region')).toMatchObject({
      status: 'fail',
      reason: 'wrong',
      mend: ['export AWS_REGION=us-east-1'],
    });
    expect(misspelt.of('region').message).toContain('"eu-wset"');
  });

  test('an invalid policy, and a data directory that is a file', async () => {
    const { env } = await world();
    const cwd = place({ 'rollcall.yaml': 'version: 1\nrulez: []\n', '.rollcall': 'a file' });
    const { of } = await doctor(cwd, env);
    expect(of('policy')).toMatchObject({
      status: 'fail',
      reason: 'wrong',
      mend: ['rollcall policy validate rollcall.yaml'],
    });
    expect(of('policy').message).toContain('rollcall.yaml:2:1');
    expect(of('dataDirectory')).toMatchObject({
      status: 'fail',
      reason: 'wrong',
      mend: ['mv .rollcall .rollcall.old'],
    });
    expect(of('memberRole').status).toBe('pass');
  });
});

describe('doctor with --store aws', () => {
  test('names missing settings, and continues', async () => {
    const { env } = await world();
    const { document, of } = await doctor(place(), env, '--store', 'aws');
    expect(document.store).toBe('aws');
    expect(of('table')).toMatchObject({ status: 'fail', reason: 'missing', message: 'ROLLCALL_TABLE is not set' });
    expect(of('queue')).toMatchObject({ status: 'fail', reason: 'missing' });
    expect(of('database')).toMatchObject({ status: 'skipped', reason: 'notUsed' });
    expect(of('memberRole').status).toBe('pass');
  });

  test('checks table and queues', async () => {
    const { env } = await world();
    const aws = await startSimulatedAws();
    onTestFinished(() => aws.close());
    await aws.table.send(new CreateTableCommand(createTableInput('rollcall-test')));
    const { queueUrl, dlqUrl } = await makeQueues(aws.queues, 'work');
    const { of } = await doctor(
      place(),
      {
        ...env,
        AWS_ENDPOINT_URL_DYNAMODB: aws.dynamodb.endpoint,
        AWS_ENDPOINT_URL_SQS: aws.sqs.endpoint,
        ...{ ROLLCALL_TABLE: 'rollcall-test', ROLLCALL_QUEUE_URL: queueUrl, ROLLCALL_DLQ_URL: dlqUrl },
      },
      '--store',
      'aws',
    );
    expect(of('table')).toMatchObject({ status: 'pass' });
    expect(of('clock').message).toMatch(
      /^this machine's clock is between \d+ ms (behind|ahead) and \d+ ms (behind|ahead) of the table's/,
    );
    expect(of('queue')).toMatchObject({ status: 'pass' });
    expect(of('bus')).toMatchObject({ status: 'skipped', reason: 'notUsed' });
  });
});
