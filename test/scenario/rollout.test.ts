import { describe, expect, it } from 'vitest';
import { rolloutView } from '../../shared/app/guardrails/rollout-gate.ts';
import { status } from '../../shared/app/queries/status.ts';
import type { World } from '../support/world.ts';
import { checkWorld } from '../support/world-checks.ts';
import {
  adopting,
  callers,
  canaries,
  gateOf,
  HELD,
  HOUR,
  MINUTE,
  others,
  staged,
  tick,
  told,
} from './rollout-steps.ts';

describe('the first run of a policy with a rollout', () => {
  it('changes the canaries; the rest follows without a scan once they have been Compliant for the wait', async () => {
    const world = await adopting();
    const planned = await world.plan();
    expect(new Set(planned.due.map(({ accountId }) => accountId))).toEqual(new Set(canaries(world)));
    expect(planned.changes.filter(({ reason }) => reason === 'rollout')).toHaveLength(
      planned.changes.length - planned.due.length,
    );

    const run = await world.run();
    expect(run.plan.planHash).toBe(planned.planHash);
    expect([...callers(world)].sort()).toEqual(canaries(world).sort());
    expect(run.changes).toMatchObject({ succeeded: canaries(world).length, failed: 0 });
    expect(run.changes.blocked).toBe(run.plan.changes.length - canaries(world).length);
    expect(run.rollout).toMatchObject({ phase: 'waiting', canaries: canaries(world).length });
    await checkWorld(world, HELD);
    const { rollout, open } = await world.look(status);
    expect(rollout).toEqual(run.rollout);
    expect(open).toMatchObject([{ verdict: 'Blocked', reason: 'rollout' }]);

    // Another process, a little too early, and then in time. The scan of the first run stays the only one.
    const opensAt = Date.parse(rollout?.opensAt ?? '');
    world.clock.advanceTo(opensAt - 2 * MINUTE);
    await tick(world);
    expect([...callers(world)].sort()).toEqual(canaries(world).sort());
    world.clock.advanceTo(opensAt);
    await tick(world);
    expect(await gateOf(world)).toBeNull();
    for (const id of others(world)) expect(world.truthOf(id).computeOptimizer.status).toBe('Active');
    expect(await told(world)).toEqual(['RolloutAdvanced canary', 'RolloutAdvanced waiting', 'RolloutAdvanced open']);
    await checkWorld(world);

    // Later drift under the same policy is remediated without a wait.
    const [first = ''] = others(world);
    world.sandbox.drift({ changes: [{ accountId: first, enrollment: 'computeOptimizer', status: 'Inactive' }] });
    expect((await world.run()).open).toEqual([]);
    await checkWorld(world);
  });

  it('finishes in one apply with a long enough wait', async () => {
    const world = await adopting(staged('2m'));
    const run = await world.run({ waitMs: 10 * MINUTE });
    expect(run).toMatchObject({ open: [], rollout: null, stopped: null });
    expect(run.changes).toMatchObject({ failed: 0, blocked: 0 });
    expect(run.changes.succeeded).toBe(run.plan.changes.length);
    await checkWorld(world);
  });

  it('a scan during the wait for the canaries writes nothing about waiting accounts', async () => {
    const world = await adopting();
    await world.run();
    const before = await world.records();
    const again = await world.run();
    expect(again.plan.due).toEqual([]);
    const after = await world.records();
    for (const id of others(world)) expect(after.get(id)?.head).toEqual(before.get(id)?.head);
    await checkWorld(world, HELD);
  });

  it('continues if nothing is enforced in any canary, and says so', async () => {
    const world = await adopting(staged('30m', '{ ou: /Nowhere }'));
    const run = await world.run();
    expect(run).toMatchObject({ open: [], rollout: null });
    expect(await told(world)).toEqual(['RolloutAdvanced noCanary']);
    await checkWorld(world);
  });

  it('also delays changes that only a saved plan permits', async () => {
    const world = await adopting();
    const first = await world.run();
    const app = await world.app();
    await world.stop(app);
    await world.run({ planHash: first.plan.planHash });
    expect([...callers(world)].sort()).toEqual(canaries(world).sort());
    await checkWorld(world, HELD);
  });
});

describe('a canary that is reverted during the wait', () => {
  const setBack = (world: World, accountId: string) =>
    world.sandbox.drift({ changes: [{ accountId, enrollment: 'computeOptimizer', status: 'Inactive' }] });

  it('is detected before the gate opens, without an event or a scan, and the wait starts over', async () => {
    const world = await adopting();
    await world.run();
    const [first = ''] = canaries(world);
    setBack(world, first);
    world.clock.advance(HOUR);
    await tick(world);
    expect(world.truthOf(first).computeOptimizer.status).toBe('Active');
    expect([...callers(world)].sort()).toEqual(canaries(world).sort());
    const gate = await gateOf(world);
    expect(gate).toMatchObject({ phase: 'waiting' });
    expect(Date.parse(gate?.opensAt ?? '')).toBeGreaterThan(world.clock.now() + 20 * MINUTE);
    await checkWorld(world, HELD);
    world.clock.advance(HOUR);
    await tick(world);
    expect(await gateOf(world)).toBeNull();
    await checkWorld(world);
  });

  it('keeps the gate closed if it does not become compliant again', async () => {
    const world = await adopting();
    await world.run();
    const [first = ''] = canaries(world);
    setBack(world, first);
    world.sandbox.setFaults([{ operation: 'UpdateEnrollmentStatus', accountId: first, kind: 'unavailable' }]);
    world.clock.advance(HOUR);
    await tick(world);
    expect(await gateOf(world)).toMatchObject({ phase: 'canary', opensAt: null });
    for (const id of others(world)) expect(world.truthOf(id).computeOptimizer.status).toBe('Inactive');
  });
});

it('composes a dry run that can read the gate and can write nothing', async () => {
  const world = await adopting();
  await world.run();
  const app = await world.app({ readOnly: true });
  expect((await rolloutView(app.deps.registers))?.phase).toBe('waiting');
  await expect(app.deps.registers.write('rollout', {}, null)).rejects.toThrow('writes nothing');
});
