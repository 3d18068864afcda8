import { expect, test } from 'vitest';
import { accountShape, applyShape, planShape, statusShape } from './shapes.ts';
import { ENROLL, json, place, rollcall, world } from './support.ts';

const STAGED = `${ENROLL}rollout: { canary: { match: { ou: /Canary }, wait: 30m } }\n`;

test('in a rollout, apply changes the canaries, exits 3 and says when the rest follows; every command shows it', async () => {
  const { env, running } = await world({ accounts: 40, drift: 1, seed: 2 });
  const cwd = place({ 'rollcall.yaml': STAGED });
  const plan = planShape.parse(json(await rollcall(['plan', '--json'], { cwd, env })));
  const held = plan.changes.filter(({ reason }) => reason === 'rollout');
  expect(plan.rollout).toMatchObject({ held: held.length, opensAt: null });
  expect(
    held.every(
      ({ verdict, action, heldAction }) =>
        [verdict, action, heldAction].join() === 'Blocked,none,UpdateEnrollmentStatus',
    ),
  ).toBe(true);

  const made = await rollcall(['apply', '--yes', '--json', '--wait', '1s'], { cwd, env });
  expect(made.code).toBe(3);
  const { rollout, changes, planHash } = applyShape.parse(json(made));
  expect(planHash).toBe(plan.planHash);
  expect(changes).toMatchObject({ attempted: 2, succeeded: 2, blocked: held.length });
  expect(rollout).toMatchObject({ phase: 'waiting', canaries: 2 });
  const active = running.sandbox
    .accounts()
    .filter(({ ou, computeOptimizer }) => ou === '/Canary' && computeOptimizer.status === 'Active');
  expect(active).toHaveLength(2);

  const [status, text, account, again] = await Promise.all([
    rollcall(['status', '--json'], { cwd }),
    rollcall(['status'], { cwd }),
    rollcall(['account', held[0]?.accountId ?? '', '--json'], { cwd }),
    rollcall(['plan'], { cwd, env }),
  ]);
  expect(statusShape.parse(json(status)).rollout).toEqual(rollout);
  expect(text.stdout).toContain(
    `Rollout: 2 canaries first; the canaries are Compliant; if they stay so, the rest follows at ${rollout?.opensAt}`,
  );
  const shown = accountShape.parse(json(account));
  expect(shown.rollout).toEqual(rollout);
  expect(shown.enrollments.computeOptimizer).toMatchObject({ verdict: 'Blocked', reason: 'rollout' });
  expect(again.stdout).toContain(`Held back: ${held.length} changes: rollout: the canaries are Compliant`);
});
