import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { auditShape } from './audit-shapes.ts';
import { applyShape, approveShape, errorShape, planShape, statusShape } from './shapes.ts';
import { expectRefusal, json, place, refused, rollcall, world } from './support.ts';

const CAPPED = `version: 1
defaults: { computeOptimizer: Active }
guardrails: { maxChanges: { percent: 0, atLeast: 1 } }
limits: { callsPerSecond: 500, concurrency: 8 }
`;

const DISABLED = `version: 1
organization: { automationConfigurations: manage }
defaults: { computeOptimizer: Active, automation: Inactive, organizationRules: NoneAllowed }
guardrails: { maxChanges: { percent: 100, atLeast: 0 }, maxOptOuts: { percent: 100, atLeast: 0 } }
limits: { callsPerSecond: 500, concurrency: 8 }
`;

describe('approve', () => {
  test('says that nothing follows while all changes are halted', async () => {
    const { env } = await world();
    const cwd = place({ 'rollcall.yaml': CAPPED });
    const { planHash } = applyShape.parse(json(await rollcall(['apply', '--yes', '--json'], { cwd, env })));
    await rollcall(['halt'], { cwd });
    const { code, stdout } = await rollcall(['approve', planHash], { cwd });
    expect([code, stdout.replace(/\s+/g, ' ')]).toEqual([
      0,
      expect.stringMatching(
        /canary check for these changes\. All changes are halted; to allow them: rollcall resume $/,
      ),
    ]);
  });

  test('permits the plan that apply stored, once, and records it in text, JSON and ledger', async () => {
    const { env, running } = await world();
    const cwd = place({ 'rollcall.yaml': CAPPED });
    const tripped = await rollcall(['apply', '--yes'], { cwd, env });
    expect(tripped.code).toBe(4);
    const [, short = ''] = /rollcall approve ([0-9a-f]{12})/.exec(tripped.stdout) ?? [];
    expect(tripped.stdout).toMatch(
      /^Stopped by guardrail maxChanges\. Nothing was changed\. The plan changes \d+ accounts; the limit is 1 in 24 hours/m,
    );
    const { planHash: hash } = planShape.parse(json(await rollcall(['plan', '--json'], { cwd, env })));
    expect(hash.startsWith(short) && short !== '').toBe(true);

    const shown = await rollcall(['status'], { cwd });
    expect(shown.stdout).toContain(`Guardrail maxChanges stopped the last run: `);
    expect(shown.stdout).toContain(`rollcall approve ${hash.slice(0, 12)}`);
    // Approving needs no AWS.
    const given = await rollcall(['approve', hash.slice(0, 12), '--reason', 'change 4711', '--json'], { cwd });
    expect(given.code).toBe(0);
    const approval = approveShape.parse(json(given));
    expect(approval).toMatchObject({ planHash: hash, reason: 'change 4711' });
    expect(Date.parse(approval.expiresAt) - Date.parse(approval.at)).toBe(24 * 3_600_000);

    const approved = await rollcall(['status'], { cwd });
    expect(approved.stdout).toMatch(
      new RegExp(`^! Approved: plan ${hash.slice(0, 12)} by user/.+: "change 4711"; the next run`, 'm'),
    );
    expect(approved.stdout).not.toContain('rollcall approve');
    const { approvals } = statusShape.parse(json(await rollcall(['status', '--json'], { cwd })));
    expect(approvals).toMatchObject([{ planHash: hash, reason: 'change 4711', expiresAt: approval.expiresAt }]);
    const planned = planShape.parse(json(await rollcall(['plan', '--json'], { cwd, env })));
    expect(planned).toMatchObject({
      guardrail: { tripped: true },
      approval: { planHash: hash, actor: approval.actor },
    });

    const again = await rollcall(['approve', hash, '--json'], { cwd });
    expect(again.code).toBe(1);
    expect(errorShape.parse(json(again)).error).toMatchObject({ code: 'PlanAlreadyApproved' });

    const made = await rollcall(['apply', '--yes', '--json', '--wait', '1s'], { cwd, env });
    expect(made.code, made.stdout).toBe(0);
    const { approval: under, changes } = applyShape.parse(json(made));
    expect(under).toEqual({ planHash: hash, actor: approval.actor });
    expect(changes).toMatchObject({ attempted: approval.changes, succeeded: approval.changes, failed: 0 });
    const open = running.sandbox.accounts().filter((account) => account.computeOptimizer.status !== 'Active');
    expect(open.filter(({ state }) => state === 'ACTIVE')).toEqual([]);

    expect(statusShape.parse(json(await rollcall(['status', '--json'], { cwd }))).approvals).toEqual([]);
    const used = await rollcall(['approve', hash], { cwd });
    expect(used).toMatchObject({ code: 1, stdout: '' });
    expect(used.stderr).toContain('used by run');
    const listed = await rollcall(['audit', 'list', '--type', 'PlanApproved', '--json'], { cwd });
    const { entries } = auditShape.parse(json(listed));
    expect(entries).toMatchObject([{ actor: approval.actor, detail: { message: 'change 4711', planHash: hash } }]);
  });

  test('names the configurations of somebody else that a plan needs an approval for', async () => {
    const { env, running } = await world({ scenario: 'configurations', drift: 0, configurationDelayMs: 0 });
    const cwd = place({ 'rollcall.yaml': DISABLED });
    const asked = await rollcall(['apply', '--yes'], { cwd, env });
    const text = asked.stdout.replace(/\s+/g, ' ');
    expect(text).toContain(
      '3 changes to organization enrollment configurations that somebody else set need an approval (rollcall plan shows them). To approve: rollcall approve ',
    );
    expect(asked.code).toBe(3);
    const [, hash = ''] = /rollcall approve ([0-9a-f]{12})/.exec(text) ?? [];
    const approved = await rollcall(['approve', hash], { cwd });
    expect(approved.stdout.replace(/\s+/g, ' ')).toContain(
      'The approval lets the run change 3 organization enrollment configurations that somebody else set.',
    );
    const plan = await rollcall(['plan'], { cwd, env });
    expect(plan.stdout).not.toContain('rollcall approve');
    await rollcall(['apply', '--yes'], { cwd, env });
    expect(running.sandbox.configurations()).toEqual([]);
  });

  test('refuses a plan that is not stored, and one for another policy', async () => {
    const { env } = await world();
    const cwd = place({ 'rollcall.yaml': CAPPED, 'other.yaml': CAPPED.replace('atLeast: 1', 'atLeast: 0') });
    const tripped = await rollcall(['apply', '--yes', '--json'], { cwd, env });
    const { planHash } = applyShape.parse(json(tripped));
    const files = ['.rollcall', 'other.yaml', 'rollcall.yaml'];
    expectRefusal(
      await rollcall(['approve', '0'.repeat(64)], { cwd }),
      cwd,
      files,
      'No stored plan begins with 0000',
      'or that change configurations set by somebody else',
      'GuardrailTripped',
    );
    await rollcall(['apply', '--yes', '--policy', 'other.yaml'], { cwd, env });
    expectRefusal(
      await rollcall(['approve', planHash], { cwd }),
      cwd,
      files,
      'is outdated and cannot be approved',
      'made under policy',
      'GuardrailTripped',
    );
  });

  test('rejects bad arguments', async () => {
    const cwd = place();
    const store = ['--data-dir', join(cwd, 'data')];
    for (const hash of ['abc', 'zz'.repeat(6), `${'a'.repeat(65)}`, 'a b', '']) {
      expect(await refused(['approve', hash, ...store])).toContain('12 to 64 hexadecimal digits');
    }
    const hash = 'a'.repeat(12);
    expect(await refused(['approve', ...store])).toContain("missing required argument 'hash'");
    expect(await refused(['approve', hash, '--reason', ' ', ...store])).toContain('--reason is empty');
    expect(await refused(['approve', hash, '--reason', 'two\nlines', ...store])).toContain('control character');
    expect(await refused(['approve', hash, '--reason', 'x'.repeat(501), ...store])).toContain('501 characters');
  });
});
