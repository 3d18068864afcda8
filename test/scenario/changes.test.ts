import { describe, expect, it } from 'vitest';
import { messagesFor } from '../../shared/app/work-queue/enqueue-plan.ts';
import { ORGANIZATION_CHAIN } from '../../shared/domain/ledger/entry.ts';
import type { WorkMessage } from '../../shared/domain/work-message.ts';
import { startWorld } from '../support/world.ts';
import { checkWorld } from '../support/world-checks.ts';

const HOUR_MS = 3_600_000;
const OWN_ONLY = 'rules: [{ id: own, match: { name: management }, computeOptimizer: Active }]';
const BOTH = { automation: 'Active', organizationRules: 'AnyAllowed' };

describe('an organization that changes', () => {
  it('an account that leaves closes its drift, and starts over if it returns', async () => {
    const world = await startWorld({ sandbox: { accounts: 30, drift: 0.2 }, policy: BOTH });
    await world.run();
    const { accountId, name, ou } = world.member();
    world.sandbox.changeAccounts({ remove: [accountId] });
    world.clock.advance(HOUR_MS);
    await world.run();
    const gone = await checkWorld(world);
    expect(gone.get(accountId)?.at(-1)?.type).toBe('AccountLeft');
    expect((await world.records()).get(accountId)).toMatchObject({
      present: false,
      conditions: { computeOptimizer: { verdict: 'NotApplicable' } },
    });
    world.sandbox.changeAccounts({ add: [{ accountId, name, ou }] });
    world.clock.advance(25 * HOUR_MS);
    expect((await world.run()).open).toEqual([]);
    const back = await checkWorld(world);
    const types = back.get(accountId)?.map(({ type }) => type) ?? [];
    expect(types.slice(types.indexOf('AccountLeft') + 1)[0]).toBe('AccountJoined');
    expect((await world.records()).get(accountId)?.present).toBe(true);
  });

  it('an account that is moved falls under another rule', async () => {
    const world = await startWorld({
      sandbox: { accounts: 40, drift: 0 },
      policy: { more: 'rules: [{ id: off, match: { ou: /Sandbox }, computeOptimizer: Inactive }]' },
    });
    await world.run();
    const { accountId } = world.member(({ ou }) => ou === '/Workloads/Dev');
    world.sandbox.changeAccounts({ update: [{ accountId, ou: '/Sandbox' }] });
    world.clock.advance(HOUR_MS);
    const run = await world.run();
    expect(run.plan.due.map((change) => [change.accountId, change.rule])).toEqual([[accountId, 'off']]);
    expect(world.truthOf(accountId).computeOptimizer.status).toBe('Inactive');
    await checkWorld(world);
  });

  it('a closed account is not changed any further', async () => {
    const world = await startWorld({ sandbox: { accounts: 30, drift: 0 } });
    await world.run();
    const { accountId } = world.member();
    world.sandbox.drift({ changes: [{ accountId, enrollment: 'computeOptimizer', status: 'Inactive' }] });
    world.sandbox.changeAccounts({ update: [{ accountId, state: 'SUSPENDED' }] });
    world.clock.advance(HOUR_MS);
    const run = await world.run();
    expect(run.plan.changes).toEqual([]);
    expect((await world.records()).get(accountId)?.conditions.computeOptimizer?.verdict).toBe('NotApplicable');
    await checkWorld(world);
  });
});

describe('accounts that the policy does not enforce', () => {
  it('mode alert records drift, and changes nothing', async () => {
    const world = await startWorld({ sandbox: { accounts: 40, drift: 0.3 }, policy: { ...BOTH, mode: 'alert' } });
    const run = await world.run();
    expect(run.plan.summary.computeOptimizer.Drifted).toBeGreaterThan(5);
    expect(run.plan.changes.length).toBeGreaterThan(5);
    expect(run.plan.changes.every(({ action }) => action === 'none')).toBe(true);
    expect(world.wire.mutating).toEqual([]);
    const chains = await checkWorld(world, { openDrift: () => true });
    const drift = [...chains.values()].flat().filter(({ type }) => type === 'DriftDetected');
    expect(drift.length).toBeGreaterThan(5);
    // Enforced later, it converges.
    expect((await world.run({ policy: { mode: 'enforce' } })).open).toEqual([]);
    await checkWorld(world);
  });

  it('an exempt account keeps its state, and is remediated the day after the exemption ends', async () => {
    const world = await startWorld({ sandbox: { accounts: 40, drift: 0.3 }, policy: BOTH });
    const { accountId } = world.member(({ computeOptimizer }) => computeOptimizer.status === 'Inactive');
    const more = `exemptions: [{ accounts: ["${accountId}"], until: 2026-11-20, reason: freeze, owner: finops@example.com }]`;
    const run = await world.run({ policy: { more } });
    expect(world.truthOf(accountId).computeOptimizer.status).toBe('Inactive');
    const exempt = run.plan.changes.filter((change) => change.accountId === accountId);
    expect(exempt.map(({ verdict, action }) => [verdict, action])).toContainEqual(['Exempt', 'none']);
    expect(run.open).toEqual([]);
    await checkWorld(world);
    world.clock.advanceTo(Date.UTC(2026, 10, 21, 0, 0, 1));
    expect((await world.run({ policy: { more } })).open).toEqual([]);
    expect(world.truthOf(accountId).computeOptimizer.status).toBe('Active');
    await checkWorld(world);
  });

  it('keys of a policy that has been replaced are dropped', async () => {
    const world = await startWorld({ sandbox: { accounts: 40, drift: 0.4 } });
    const first = await world.app();
    // The first run is interrupted as soon as it has queued its keys.
    const stop = new AbortController();
    const run = await world.apply(first, { stop: stop.signal, onPlan: () => stop.abort() });
    expect(run.plan.due.length).toBeGreaterThan(5);
    expect((await first.deps.queue.depth()).visible).toBe(run.plan.due.length);
    await world.stop(first);
    const second = await world.run({ policy: { computeOptimizer: 'unmanaged', more: OWN_ONLY } });
    expect(second.plan.changes).toEqual([]);
    expect(world.wire.mutating).toEqual([]);
    const chains = await checkWorld(world);
    const policies = chains.get(ORGANIZATION_CHAIN)?.filter(({ type }) => type === 'PolicyChanged');
    expect(policies?.length).toBe(2);
  });
});

describe('messages', () => {
  it('that are duplicated, out of order, late or obsolete change nothing', async () => {
    const world = await startWorld({ sandbox: { accounts: 60, drift: 0.4 }, policy: BOTH });
    const app = await world.app();
    const stop = new AbortController();
    const { plan, runId } = await world.apply(app, { stop: stop.signal, onPlan: () => stop.abort() });
    const { policy } = world.context(app);
    const messages = messagesFor({ runId, policy, planHash: null }, plan.due);
    await app.deps.queue.send(messages);
    // While a worker processes a message, the same accounts arrive again in another order and as individual keys.
    const held = await app.deps.queue.receive(10, 1_000);
    expect(held.length).toBeGreaterThan(5);
    await app.deps.queue.send([...messages].reverse());
    const single = plan.due.map(({ accountId, enrollment }): WorkMessage => {
      return { v: 1, kind: 'account', accountId, enrollment, policyHash: policy.hash, runId, planHash: null };
    });
    await app.deps.queue.send(single);
    world.clock.advance(2_000);
    await world.work(app);
    await app.deps.queue.send([...messages, ...single]);
    await world.work(app);
    expect(
      world.truth().every(({ state, computeOptimizer }) => state !== 'ACTIVE' || computeOptimizer.status === 'Active'),
    ).toBe(true);
    await world.stop(app);
    await checkWorld(world);
    // The next run has no work.
    expect((await world.run()).plan.changes).toEqual([]);
  });

  it('about a compliant account cause only a read', async () => {
    const world = await startWorld({ sandbox: { accounts: 30, drift: 0 } });
    await world.run();
    const app = await world.app();
    const { policy, runId } = world.context(app);
    const keys = world.members().map(({ accountId }): WorkMessage => {
      return {
        v: 1,
        kind: 'account',
        accountId,
        enrollment: 'computeOptimizer',
        policyHash: policy.hash,
        runId,
        planHash: null,
      };
    });
    await app.deps.queue.send(keys);
    await world.work(app);
    expect(world.wire.mutating).toEqual([]);
    await world.stop(app);
    await checkWorld(world);
  });
});
