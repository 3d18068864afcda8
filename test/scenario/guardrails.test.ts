import { describe, expect, it } from 'vitest';
import { ORGANIZATION_CHAIN } from '../../shared/domain/ledger/entry.ts';
import { startWorld } from '../support/world.ts';
import { checkWorld } from '../support/world-checks.ts';

const HOUR_MS = 3_600_000;
const EVERYTHING_OPEN = { openDrift: () => true };

describe('maxChanges', () => {
  const policy = { guardrails: '{ maxChanges: { percent: 10, atLeast: 3 } }' };

  it('trips before the first change; only a run of the reviewed plan may exceed it', async () => {
    const world = await startWorld({ sandbox: { accounts: 52, drift: 0.2 }, policy });
    const tripped = await world.run();
    expect(tripped.plan.trip?.reason).toBe('maxChanges');
    expect(tripped.changes.attempted).toBe(0);
    expect(world.wire.mutating).toEqual([]);
    const chains = await checkWorld(world, EVERYTHING_OPEN);
    expect(chains.get(ORGANIZATION_CHAIN)?.at(-1)).toMatchObject({ type: 'GuardrailTripped', reason: 'maxChanges' });

    // Since the review someone has opted out another one: it is not in the plan.
    const reviewed = tripped.plan;
    world.sandbox.drift({ accounts: 1, seed: 5 });
    const run = await world.run({ planHash: reviewed.planHash });
    expect(run.changes).toMatchObject({ attempted: reviewed.due.length, succeeded: reviewed.due.length });
    const planned = new Set(reviewed.due.map(({ accountId }) => accountId));
    expect(world.wire.mutating.every(({ caller }) => planned.has(caller))).toBe(true);
    await checkWorld(world, { openDrift: (accountId) => !planned.has(accountId) });

    // Changes of a reviewed plan do not count, so the next run fixes the one that is left.
    expect((await world.run()).open).toEqual([]);
    await checkWorld(world);
  });

  it('is not exceeded by two runs within a day', async () => {
    const world = await startWorld({ sandbox: { accounts: 52, drift: 0.08 }, policy });
    const first = await world.run();
    expect(first.changes.succeeded).toBe(4);
    const changed = new Set(first.plan.due.map(({ accountId }) => accountId));
    const others = world.members(({ accountId }) => !changed.has(accountId)).slice(0, 2);
    world.sandbox.drift({
      changes: others.map(({ accountId }) => ({ accountId, enrollment: 'computeOptimizer', status: 'Inactive' })),
    });
    const second = await world.run();
    expect(second.plan.trip?.reason).toBe('maxChanges');
    expect(world.calls('UpdateEnrollmentStatus')).toBe(4);
    await checkWorld(world, EVERYTHING_OPEN);
  });
});

describe('a run bound to a plan', () => {
  it('also makes changes that waited for another change of the plan', async () => {
    const world = await startWorld({
      sandbox: { accounts: 30, drift: 1 },
      policy: { automation: 'Active', guardrails: '{ maxChanges: { percent: 0, atLeast: 1 } }' },
    });
    const { plan } = await world.run();
    const waiting = plan.changes.filter(({ reason }) => reason === 'prerequisite');
    expect(waiting.length).toBeGreaterThan(20);
    expect(waiting.every(({ action, heldAction }) => action === 'none' && heldAction !== 'none')).toBe(true);
    const run = await world.run({ planHash: plan.planHash });
    expect(run.open).toEqual([]);
    expect(run.changes).toMatchObject({ attempted: plan.changes.length, succeeded: plan.changes.length });
    await checkWorld(world);
  });

  it('reports its changes equally, whichever process made them', async () => {
    const world = await startWorld({ sandbox: { accounts: 40, drift: 0.8 } });
    const [app, other] = [await world.app(), await world.app()];
    let beside: Promise<unknown> = Promise.resolve();
    const run = await world.apply(app, {
      // The other one works in its own time: hurrying through it would end the wait for what it has in flight.
      hurry: false,
      waitMs: 10 * 60_000,
      onPlan: () => {
        beside = world.work(other);
      },
    });
    await beside;
    const due = run.plan.due.length;
    expect(due).toBeGreaterThan(20);
    expect(run.changes).toEqual({ attempted: due, succeeded: due, failed: 0, blocked: 0, converging: 0 });
    await checkWorld(world);
  });
});

describe('maxOptOuts', () => {
  it('allows none by default, even with a saved plan or room in maxChanges', async () => {
    const guardrails = '{ maxChanges: { percent: 100, atLeast: 10 } }';
    const world = await startWorld({
      sandbox: { accounts: 30, drift: 0.1 },
      policy: { guardrails, more: 'rules: [{ id: off, match: { ou: /Sandbox }, computeOptimizer: Inactive }]' },
    });
    const tripped = await world.run();
    expect(tripped.plan.trip?.reason).toBe('maxOptOuts');
    const again = await world.run({ planHash: tripped.plan.planHash });
    expect(again.plan.trip?.reason).toBe('maxOptOuts');
    expect(world.wire.mutating).toEqual([]);
    await checkWorld(world, EVERYTHING_OPEN);
  });

  it('allows its number of opt-outs', async () => {
    const world = await startWorld({
      sandbox: { accounts: 30, drift: 0 },
      policy: {
        guardrails: '{ maxOptOuts: { percent: 0, atLeast: 8 }, maxChanges: { percent: 100, atLeast: 10 } }',
        more: 'rules: [{ id: off, match: { ou: /Sandbox }, computeOptimizer: Inactive }]',
      },
    });
    const inSandbox = world.members(({ ou }) => ou === '/Sandbox').length;
    expect(inSandbox).toBeGreaterThan(1);
    const run = await world.run();
    expect(run.changes).toMatchObject({ attempted: inSandbox, succeeded: inSandbox });
    await checkWorld(world);
  });
});

describe('failureTolerance', () => {
  it('stops a run, and the rest is blocked with the reason', async () => {
    const world = await startWorld({
      sandbox: {
        accounts: 80,
        drift: 0.9,
        faults: [{ operation: 'UpdateEnrollmentStatus', kind: 'denied', code: 'InvalidParameterValueException' }],
      },
      policy: { concurrency: 2 },
    });
    const run = await world.run();
    expect(run.stopped?.reason).toBe('failureTolerance');
    const calls = world.calls('UpdateEnrollmentStatus');
    // 10 % of what was planned, and what the other worker had under way.
    const tolerated = Math.floor(run.plan.due.length / 10);
    expect(calls).toBeGreaterThan(tolerated);
    expect(calls).toBeLessThanOrEqual(tolerated + 2);
    expect(run.changes.failed).toBe(calls);
    expect(run.changes.blocked).toBe(run.plan.due.length - calls);
    await checkWorld(world, { deadLetters: calls });
    // The cause is fixed: after the pauses, the next run makes the remaining changes.
    world.sandbox.setFaults([]);
    world.clock.advance(7 * HOUR_MS);
    const next = await world.run();
    expect(next.open).toEqual([]);
    await checkWorld(world, { deadLetters: calls });
  });

  it('does not count denied roles: one bad account never stops a run', async () => {
    const world = await startWorld({ sandbox: { scenario: 'broken-roles' } });
    const broken = world.members((account) => !account.roleAssumable && account.computeOptimizer.status === 'Inactive');
    const fine = world.members((account) => account.roleAssumable && account.computeOptimizer.status === 'Inactive');
    expect(broken.length).toBeGreaterThan(3);
    const run = await world.run();
    expect(run.changes).toMatchObject({ succeeded: fine.length, blocked: broken.length, failed: 0 });
    expect(run.stopped).toBe(null);
    const records = await world.records();
    for (const { accountId } of broken) {
      expect(records.get(accountId)?.conditions.computeOptimizer).toMatchObject({
        verdict: 'Blocked',
        reason: 'denied',
      });
      expect(records.get(accountId)?.conditions.computeOptimizer?.notBefore).not.toBe(null);
    }
    await checkWorld(world);
    // Someone fixes the roles. The retry delay ends later, without a scan.
    world.sandbox.changeAccounts({ update: broken.map(({ accountId }) => ({ accountId, roleAssumable: true })) });
    world.clock.advance(7 * HOUR_MS);
    expect((await world.run()).open).toEqual([]);
    await checkWorld(world);
  });
});

describe('a dry run', () => {
  it('makes no change, writes no file, and predicts the run', async () => {
    const world = await startWorld({ sandbox: { scenario: 'small' }, policy: { automation: 'Active' } });
    const plan = await world.plan();
    expect(plan.due.length).toBeGreaterThan(0);
    expect(world.wire.mutating).toEqual([]);
    expect(world.files()).toEqual([]);
    const run = await world.run();
    expect(run.plan.planHash).toBe(plan.planHash);
    const before = world.files();
    expect((await world.plan()).changes).toEqual([]);
    expect(world.files()).toEqual(before);
    await checkWorld(world);
  });
});
