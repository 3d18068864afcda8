import { describe, expect, test } from 'vitest';
import { auditShape } from './audit-shapes.ts';
import { planShape } from './shapes.ts';
import { ENROLL, ended, expectNoStack, json, place, rollcall, said, start, type World, world } from './support.ts';

/*
 * The commands retry such a call in real time, as in production. Tests that can use a moved clock, such as those of all kinds of empty
 * answers, are in `test/scenario/incomplete-answers.test.ts`.
 */

/** Every account has one of these tags, so the rule matches none of them. */
const OPT_OUT_UNTAGGED = `version: 1
defaults: { computeOptimizer: Active }
rules:
  - id: untagged
    match: { not: { tags: { env: [canary, dev, management, platform, prod, sandbox, security, test] } } }
    computeOptimizer: Inactive
guardrails: { maxChanges: { percent: 100, atLeast: 10 }, maxOptOuts: { percent: 100, atLeast: 10 }, minCoverage: 80 }
limits: { callsPerSecond: 500, concurrency: 8 }
`;

const stateOf = ({ running: { sandbox } }: World) =>
  sandbox.accounts().map(({ accountId, computeOptimizer, automation }) => [accountId, computeOptimizer, automation]);

const active = ({ running: { sandbox } }: World) => sandbox.accounts().filter(({ state }) => state === 'ACTIVE');

/** `plan` and `apply` fail with one line that names the call, and change nothing. */
async function expectRefused(organization: World, cwd: string, says: string): Promise<void> {
  const before = stateOf(organization);
  const commands = [['plan'], ['apply', '--yes']];
  const results = await Promise.all(commands.map((args) => rollcall(args, { cwd, env: organization.env })));
  for (const result of results) {
    const { code, stdout, stderr } = result;
    expect(code, stderr).toBe(1);
    expect(stdout).toBe('');
    expect(stderr.split('\n').filter((line) => line.startsWith('error:'))).toHaveLength(1);
    expect(stderr).toContain(says);
    expectNoStack(result);
  }
  expect(stateOf(organization)).toEqual(before);
}

/** Once AWS answers correctly again, all accounts comply, and no decision was based on the broken answers. */
async function expectUnharmed(organization: World, cwd: string): Promise<void> {
  organization.running.sandbox.setFaults([]);
  const call = (...args: string[]) => rollcall([...args, '--json'], { cwd, env: organization.env });
  const applied = await call('apply', '--yes');
  expect(applied.code, applied.stderr).toBe(0);
  expect(active(organization).every(({ computeOptimizer: { status } }) => status === 'Active')).toBe(true);
  expect(planShape.parse(json(await call('plan'))).changes).toEqual([]);
  const left = await call('audit', 'list', '--type', 'AccountLeft');
  expect(auditShape.parse(json(left)).entries).toEqual([]);
  expect((await call('audit', 'verify')).code).toBe(0);
}

describe('AWS answers 200 with an empty answer', () => {
  test('to every call: plan and apply name the failed call, and change nothing', async () => {
    const organization = await world({ drift: 0.3, faults: [{ kind: 'empty-body' }] });
    const cwd = place({ 'rollcall.yaml': ENROLL });
    await expectRefused(organization, cwd, 'GetCallerIdentity');
    await expectUnharmed(organization, cwd);
  });

  test('for all tags: a policy that opts out untagged accounts opts out none', async () => {
    const organization = await world({ drift: 0 });
    const cwd = place({ 'rollcall.yaml': OPT_OUT_UNTAGGED });
    organization.running.sandbox.setFaults([{ operation: 'GetResources', kind: 'empty-body' }]);
    await expectRefused(organization, cwd, 'the answer lacks ResourceTagMappingList');
    await expectUnharmed(organization, cwd);
  });
});

test('serve changes nothing on broken answers and ends on SIGTERM; the next run enrolls everything', async () => {
  const organization = await world({ drift: 0.3, faults: [{ operation: 'ListAccounts', kind: 'empty-body' }] });
  const cwd = place({ 'rollcall.yaml': ENROLL.replace('limits:', 'schedule: 5m\nlimits:') });
  const daemon = start(['serve', '--port', '0'], { cwd, env: organization.env });
  const end = ended(daemon);
  const before = stateOf(organization);
  await said(daemon, 'the answer lacks Accounts');
  expect(stateOf(organization)).toEqual(before);
  daemon.kill('SIGTERM');
  const { code, stderr } = await end;
  expect(code, stderr).toBe(0);
  await expectUnharmed(organization, cwd);
});
