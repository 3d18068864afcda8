import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, test } from 'vitest';
import * as z from 'zod';
import { auditShape } from './audit-shapes.ts';
import { accountShape, applyShape, errorShape, planShape, statusShape } from './shapes.ts';
import { ENROLL, expectRefusal, json, place, refused, rollcall, spawned, world } from './support.ts';

const suspendShape = z.object({
  selector: z.string(),
  reason: z.string().nullable(),
  until: z.string().nullable(),
  by: z.string(),
  accounts: z.number().nullable(),
  unseen: z.array(z.string()),
});

/** A directory with a store of one scan in mode alert: every account has drifted, nothing was changed. */
async function afterOneScan() {
  const { env, running } = await world({ drift: 0.5 });
  const cwd = place({ 'rollcall.yaml': ENROLL.replace('Active }', 'Active, mode: alert }'), 'enforce.yaml': ENROLL });
  expect((await rollcall(['apply', '--yes'], { cwd, env })).code).toBe(0);
  const call = (...args: string[]) => rollcall([...args, '--json'], { cwd, env });
  return { cwd, env, running, call };
}

test('an operator has one name: runs and commands have the ARN of the credentials', async () => {
  const { env, call, cwd } = await afterOneScan();
  const byShape = z.object({ by: z.string() });
  const halted = byShape.parse(json(await call('halt')));
  const { entries } = auditShape.parse(json(await call('audit', 'list')));
  expect(new Set(entries.map(({ actor }) => actor))).toEqual(new Set([halted.by]));
  expect(halted.by).toMatch(/^arn:aws:.+\d{12}/);
  await call('unhalt');
  const unreachable = { ...env, AWS_ENDPOINT_URL: 'http://127.0.0.1:1' };
  const again = await rollcall(['halt', '--json'], { cwd, env: unreachable });
  expect(byShape.parse(json(again)).by).toMatch(/^user:/);
});

test('in a checkout, every suggested command is one that works there', async () => {
  const { env, cwd } = await afterOneScan();
  const checkout = { cwd, env: { ...env, npm_lifecycle_event: 'rollcall' } };
  const said = async (...args: string[]) => (await rollcall(args, checkout)).stdout.replace(/\s+/g, ' ');
  expect(await said('suspend', 'ou:/')).toContain('To end it: npm run rollcall -- resume ou:/');
  expect(await said('halt')).toContain('To allow changes: npm run rollcall -- resume');
  expect(await said('status')).toContain('To allow changes: npm run rollcall -- resume');
  expect(await said('resume', '--yes')).toContain('if not, run: npm run rollcall -- apply');
});

describe('suspend and resume', () => {
  test('status and account show who suspended, why and until when; resume ends it', async () => {
    const { call, running, cwd } = await afterOneScan();
    const [member] = running.sandbox.accounts().filter(({ management, state }) => !management && state === 'ACTIVE');
    if (member === undefined) throw new Error('no member');
    const ids = [member.accountId, '999999999999'].join(',');
    const set = await rollcall(['suspend', ids, '--reason', 'incident 7', '--until', '2h', '--json'], { cwd });
    expect(set.code, set.stderr).toBe(0);
    expect(set.stderr).toContain('suspended although not in the last scan: 999999999999');
    const suspended = suspendShape.parse(json(set));
    expect(suspended).toMatchObject({ reason: 'incident 7', accounts: 1, unseen: ['999999999999'] });
    expect(Date.parse(suspended.until ?? '') - Date.now()).toBeGreaterThan(7_000_000);
    const shown = statusShape.parse(json(await call('status')));
    expect(shown.suspensions).toMatchObject([{ selector: ids, reason: 'incident 7', by: suspended.by }]);
    expect(shown.summary.computeOptimizer['Suspended']).toBe(1);
    expect((await rollcall(['status'], { cwd })).stdout).toContain(`Suspended: ${ids.replace(',', ', ')} until `);
    const account = accountShape.parse(json(await call('account', member.accountId)));
    expect(account.suspension).toMatchObject({ until: suspended.until });
    expect((await rollcall(['account', member.accountId], { cwd })).stdout).toMatch(
      /^Suspended until .*: suspended by .*: incident 7$/m,
    );
    const plan = planShape.parse(json(await call('plan', '--policy', 'enforce.yaml')));
    expect(plan.summary.computeOptimizer['Suspended']).toBe(1);

    expect(await rollcall(['resume', member.accountId], { cwd })).toMatchObject({ code: 0 });
    expect(statusShape.parse(json(await call('status'))).suspensions).toMatchObject([{ selector: '999999999999' }]);
    const again = await call('resume', member.accountId);
    expect(again.code).toBe(1);
    expect(errorShape.parse(json(again)).error).toMatchObject({ code: 'NotSuspended' });
    expect(await rollcall(['resume', 'all'], { cwd })).toMatchObject({ code: 0 });
    const { entries } = auditShape.parse(
      json(await call('audit', 'list', '--account', member.accountId, '--type', 'AccountResumed')),
    );
    expect(entries).toMatchObject([{ actor: suspended.by, reason: 'operator' }]);
  });

  test('an invalid selector is rejected and changes nothing', async () => {
    const { cwd } = await afterOneScan();
    const files = ['.rollcall', 'enforce.yaml', 'rollcall.yaml'];
    const refusedWith = async (args: readonly string[], ...words: readonly string[]) =>
      expectRefusal(await rollcall(args, { cwd }), cwd, files, ...words);
    await refusedWith(['suspend', 'ou:/Nowhere'], 'none of the', 'accounts of the last scan matches');
    await refusedWith(['suspend', 'name:nobody-*'], 'none of the');
    await refusedWith(['resume', 'ou:/Workloads'], 'is not suspended', 'Nothing is suspended');
    expect(statusShape.parse(json(await rollcall(['status', '--json'], { cwd }))).suspensions).toEqual([]);
  });

  test.each([
    [['suspend', '12345'], 'has 5 digits'],
    [['suspend', 'nothing'], 'is not a selector'],
    [['suspend', 'all', '--until', 'tomorrow'], 'expected a time in the future'],
    [['suspend', 'all', '--until', '2020-01-01'], 'this one is in the past'],
    [['suspend', 'all', '--until', '2027-02-30'], 'expected a time in the future'],
    [['suspend', 'all', '--until', '0s'], 'expected a time in the future'],
    [['suspend', 'all', '--reason', ''], '--reason is empty'],
    [['halt', '--reason', 'a\nb'], '--reason has a control character'],
    [['halt', '--data-dir', '/nowhere/at/all'], '/nowhere/at/all'],
  ])('%j is refused', async (args, words) => {
    expect(await refused(args)).toContain(words);
  });

  test('the controls of two simultaneous operators both apply', async () => {
    const { cwd, call } = await afterOneScan();
    const ends = await Promise.all([
      spawned(['suspend', '111111111111', '--reason', 'a'], { cwd }),
      spawned(['suspend', '222222222222', '--reason', 'b'], { cwd }),
      spawned(['halt', '--reason', 'c'], { cwd }),
      spawned(['halt', '--reason', 'd'], { cwd }),
    ]);
    expect(ends.map(({ code }) => code)).toEqual([0, 0, 0, 0]);
    const held = statusShape.parse(json(await call('status')));
    expect(held.suspensions.map(({ selector }) => selector).sort()).toEqual(['111111111111', '222222222222']);
    expect(['c', 'd']).toContain(held.halted?.reason);
    expect(ends.filter(({ stdout }) => stdout.includes('Already halted since'))).toHaveLength(1);
    const halts = await call('audit', 'list', '--type', 'EnforcementHalted');
    expect(auditShape.parse(json(halts)).entries).toHaveLength(1);
  });
});

describe('halt and unhalt', () => {
  test('while halted, apply exits 4 and names the halt, and plan exits 2; unhalt permits changes again', async () => {
    const { cwd, env, call, running } = await afterOneScan();
    expect(await rollcall(['halt', '--reason', 'incident 7'], { cwd })).toMatchObject({ code: 0 });
    const plan = await call('plan', '--policy', 'enforce.yaml');
    expect(plan.code).toBe(2);
    expect(planShape.parse(json(plan)).guardrail).toMatchObject({ tripped: true, reason: 'halted' });
    const halted = await call('apply', '--policy', 'enforce.yaml', '--yes');
    expect(halted.code).toBe(4);
    expect(applyShape.parse(json(halted)).changes).toMatchObject({ attempted: 0 });
    const text = await rollcall(['apply', '--policy', 'enforce.yaml', '--yes'], { cwd, env });
    expect(text.stdout).toContain('incident 7');
    expect(running.sandbox.calls().filter(({ operation }) => operation.startsWith('Update'))).toEqual([]);
    expect((await rollcall(['status'], { cwd })).stdout).toMatch(
      /^HALTED since .*: "incident 7"\. .* held\. To allow changes: rollcall resume$/m,
    );
    expect((await rollcall(['unhalt'], { cwd })).stdout).toContain('Changes are allowed again.');
    expect((await rollcall(['unhalt'], { cwd })).stdout).toContain('were not halted');
    expect((await call('apply', '--policy', 'enforce.yaml', '--yes')).code).toBe(0);
  });
});

describe('windows', () => {
  test('apply outside a window says when it opens and exits 3; status shows the window', async () => {
    const { env } = await world({ drift: 0.5 });
    const year = new Date().getUTCFullYear();
    const month = new Date().getUTCMonth() < 6 ? 12 : 1;
    const windows = `windows: [{ kind: allow, cron: "0 0 1 ${month} *", duration: 1h }]\n`;
    const cwd = place({ 'rollcall.yaml': `${ENROLL}${windows}` });
    // Drift counts as drift even if no window is open.
    const plan = await rollcall(['plan', '--json'], { cwd, env });
    const { summary } = planShape.parse(json(plan));
    expect([plan.code, summary.computeOptimizer['Drifted']]).toEqual([2, 0]);
    const run = await rollcall(['apply', '--yes'], { cwd, env });
    expect([run.code, run.stderr]).toEqual([3, run.stderr]);
    expect(run.stdout).toContain(`${month === 12 ? year : year + 1}-${month === 12 ? '12' : '01'}-01`);
    const held = statusShape.parse(json(await rollcall(['status', '--json'], { cwd })));
    expect(held.window).toMatchObject({ open: false, closesAt: null });
    const status = await rollcall(['status'], { cwd });
    expect([status.code, status.stdout]).toEqual([2, expect.stringContaining('next change window ')]);
    const blocked = summary.computeOptimizer['Blocked'] ?? 0;
    expect(held.openDrift.enrollments).toBe(blocked);
    expect(status.stdout).toMatch(new RegExp(`^${blocked} open drifts? in .*: ${blocked} waiting; oldest `, 'm'));
    const [example = ''] = held.open[0]?.examples ?? [];
    expect((await rollcall(['account', example], { cwd })).stdout).toMatch(
      /Waiting \(.*\)\. Inactive, policy: Active \(defaults\)\n {2}Outside the change windows\./,
    );
  });

  test('contradicting windows are rejected with their position', async () => {
    const windows =
      'windows: [{ kind: allow, cron: "0 9 * * *", duration: 1h }, { kind: deny, cron: "0 0 * * *", duration: 24h }]\n';
    const cwd = place({ 'rollcall.yaml': `${ENROLL}${windows}` });
    const result = await rollcall(['apply', '--yes'], { cwd });
    expect(result.code).toBe(1);
    expect(result.stderr).toMatch(/rollcall\.yaml:\d+:\d+: error: windows: contradiction/);
  });
});

test('halt, suspend and approve report success only if nothing in the file can undo it', async () => {
  const { cwd, call } = await afterOneScan();
  const db = new DatabaseSync(join(cwd, '.rollcall/rollcall.db'));
  db.exec(`CREATE TRIGGER undo AFTER UPDATE ON registers WHEN new.name = 'controls' BEGIN
    UPDATE registers SET body = old.body WHERE name = 'controls'; END`);
  db.close();
  for (const command of [['halt'], ['suspend', 'all'], ['approve', 'a1'.repeat(6)]]) {
    const refusal = await call(...command);
    expect(refusal.code).toBe(1);
    const { error } = errorShape.parse(json(refusal));
    expect(error.code).toBe('ForeignSchema');
    expect(error.message).toContain('trigger "undo" on table registers');
  }
});
