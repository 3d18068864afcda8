import { describe, expect, it } from 'vitest';
import { halt, unhalt } from '../../shared/app/guardrails/controls.ts';
import { settleControls } from '../../shared/app/operator/apply-controls.ts';
import { status } from '../../shared/app/queries/status.ts';
import { startWorld } from '../support/world.ts';
import { checkWorld } from '../support/world-checks.ts';
import { ALL } from './operator-steps.ts';

describe('the kill switch', () => {
  it('lets a run plan but make no change; afterwards everything continues', async () => {
    const world = await startWorld({ sandbox: { accounts: 20, drift: 0.4 }, policy: ALL });
    const app = await world.app();
    const deps = { ...app.deps, actor: 'alice' };
    await halt(deps, 'incident 7');
    expect((await halt({ ...app.deps, actor: 'bob' }, null)).controls.halt).toMatchObject({ by: 'alice' });
    await settleControls(deps);
    const plan = await world.plan();
    expect(plan.trip).toMatchObject({ reason: 'halted' });
    expect(plan.trip?.message).toContain('by alice: incident 7');
    expect(plan.due.length).toBeGreaterThan(0);
    const run = await world.run();
    expect(run.plan.trip?.reason).toBe('halted');
    expect(world.wire.mutating).toEqual([]);
    expect((await world.look((store) => status(store))).halted).toMatchObject({ by: 'alice', reason: 'incident 7' });
    expect(await unhalt(deps)).toBe(true);
    expect(await unhalt(deps)).toBe(false);
    await settleControls(deps);
    expect((await world.run()).open).toEqual([]);
    await checkWorld(world);
    const types = [];
    for (const type of ['EnforcementHalted', 'EnforcementResumed', 'GuardrailTripped'] as const) {
      types.push((await app.deps.ledger.query({ type }, { limit: 10 })).entries.length);
    }
    expect(types).toEqual([1, 1, 0]);
  });

  it('stops a run in every process, loses no key, and lets everything continue after unhalt', async () => {
    const world = await startWorld({ sandbox: { accounts: 60, drift: 0.8 }, policy: { ...ALL, concurrency: 3 } });
    const operator = await world.app();
    const deps = { ...operator.deps, actor: 'alice' };
    let at = Number.POSITIVE_INFINITY;
    let done = Promise.resolve();
    let seen = 0;
    // Another process on the same store works on the same keys.
    const other = await world.app();
    let others: Promise<unknown> = Promise.resolve();
    const run = await world.run({
      onPlan: () => {
        others = world.work(other);
      },
      onProgress: ({ kind }) => {
        if (kind !== 'worked' || ++seen !== 3) return;
        done = halt(deps, null).then(async () => {
          at = world.clock.now();
          await settleControls(deps);
        });
      },
    });
    await Promise.all([done, others]);
    expect(run.stopped?.reason).toBe('halted');
    const before = world.wire.mutating.length;
    expect(world.wire.mutating.filter((call) => call.at > at + 1_000)).toEqual([]);
    const open = world.members(({ computeOptimizer }) => computeOptimizer.status !== 'Active');
    expect(open.length).toBeGreaterThan(0);
    await unhalt(deps);
    await settleControls(deps);
    await world.work(other);
    expect(world.members(({ computeOptimizer }) => computeOptimizer.status !== 'Active')).toEqual([]);
    expect(world.wire.mutating.length).toBe(before + open.length);
    await checkWorld(world);
  });
});
