import { describe, expect, it } from 'vitest';
import { approve } from '../../shared/app/guardrails/approvals.ts';
import { startWorld } from '../support/world.ts';
import { checkWorld } from '../support/world-checks.ts';
import { beat, HELD, HOUR, inactive, told } from './operator-steps.ts';

describe('a closed window', () => {
  const windows = 'schedule: 48h\nwindows: [{ kind: allow, cron: "0 14 * * *", duration: 2h }]';
  const OPENS = Date.parse('2026-11-02T14:00:00.000Z');
  const capped = (atLeast: number, accounts: number, drift: number) =>
    startWorld({
      sandbox: { accounts, drift },
      policy: { guardrails: `{ maxChanges: { percent: 0, atLeast: ${atLeast} } }`, more: windows },
    });

  it('an approval during the closed window is valid when it opens', async () => {
    const world = await capped(3, 40, 0.5);
    const run = await world.run();
    expect(run.plan.trip?.reason).toBe('maxChanges');
    const app = await world.app();
    await approve(app.deps, run.plan.planHash, { actor: 'user:ada', reason: null });
    const second = await world.run();
    expect(second.plan).toMatchObject({ trip: null, approval: { actor: 'user:ada' } });
    expect(world.wire.mutating.length).toBe(0);
    world.clock.advanceTo(OPENS);
    await beat(world, app);
    expect(inactive(world)).toEqual([]);
    expect(await told(world)).toEqual(['PolicyChanged null', 'GuardrailTripped maxChanges', 'PlanApproved null']);
    await checkWorld(world);
  });

  it('an approved run continues in the next window, even after a scan in between', async () => {
    const world = await startWorld({
      sandbox: { accounts: 40, drift: 0.5 },
      policy: {
        concurrency: 1,
        guardrails: '{ maxChanges: { percent: 0, atLeast: 3 } }',
        more: 'schedule: 48h\nwindows: [{ kind: allow, cron: "0 14,18 * * *", duration: 2h }]',
      },
    });
    const { plan } = await world.run();
    const app = await world.app();
    await approve(app.deps, plan.planHash, { actor: 'user:ada', reason: null });
    world.clock.advanceTo(OPENS);
    let worked = 0;
    await world.run({
      onProgress: ({ kind }) => {
        if (kind === 'worked' && ++worked === 5) world.clock.advanceTo(OPENS + 2 * HOUR);
      },
    });
    const left = inactive(world).length;
    expect(left).toBeGreaterThan(3);
    expect(left).toBeLessThan(plan.changes.length);
    const between = await world.run();
    expect(between.plan.trip).toBeNull();
    expect(inactive(world).length).toBe(left);
    world.clock.advanceTo(OPENS + 4 * HOUR);
    await beat(world, app);
    expect(inactive(world)).toEqual([]);
    await checkWorld(world);
  });

  it('new drift since the first scan counts together with waiting drift: nothing is changed', async () => {
    const world = await capped(4, 40, 0.1);
    const first = await world.run();
    expect(first.plan.trip).toBeNull();
    expect(first.plan.changes.length).toBeGreaterThan(1);
    const more = world.members(({ computeOptimizer }) => computeOptimizer.status === 'Active').slice(0, 4);
    world.sandbox.drift({
      changes: more.map(({ accountId }) => ({ accountId, enrollment: 'computeOptimizer', status: 'Inactive' })),
    });
    const second = await world.run();
    expect(second.plan.trip?.reason).toBe('maxChanges');
    const app = await world.app();
    world.clock.advanceTo(OPENS);
    await beat(world, app);
    expect(world.wire.mutating.length).toBe(0);
    expect(await told(world)).toEqual(['PolicyChanged null', 'GuardrailTripped maxChanges']);
    await checkWorld(world, HELD);
  });

  it('a scan that no longer trips releases changes that an earlier one stopped', async () => {
    const world = await capped(4, 40, 0.1);
    const drifted = inactive(world);
    const more = world.members(({ computeOptimizer }) => computeOptimizer.status === 'Active').slice(0, 4);
    const set = (status: 'Active' | 'Inactive') =>
      world.sandbox.drift({
        changes: more.map(({ accountId }) => ({ accountId, enrollment: 'computeOptimizer', status })),
      });
    set('Inactive');
    expect((await world.run()).plan.trip?.reason).toBe('maxChanges');
    set('Active');
    expect((await world.run()).plan.trip).toBeNull();
    const app = await world.app();
    world.clock.advanceTo(OPENS);
    await beat(world, app);
    expect(inactive(world)).toEqual([]);
    expect(world.wire.mutating.length).toBe(drifted.length);
    await checkWorld(world);
  });
});
