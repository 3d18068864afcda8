import { describe, expect, it } from 'vitest';
import { approve } from '../../shared/app/guardrails/approvals.ts';
import { type RolloutView, rolloutView } from '../../shared/app/guardrails/rollout-gate.ts';
import { status } from '../../shared/app/queries/status.ts';
import { ORGANIZATION_CHAIN } from '../../shared/domain/ledger/entry.ts';
import { startWorld, type World } from '../support/world.ts';
import { checkWorld } from '../support/world-checks.ts';
import type { PolicyParts } from '../support/world-policy.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const HELD = { openDrift: () => true };

const staged = (wait = '30m', match = '{ ou: /Canary }'): PolicyParts => ({
  more: `rollout: { canary: { match: ${match}, wait: ${wait} } }`,
});

async function adopting(policy: PolicyParts = staged()): Promise<World> {
  const world = await startWorld({ sandbox: { accounts: 40, drift: 1, seed: 2 }, policy });
  expect(canaries(world).length).toBeGreaterThan(0);
  return world;
}

const canaries = (world: World) => world.members(({ ou }) => ou === '/Canary').map(({ accountId }) => accountId);
const others = (world: World) => world.members(({ ou }) => ou !== '/Canary').map(({ accountId }) => accountId);
const callers = (world: World) => new Set(world.wire.mutating.map(({ caller }) => caller));
const gateOf = (world: World): Promise<RolloutView | null> => world.look(({ registers }) => rolloutView(registers));
const told = async (world: World): Promise<string[]> => {
  const chain = await world.look(({ ledger }) => ledger.read(ORGANIZATION_CHAIN, 0, 1_000));
  return chain.flatMap(({ type, reason }) =>
    type === 'RolloutAdvanced' || type === 'GuardrailTripped' ? [`${type} ${reason}`] : [],
  );
};

/** What the daemon does between scans, in a process of its own: two looks a minute apart, with a look at the canaries between them. */
async function tick(world: World, parts: Parameters<World['app']>[0] = {}): Promise<void> {
  const app = await world.app(parts);
  await world.work(app);
  world.clock.advance(MINUTE);
  await world.work(app);
  await world.stop(app);
}

async function letThrough(world: World, planHash: string): Promise<void> {
  const app = await world.app();
  await approve(app.deps, planHash, { actor: 'user:ada', reason: 'looked into it' });
  await world.stop(app);
}

describe('the first run of a policy with a rollout', () => {
  it('changes the canaries; the rest follows without a scan once they were observed Compliant for the wait', async () => {
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

    // What drifts later under the same policy waits for nobody.
    const [first = ''] = others(world);
    world.sandbox.drift({ changes: [{ accountId: first, enrollment: 'computeOptimizer', status: 'Inactive' }] });
    expect((await world.run()).open).toEqual([]);
    await checkWorld(world);
  });

  it('is done in one apply whose wait is long enough', async () => {
    const world = await adopting(staged('2m'));
    const run = await world.run({ waitMs: 10 * MINUTE });
    expect(run).toMatchObject({ open: [], rollout: null, stopped: null });
    expect(run.changes).toMatchObject({ failed: 0, blocked: 0 });
    expect(run.changes.succeeded).toBe(run.plan.changes.length);
    await checkWorld(world);
  });

  it('a scan while the canaries are waited for writes nothing about the accounts that wait', async () => {
    const world = await adopting();
    await world.run();
    const before = await world.records();
    const again = await world.run();
    expect(again.plan.due).toEqual([]);
    const after = await world.records();
    for (const id of others(world)) expect(after.get(id)?.head).toEqual(before.get(id)?.head);
    await checkWorld(world, HELD);
  });

  it('goes on where nothing is enforced in any canary, and says so', async () => {
    const world = await adopting(staged('30m', '{ ou: /Nowhere }'));
    const run = await world.run();
    expect(run).toMatchObject({ open: [], rollout: null });
    expect(await told(world)).toEqual(['RolloutAdvanced noCanary']);
    await checkWorld(world);
  });

  it('holds what only a saved plan allows as well', async () => {
    const world = await adopting();
    const first = await world.run();
    const app = await world.app();
    await world.stop(app);
    await world.run({ planHash: first.plan.planHash });
    expect([...callers(world)].sort()).toEqual(canaries(world).sort());
    await checkWorld(world, HELD);
  });
});

describe('a canary that is set back during the wait', () => {
  const setBack = (world: World, accountId: string) =>
    world.sandbox.drift({ changes: [{ accountId, enrollment: 'computeOptimizer', status: 'Inactive' }] });

  it('is seen before the gate opens, though no event and no scan has told of it, and the wait begins anew', async () => {
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

  it('keeps the gate closed where it does not come about again', async () => {
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
    expect(run.rollout?.message).toContain('deadLettered');
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

  it('block it also by stalling', async () => {
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
  it('a policy that is edited begins anew with its own canaries', async () => {
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

  it('a canary that leaves is not waited for; where none is left, an operator decides', async () => {
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

  it('what would go past maxChanges when it opens is not begun: the plan can be approved', async () => {
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

  it('a process that opened it and died before it released anything: another one does', async () => {
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

it('composes a dry run that can read the gate and can write nothing', async () => {
  const world = await adopting();
  await world.run();
  const app = await world.app({ readOnly: true });
  expect((await rolloutView(app.deps.registers))?.phase).toBe('waiting');
  await expect(app.deps.registers.write('rollout', {}, null)).rejects.toThrow('writes nothing');
});
