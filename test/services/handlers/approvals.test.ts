import { describe, expect, it } from 'vitest';
import { approve } from '../../../shared/app/guardrails/approvals.ts';
import { rolloutView } from '../../../shared/app/guardrails/rollout-gate.ts';
import { status } from '../../../shared/app/queries/status.ts';
import { type Functions, functionsOf } from './functions.ts';
import { type Deployment, deploy } from './support.ts';

const MINUTE = 60_000;

const inactive = ({ sandbox }: Deployment): string[] =>
  sandbox.sandbox
    .accounts()
    .filter(({ state, computeOptimizer }) => state === 'ACTIVE' && computeOptimizer.status !== 'Active')
    .map(({ accountId }) => accountId);

async function workOff({ work }: Functions): Promise<void> {
  for (let batch = await work(); batch !== null; batch = await work()) expect(batch.failed).toEqual([]);
}

describe('approve in the aws runtime', () => {
  it('takes effect with the next tick, which makes the changes of the stored plan', async () => {
    const guardrails = '{ maxChanges: { percent: 0, atLeast: 2 } }';
    const world = await deploy({ sandbox: { accounts: 10, drift: 0.5 }, policy: { guardrails } });
    const functions = functionsOf(world);
    await functions.tick();
    expect(await functions.scan()).toMatchObject([{ result: 'done' }]);
    expect(await functions.work()).toBeNull();
    const { stores, clock, newId } = await world.compose('cli')();
    const { guardrail } = await status(stores);
    expect(guardrail).toMatchObject({ reason: 'maxChanges' });
    expect(await functions.tick()).toMatchObject({ scanRequested: null });

    const before = inactive(world).length;
    const deps = { ...stores, clock, newId };
    const both = await Promise.allSettled([
      approve(deps, guardrail?.planHash ?? '', { actor: 'user:ada', reason: 'reviewed' }),
      approve(deps, guardrail?.planHash ?? '', { actor: 'user:grace', reason: null }),
    ]);
    expect(both.map((one) => one.status).sort()).toEqual(['fulfilled', 'rejected']);
    expect((await functions.tick()).scanRequested).not.toBeNull();
    expect(await functions.scan()).toMatchObject([{ result: 'done' }]);
    await workOff(functions);
    expect(before).toBeGreaterThan(2);
    expect(inactive(world)).toEqual([]);
    await functions.tick();
    expect(world.events('Plan Approved')).toHaveLength(1);
    expect((await status(stores)).guardrail).toBeNull();
  });
});

describe('a rollout in the aws runtime', { timeout: 180_000 }, () => {
  it('is continued by the tick once the canaries were observed Compliant', async () => {
    const more = 'rollout: { canary: { match: { ou: /Canary }, wait: 30m } }';
    const world = await deploy({ sandbox: { accounts: 40, drift: 1, seed: 2 }, policy: { more } });
    const functions = functionsOf(world);
    await functions.tick();
    await functions.scan();
    await workOff(functions);
    const { stores } = await world.compose('cli')();
    await functions.tick();
    expect(await rolloutView(stores.registers)).toMatchObject({ phase: 'waiting', canaries: 2 });
    const canaries = world.sandbox.sandbox.accounts().filter(({ ou }) => ou === '/Canary');
    for (const { computeOptimizer } of canaries) expect(computeOptimizer.status).toBe('Active');
    const held = inactive(world).length;
    expect(held).toBeGreaterThan(20);

    world.clock.advance(28 * MINUTE);
    await functions.tick();
    expect(await functions.work()).toBeNull();
    world.clock.advance(1.5 * MINUTE);
    await functions.tick();
    // Only the canaries are read again before the gate opens.
    await workOff(functions);
    expect(inactive(world).length).toBe(held);
    world.clock.advance(MINUTE);
    expect(await functions.tick()).toMatchObject({ scanRequested: null });
    await workOff(functions);
    expect(inactive(world)).toEqual([]);
    await functions.tick();
    expect(world.events('Rollout Advanced').map(({ detail }) => detail)).toMatchObject([
      { reason: 'canary' },
      { reason: 'waiting' },
      { reason: 'open' },
    ]);
  });
});
