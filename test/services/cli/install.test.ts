import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { assembleOrganization } from '../../../infra/organization/assemble.ts';
import { systemClock } from '../../../shared/adapters/system/clock.ts';
import type { Clock } from '../../../shared/ports/system.ts';
import { type CloudFormationServer, changeElement, startCloudFormation } from '../../support/cloud-formation-server.ts';
import { runInProcess } from './in-process.ts';
import { place, world } from './support.ts';

const PACKAGES = Object.fromEntries(
  ['api', 'reactor', 'scanner', 'tick', 'worker'].map((name) => [`${name}.zip`, name]),
);
const EXTERNAL = ['--external-id', 'e-1234567890'];

/** Time between two questions about a stack, ms. */
const POLL_MS = 5_000;

interface Bed {
  readonly server: CloudFormationServer;
  readonly managementAccountId: string;
  /** Runs `rollcall install` as the management account. */
  install(args: readonly string[], answers?: readonly string[]): ReturnType<typeof runInProcess>;
}

/** An organization, and CloudFormation and S3 beside it. Nobody waits between two questions about a stack. */
async function bed(files: Readonly<Record<string, string>> = PACKAGES): Promise<Bed> {
  const { running, env } = await world();
  const server = await startCloudFormation();
  const cwd = place(files);
  const own = { AWS_ENDPOINT_URL_CLOUDFORMATION: server.endpoint, AWS_ENDPOINT_URL_S3: server.endpoint };
  const { managementAccountId } = running.info;
  // The doctor's time limits stay.
  const clock: Clock = {
    ...systemClock,
    sleep: (ms, signal) => (ms === POLL_MS ? Promise.resolve() : systemClock.sleep(ms, signal)),
  };
  return {
    server,
    managementAccountId,
    install: (args, answers) =>
      runInProcess(['install', '--packages', '.', ...args], {
        ...{ cwd, env: { ...env, ...own }, clock },
        ...(answers !== undefined && { terminal: { columns: 100, answers } }),
      }),
  };
}

/** The part of the management account, which has no checks to run. */
const ELSEWHERE = ['--account', '999988887777', ...EXTERNAL];

describe('rollcall install', () => {
  it('shows resources, permissions and costs, and changes nothing without a yes', async () => {
    const { server, install, managementAccountId } = await bed();
    const { code, stderr } = await install(EXTERNAL);
    expect(code).toBe(1);
    expect(stderr).toContain(`${managementAccountId}, eu-west-1 (Rollcall runs in this account)`);
    expect(stderr).toMatch(/Resources +\d+: .*5 functions/);
    expect(stderr).toMatch(/Worker +\d+ actions of .*compute-optimizer/);
    expect(stderr).toMatch(/Costs +about USD \d\.\d\d a month for 1,000 accounts, and USD 10\.01/);
    expect(stderr).toContain('Nothing was changed.');
    expect(server.calls).toEqual(['DescribeStacks']);
  });

  it('shows what signed checkpoints cost and which permissions they need', async () => {
    const { install } = await bed();
    const without = await install(EXTERNAL);
    expect(without.stderr).not.toMatch(/checkpoints|kms/);
    const { stderr } = await install([...EXTERNAL, '--parameter', 'Checkpoints=compliance']);
    expect(stderr.replaceAll(/\s+/g, ' ')).toContain('and USD 1.03 for signed checkpoints');
    expect(stderr).toMatch(/Tick +\d+ actions of .*kms, .*s3/);
  });

  it('uploads packages and template, deploys, and checks what it deployed', async () => {
    const { server, install, managementAccountId } = await bed();
    const { stdout, stderr, code } = await install([...EXTERNAL, '--yes', '--policy-source', 's3://policies/a.yaml']);
    expect(stdout).toContain('Deployed rollcall-prod.');
    expect(stderr).toContain('Change set: 1 resource to create.');
    const bucket = `rollcall-prod-${managementAccountId}-eu-west-1`;
    const keys = [...server.objects.keys()];
    expect(keys.filter((key) => key.startsWith(`${bucket}/packages/`)).length).toBe(5);
    const stack = server.stacks.get('rollcall-prod');
    expect(stack?.templateUrl).toMatch(new RegExp(`^https://${bucket}\\.s3\\.eu-west-1\\.amazonaws\\.com/templates/`));
    expect(Object.fromEntries(stack?.parameters ?? [])).toMatchObject({
      ...{ RollcallAccountId: managementAccountId, ManagementAccountId: managementAccountId, Stage: 'prod' },
      ...{ ExternalId: 'e-1234567890', PolicyBucket: 'policies', PolicyKey: 'a.yaml', PackageBucket: bucket },
    });
    // The checks of doctor find no table here.
    expect(stdout).toMatch(/✗ Table/);
    expect(code).toBe(3);
  });

  it('can be repeated: nothing is uploaded or changed again', async () => {
    const { server, install } = await bed();
    expect((await install([...ELSEWHERE, '--yes'])).code).toBe(0);
    server.calls.length = 0;
    const again = await install([...ELSEWHERE, '--yes', '--json']);
    expect(again.code).toBe(0);
    expect(JSON.parse(again.stdout)).toMatchObject({ stack: 'rollcall-prod', changed: false });
    expect(server.calls).not.toContain('ExecuteChangeSet');
    expect(server.calls.filter((call) => /^PUT .+\/templates/.test(call))).toEqual([]);
  });

  it('keeps parameters of an earlier installation that are not named', async () => {
    const { server, install } = await bed();
    await install([...ELSEWHERE, '--yes', '--parameter', 'Monitoring=alarms']);
    await install([...ELSEWHERE, '--yes', '--parameter', 'MaxAccounts=500']);
    expect(Object.fromEntries(server.stacks.get('rollcall-prod')?.parameters ?? [])).toMatchObject({
      ...{ Monitoring: 'alarms', MaxAccounts: '500' },
    });
  });

  it('requires the name of the member role when it creates a stage other than prod, because two stages cannot share it', async () => {
    const { server, install } = await bed();
    const dev = [...ELSEWHERE, '--yes', '--stage', 'dev'];
    const refused = await install(dev);
    expect(refused.code).toBe(1);
    expect(refused.stderr.replaceAll(/\s+/g, ' ')).toContain(
      "--parameter MemberRole=RollcallMember-dev, with the same name as organization.memberRole in this stage's policy",
    );
    expect(server.calls).toEqual(['DescribeStacks']);
    expect((await install([...dev, '--parameter', 'MemberRole=RollcallMember'])).code).toBe(0);
    // An update keeps the name.
    expect((await install([...dev, '--parameter', 'MaxAccounts=500'])).code).toBe(0);
    expect(server.stacks.get('rollcall-dev')?.parameters.get('MemberRole')).toBe('RollcallMember');
    expect((await install([...ELSEWHERE, '--yes'])).code).toBe(0);
  });

  it('deploys after an answer on a terminal', async () => {
    const { server, install } = await bed();
    expect((await install(ELSEWHERE, ['y'])).code).toBe(0);
    expect(server.stacks.get('rollcall-prod')?.status).toBe('CREATE_COMPLETE');
  });

  it('asks again before it changes a stack that exists, and names what would be removed or replaced', async () => {
    const { server, install } = await bed();
    expect((await install([...ELSEWHERE, '--yes'])).code).toBe(0);
    server.calls.length = 0;
    server.changes = changeElement('Remove', 'Forward') + changeElement('Modify', 'Table', 'True');
    const other = [...ELSEWHERE, '--parameter', 'MaxAccounts=500'];
    const refused = await install(other, ['y', 'n']);
    expect(refused.code).toBe(1);
    expect(refused.screen).toContain('! removes Forward (AWS::DynamoDB::Table)');
    expect(refused.screen).toContain('! replaces Table (AWS::DynamoDB::Table)');
    expect(refused.screen).toContain('The stack rollcall-prod was not changed.');
    expect(server.calls).not.toContain('ExecuteChangeSet');
    expect((await install(other, ['y', 'y'])).code).toBe(0);
    expect(server.calls).toContain('ExecuteChangeSet');
  });

  it('does not replace a file with --template unless --force is given', async () => {
    const directory = place({ 'a.json': 'mine' });
    const write = (...more: string[]) =>
      runInProcess(['install', '--template', 'a.json', ...more], { cwd: directory, env: {} });
    const refused = await write();
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain('--force');
    expect(readFileSync(join(directory, 'a.json'), 'utf8')).toBe('mine');
    expect((await write('--force')).code).toBe(0);
    expect(readFileSync(join(directory, 'a.json'), 'utf8')).toMatch(/^\{/);
  });

  it('only writes the template with --template', async () => {
    const directory = place();
    const file = join(directory, 'rollcall.template.json');
    const { code } = await runInProcess(['install', '--template', file], { cwd: directory, env: {} });
    expect(code).toBe(0);
    expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual(JSON.parse(JSON.stringify(assembleOrganization())));
  });
});

describe('errors of rollcall install', () => {
  it.each([
    ['no packages', EXTERNAL, {}, /there are no packages in \.[\s\S]*npm run package/],
    ['no external id', [], PACKAGES, /--external-id is missing[\s\S]*openssl rand/],
    ['an unknown parameter', [...EXTERNAL, '--parameter', 'Colour=red'], PACKAGES, /Colour=red[\s\S]*Monitoring/],
    ['a policy in a file', [...EXTERNAL, '--policy-source', 'a.yaml'], PACKAGES, /s3:\/\/BUCKET\/KEY/],
  ])('%s', async (_, args, files, message) => {
    const { server, install } = await bed(files);
    const { code, stderr } = await install([...args, '--yes']);
    expect(code).toBe(1);
    expect(stderr).toMatch(message);
    expect(server.calls).toEqual([]);
  });

  it('names the action that is not allowed', async () => {
    const { server, install } = await bed();
    server.failures.set('CreateChangeSet', { status: 403, code: 'AccessDenied', message: 'not authorized' });
    const { code, stderr } = await install([...ELSEWHERE, '--yes']);
    expect(code).toBe(1);
    expect(stderr).toContain('these credentials may not call cloudformation:CreateChangeSet');
    expect(stderr).toContain('infra/examples/install-permissions.json');
  });

  it('uses no bucket of another account, and says that it may be one', async () => {
    const { server, install, managementAccountId } = await bed();
    const bucket = `rollcall-prod-${managementAccountId}-eu-west-1`;
    server.failures.set(`HEAD ${bucket}/`, { status: 403, code: 'AccessDenied', message: '' });
    const { code, stderr } = await install([...ELSEWHERE, '--yes']);
    expect(code).toBe(1);
    expect(stderr).toContain(
      `the bucket ${bucket} belongs to another account, or these credentials may not call s3:ListBucket`,
    );
    expect(stderr).toContain('install with another --stage');
    expect([...server.objects.keys(), ...server.stacks.keys()]).toEqual([]);
  });

  it('names the resource that failed, and the command that turns on trusted access', async () => {
    const { server, install } = await bed();
    server.failure = 'You must enable organizations access to operate a service managed stack set';
    const { code, stderr } = await install([...ELSEWHERE, '--yes']);
    expect(code).toBe(1);
    expect(stderr).toContain('MembersStackSet (AWS::CloudFormation::StackSet)');
    expect(stderr).toContain('Fix: aws cloudformation activate-organizations-access, in the management account');
  });

  it('says how to go on after a first deployment that failed', async () => {
    const { server, install } = await bed();
    server.failure = 'Something else';
    await install([...ELSEWHERE, '--yes']);
    server.failure = null;
    const { code, stderr } = await install([...ELSEWHERE, '--yes']);
    expect(code).toBe(1);
    expect(stderr).toContain('Its state is ROLLBACK_COMPLETE.');
    expect(stderr).toContain('aws cloudformation delete-stack --stack-name rollcall-prod');
  });
});
