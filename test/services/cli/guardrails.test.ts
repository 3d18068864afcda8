import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { applyShape, savedPlanShape } from './shapes.ts';
import { ENROLL, expectRefusal, json, place, rollcall, world } from './support.ts';

describe('guardrails and saved plans', () => {
  const CAPPED =
    'version: 1\ndefaults: { computeOptimizer: Active }\nguardrails: { maxChanges: { percent: 0, atLeast: 1 } }\n';

  test('a guardrail stops apply, which exits 4 and changes nothing; apply --plan makes only the saved changes', async () => {
    const { env, running } = await world();
    const cwd = place({ 'rollcall.yaml': CAPPED });
    const before = running.sandbox.accounts();
    const planned = await rollcall(['plan', '--out', 'plan.json'], { cwd, env });
    expect(planned.code).toBe(2);
    expect(planned.stdout).toMatch(
      /^! Guardrail maxChanges does not stop a saved plan: this plan changes \d+ accounts; the limit is 1 in 24 hours \(atLeast: 1\)\.$/m,
    );
    expect(planned.stdout).toMatch(/^Next: rollcall apply --plan plan\.json$/m);
    const again = await rollcall(['plan', '--out', 'plan.json'], { cwd, env });
    expect(again).toMatchObject({ code: 1, stdout: '' });
    expect(again.stderr).toContain(
      'plan.json already exists; name another file with --out, or replace it with --force',
    );
    expect(await rollcall(['plan', '--out', 'plan.json', '--force'], { cwd, env })).toMatchObject({ code: 2 });
    expect(statSync(join(cwd, 'plan.json')).mode & 0o777).toBe(0o600);

    const tripped = await rollcall(['apply', '--yes', '--json'], { cwd, env });
    expect(tripped.code).toBe(4);
    expect(applyShape.parse(json(tripped)).guardrail).toMatchObject({ tripped: true, reason: 'maxChanges' });
    expect(running.sandbox.accounts()).toEqual(before);

    const saved = savedPlanShape.parse(JSON.parse(readFileSync(join(cwd, 'plan.json'), 'utf8')));
    const listed = new Set(saved.changes.map(({ accountId }) => accountId));
    const other = before.find(
      (account) => !listed.has(account.accountId) && !account.management && account.state === 'ACTIVE',
    );
    running.sandbox.drift({
      changes: [{ accountId: other?.accountId ?? '', enrollment: 'computeOptimizer', status: 'Inactive' }],
    });
    const made = await rollcall(['apply', '--yes', '--json', '--plan', 'plan.json', '--wait', '1s'], { cwd, env });
    expect(made.code).toBe(0);
    expect(applyShape.parse(json(made)).changes).toMatchObject({
      attempted: listed.size,
      succeeded: listed.size,
      failed: 0,
    });
    const inactive = running.sandbox
      .accounts()
      .filter(({ state, computeOptimizer }) => state === 'ACTIVE' && computeOptimizer.status !== 'Active');
    expect(inactive.map(({ accountId }) => accountId)).toEqual([other?.accountId]);
    expect(await rollcall(['status'], { cwd })).toMatchObject({ code: 2 });
  });

  test('a saved plan is applied once: it does not make a change again that somebody has reverted', async () => {
    const { env, running } = await world({ accounts: 4 });
    const cwd = place({ 'rollcall.yaml': ENROLL });
    const apply = ['apply', '--yes', '--plan', 'plan.json', '--wait', '1s'];
    expect(await rollcall(['plan', '--out', 'plan.json'], { cwd, env })).toMatchObject({ code: 2 });
    expect(await rollcall(apply, { cwd, env })).toMatchObject({ code: 0 });
    const saved = savedPlanShape.parse(JSON.parse(readFileSync(join(cwd, 'plan.json'), 'utf8')));
    const accountId = saved.changes[0]?.accountId ?? '';
    running.sandbox.drift({ changes: [{ accountId, enrollment: 'computeOptimizer', status: 'Inactive' }] });
    const again = await rollcall(apply, { cwd, env });
    expect(again).toMatchObject({ code: 1, stdout: '' });
    expect(again.stderr).toMatch(/plan\.json was applied at 20\S+ \S+ UTC\. None of its changes is left/);
    expect(again.stderr).toContain('rollcall plan --policy rollcall.yaml --out plan.json --force');
    const read = running.sandbox.accounts().find((account) => account.accountId === accountId);
    expect(read?.computeOptimizer.status).toBe('Inactive');
    // A new plan has the same changes and the same hash.
    expect(await rollcall(['plan', '--out', 'plan.json', '--force'], { cwd, env })).toMatchObject({ code: 2 });
    expect(await rollcall(apply, { cwd, env })).toMatchObject({ code: 0 });
  });

  test('rejects a plan that was edited, is for another policy or organization, or is not a plan', async () => {
    const [there, elsewhere] = [await world(), await world({ seed: 99 })];
    const cwd = place({ 'rollcall.yaml': CAPPED, 'other.yaml': ENROLL, 'no.json': '{"changes":[]}', 'bad.json': '{' });
    await rollcall(['plan', '--out', 'plan.json'], { cwd, env: there.env });
    const edited = readFileSync(join(cwd, 'plan.json'), 'utf8').replace('"desired": "Active"', '"desired": "Inactive"');
    writeFileSync(join(cwd, 'edited.json'), edited);
    const files = ['bad.json', 'edited.json', 'no.json', 'other.yaml', 'plan.json', 'rollcall.yaml'];
    const use = (plan: string, env: Readonly<Record<string, string>>, ...rest: string[]) =>
      rollcall(['apply', '--yes', '--plan', plan, ...rest], { cwd, env });
    const [a, b, c, d, e, f] = await Promise.all([
      use('edited.json', there.env),
      use('plan.json', there.env, '--policy', 'other.yaml'),
      use('plan.json', elsewhere.env),
      use('no.json', there.env),
      use('bad.json', there.env),
      use('gone.json', there.env),
    ]);
    expectRefusal(a, cwd, files, 'was edited after it was saved', 'Make a new plan');
    expectRefusal(b, cwd, files, 'was made for another policy', 'rollcall plan --policy other.yaml');
    expectRefusal(c, cwd, files, 'The plan is for organization o-');
    expectRefusal(d, cwd, files, 'not a plan written by plan --out');
    expectRefusal(e, cwd, files, 'bad.json is not JSON');
    expectRefusal(f, cwd, files, 'gone.json cannot be read (ENOENT)');
  });
});
