import { describe, expect, it } from 'vitest';
import { startWorld } from '../support/world.ts';
import { checkWorld } from '../support/world-checks.ts';

const HOUR_MS = 3_600_000;

describe('a change that stays Pending', () => {
  it('is Converging, is read again without another call, and converges', async () => {
    const world = await startWorld({ sandbox: { scenario: 'pending', pendingMs: HOUR_MS } });
    const drifted = world.members(({ computeOptimizer }) => computeOptimizer.status === 'Inactive').length;
    const first = await world.run();
    expect(first.changes).toMatchObject({ attempted: drifted, succeeded: 0, converging: drifted });
    expect(new Set(first.open.map(({ verdict }) => verdict))).toEqual(new Set(['Converging']));
    await checkWorld(world, { openDrift: () => true });
    world.clock.advance(HOUR_MS);
    const second = await world.run();
    expect(second.open).toEqual([]);
    expect(world.calls('UpdateEnrollmentStatus')).toBe(drifted);
    await checkWorld(world);
  });

  it('is confirmed by polling, within the wait of its run', async () => {
    const world = await startWorld({ sandbox: { scenario: 'pending' } });
    const run = await world.run();
    expect(run.open).toEqual([]);
    expect(run.changes.converging).toBe(0);
    await checkWorld(world);
  });

  it('becomes Stalled once at the deadline, without another call', async () => {
    const world = await startWorld({
      sandbox: { accounts: 30, drift: 0.3, pendingMs: 1_000 * HOUR_MS },
      policy: { more: 'pendingDeadline: 90m' },
    });
    const first = await world.run();
    const { attempted } = first.changes;
    world.clock.advance(1.5 * HOUR_MS + 60_000);
    // The tick finds it, without a scan.
    const app = await world.app();
    await world.work(app);
    await world.stop(app);
    const records = await world.records();
    const stalled = [...records.values()].filter(
      ({ conditions }) => conditions.computeOptimizer?.verdict === 'Stalled',
    );
    expect(stalled.length).toBe(attempted);
    const again = await world.run();
    expect(new Set(again.open.map(({ verdict }) => verdict))).toEqual(new Set(['Stalled']));
    expect(world.calls('UpdateEnrollmentStatus')).toBe(attempted);
    const chains = await checkWorld(world, { openDrift: () => true });
    const entries = [...chains.values()].flat().filter(({ type }) => type === 'ConvergenceStalled');
    expect(entries.length).toBe(attempted);
    // If AWS gets there in the end, it is Compliant like any other.
    world.clock.advance(1_000 * HOUR_MS);
    expect((await world.run()).open).toEqual([]);
    await checkWorld(world);
  });

  it('is a failed attempt if AWS then reports Failed, and is retried once it can succeed', async () => {
    const world = await startWorld({ sandbox: { accounts: 30, drift: 0.2 } });
    const { accountId } = world.member(({ computeOptimizer }) => computeOptimizer.status === 'Inactive');
    const enrollmentFailure = 'The service-linked role could not be created.';
    world.sandbox.changeAccounts({ update: [{ accountId, enrollmentFailure }] });
    const first = await world.run();
    expect(first.open.map((change) => [change.accountId, change.verdict])).toEqual([[accountId, 'Drifted']]);
    expect(first.open[0]?.message).toContain(enrollmentFailure);
    world.sandbox.changeAccounts({ update: [{ accountId, enrollmentFailure: null }] });
    world.clock.advance(HOUR_MS);
    expect((await world.run()).open).toEqual([]);
    await checkWorld(world);
  });
});

describe('an account that opted out of Automation less than 24 hours ago', () => {
  it('waits until then without a call; then the tick enqueues it, without a scan', async () => {
    const world = await startWorld({
      sandbox: { scenario: 'cooldown', drift: 0 },
      policy: {
        more: 'schedule: 24h\nrules: [{ id: automated, match: { ou: [/Workloads/Prod, /Platform] }, automation: Active }]',
      },
    });
    const cooling = world.members(({ ou, automation }) => /Prod|Platform/.test(ou) && automation.status === 'Inactive');
    expect(cooling.length).toBeGreaterThan(5);
    const first = await world.run();
    expect(first.changes).toMatchObject({ attempted: 0, blocked: cooling.length });
    expect(world.wire.mutating).toEqual([]);
    for (const { accountId, reason, notBefore } of first.open) {
      expect(reason).toBe('coolDown');
      const { lastUpdatedTimestamp } = world.truthOf(accountId).automation;
      expect(Date.parse(notBefore ?? '')).toBe(lastUpdatedTimestamp.getTime() + 24 * HOUR_MS);
    }
    await checkWorld(world);

    world.clock.advance(24 * HOUR_MS);
    const listed = world.calls('GetEnrollmentStatusesForOrganization');
    const app = await world.app();
    expect(await world.work(app)).toBe(cooling.length);
    expect(world.calls('GetEnrollmentStatusesForOrganization')).toBe(listed);
    await world.stop(app);
    expect(world.calls('UpdateEnrollmentConfiguration')).toBe(cooling.length);
    await checkWorld(world);
  });

  it('waits too if it would be associated', async () => {
    const world = await startWorld({
      sandbox: { scenario: 'cooldown', drift: 0, accounts: 30 },
      policy: { automation: 'Active', organizationRules: 'AnyAllowed' },
    });
    const first = await world.run();
    expect(new Set(first.open.map(({ reason }) => reason))).toEqual(new Set(['coolDown']));
    world.clock.advance(25 * HOUR_MS);
    expect((await world.run()).open).toEqual([]);
    await checkWorld(world);
  });
});
