import { describe, expect, it } from 'vitest';
import { approve } from '../../shared/app/guardrails/approvals.ts';
import { startWorld, type World } from '../support/world.ts';
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

async function letThrough(world: World, planHash: string): Promise<void> {
  const app = await world.app();
  await approve(app.deps, planHash, { actor: 'user:ada', reason: 'looked into it' });
  await world.stop(app);
}

describe('canaries that fail', () => {
  it('block the rest until an operator approves it', async () => {
    const world = await adopting();
    const faults = canaries(world).map((accountId) => {
      return {
        operation: 'UpdateEnrollmentStatus',
        accountId,
        kind: 'denied',
        code: 'InvalidParameterValueException',
      } as const;
    });
    world.sandbox.setFaults(faults);
    const run = await world.run();
    expect(run.rollout).toMatchObject({ phase: 'blocked', planHash: run.plan.planHash });
    expect(run.rollout?.message).toContain('given up');
    expect(await told(world)).toEqual(['RolloutAdvanced canary', 'GuardrailTripped rollout']);
    world.sandbox.setFaults([]);
    world.clock.advance(3 * HOUR);
    await tick(world);
    for (const id of others(world)) expect(world.truthOf(id).computeOptimizer.status).toBe('Inactive');

    await letThrough(world, run.plan.planHash);
    const after = await world.run();
    expect(after.plan.approval).toMatchObject({ planHash: run.plan.planHash });
    expect(await gateOf(world)).toBeNull();
    for (const id of others(world)) expect(world.truthOf(id).computeOptimizer.status).toBe('Active');
    expect((await told(world)).at(-1)).toBe('RolloutAdvanced approved');
    await checkWorld(world, { deadLetters: canaries(world).length, openDrift: (id) => canaries(world).includes(id) });
  });

  it('block the rest by stalling too', async () => {
    const world = await startWorld({
      sandbox: { accounts: 40, drift: 1, seed: 2, pendingMs: 60 * HOUR },
      policy: { more: `${staged().more}\npendingDeadline: 1h` },
    });
    await world.run();
    expect(await gateOf(world)).toMatchObject({ phase: 'canary' });
    world.clock.advance(90 * MINUTE);
    await tick(world);
    await tick(world);
    expect(await gateOf(world)).toMatchObject({ phase: 'blocked' });
    expect([...callers(world)].sort()).toEqual(canaries(world).sort());
  });

  it('an approval of the canaries’ own plan, given before they failed, does not open the gate', async () => {
    const guardrails = '{ maxChanges: { percent: 0, atLeast: 1 }, maxOptOuts: { percent: 0, atLeast: 0 } }';
    const world = await adopting({ ...staged(), guardrails });
    const stopped = await world.run();
    expect(stopped.plan.trip?.reason).toBe('maxChanges');
    await letThrough(world, stopped.plan.planHash);
    const run = await world.run();
    expect([...callers(world)].sort()).toEqual(canaries(world).sort());
    expect(run.rollout?.phase).toBe('waiting');
    await checkWorld(world, HELD);
  });
});

describe('while the gate is closed', () => {
  it('an edited policy starts over with its own canaries', async () => {
    const world = await adopting();
    await world.run();
    const edited = staged('30m', '{ ou: /Platform }');
    const platform = world.members(({ ou }) => ou.startsWith('/Platform')).map(({ accountId }) => accountId);
    expect(platform.length).toBeGreaterThan(0);
    const run = await world.run({ policy: edited });
    expect([...callers(world)].sort()).toEqual([...canaries(world), ...platform].sort());
    expect(run.rollout).toMatchObject({ phase: 'waiting', canaries: platform.length });
    world.clock.advance(HOUR);
    await tick(world, { policy: edited });
    expect(await gateOf(world)).toBeNull();
    for (const id of others(world)) expect(world.truthOf(id).computeOptimizer.status).toBe('Active');
    await checkWorld(world);
  });

  it('a canary that leaves is no longer waited for; if none is left, an operator decides', async () => {
    const world = await adopting();
    const [first = '', ...rest] = canaries(world);
    expect(rest.length).toBeGreaterThan(0);
    world.sandbox.setFaults([{ operation: 'UpdateEnrollmentStatus', accountId: first, kind: 'unavailable' }]);
    await world.run({ waitMs: 0 });
    expect(await gateOf(world)).toMatchObject({ phase: 'canary' });
    world.sandbox.changeAccounts({ remove: [first] });
    world.clock.advance(10 * MINUTE);
    await world.run();
    expect((await gateOf(world))?.phase).toBe('waiting');
    world.sandbox.changeAccounts({ remove: rest });
    world.clock.advance(6 * MINUTE);
    await world.run();
    expect(await gateOf(world)).toMatchObject({ phase: 'blocked' });
    expect((await gateOf(world))?.message).toContain('no canary is left');
  });

  it('changes that would exceed maxChanges at its opening are not started: the plan can be approved', async () => {
    const count = (await adopting()).members(({ ou }) => ou === '/Canary').length;
    const guardrails = `{ maxChanges: { percent: 0, atLeast: ${count + 2} } }`;
    const world = await adopting({ ...staged(), guardrails });
    const run = await world.run();
    world.clock.advance(HOUR);
    await tick(world);
    expect(await told(world)).toEqual([
      ...['RolloutAdvanced canary', 'RolloutAdvanced waiting', 'RolloutAdvanced open'],
      'GuardrailTripped maxChanges',
    ]);
    expect([...callers(world)].sort()).toEqual(canaries(world).sort());
    await letThrough(world, run.plan.planHash);
    expect((await world.run()).open).toEqual([]);
    await checkWorld(world);
  });

  it('if a process opens it and dies before it releases anything, another process does', async () => {
    const world = await adopting();
    await world.run();
    world.clock.advance(HOUR);
    const app = await world.app();
    await world.work(app);
    world.clock.advance(MINUTE);
    const dying = {
      ...app.deps,
      queue: { ...app.deps.queue, send: () => Promise.reject(new Error('the process ends here')) },
    };
    const { advanceRollout } = await import('../../shared/app/rollout/rollout-controller.ts');
    await expect(advanceRollout(dying, world.context(app).policy)).rejects.toThrow('ends here');
    await world.work(app);
    expect([...callers(world)].sort()).toEqual(canaries(world).sort());
    world.clock.advance(2 * MINUTE);
    await world.work(app);
    await world.stop(app);
    for (const id of others(world)) expect(world.truthOf(id).computeOptimizer.status).toBe('Active');
    await checkWorld(world);
  });
});
