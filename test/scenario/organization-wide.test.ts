import { describe, expect, it } from 'vitest';
import { startWorld } from '../support/world.ts';
import { checkWorld } from '../support/world-checks.ts';
import { changePages } from '../support/world-pages.ts';

const AUTO = { organizationEnrollment: 'auto' } as const;
const memberCalls = (world: Awaited<ReturnType<typeof startWorld>>): number =>
  world.wire.mutating.filter(({ organizationWide }) => !organizationWide).length;

describe('the one organization-wide call', () => {
  it('enrolls all accounts in one call, with an intent for each, and is verified by a listing', async () => {
    const world = await startWorld({ sandbox: { accounts: 300, drift: 1 }, policy: AUTO });
    const drifted = world.members().length;
    const run = await world.run();
    expect(world.wire.mutating.length).toBe(1);
    expect(world.wire.mutating[0]?.accounts.length).toBe(drifted);
    expect(run.changes).toMatchObject({ attempted: drifted, succeeded: drifted });
    expect(run.open).toEqual([]);
    await checkWorld(world);
  });

  it('fixes an organization whose trusted access was switched off', async () => {
    const world = await startWorld({ sandbox: { accounts: 60, drift: 0 }, policy: AUTO });
    await world.run();
    world.sandbox.setTrustedAccess(false);
    const run = await world.run();
    expect(world.wire.mutating.map(({ organizationWide }) => organizationWide)).toEqual([true]);
    expect(run.open).toEqual([]);
    await checkWorld(world);
  });

  it('fixes it even if listings are denied without trusted access, while everything else waits', async () => {
    const policy = { ...AUTO, automation: 'Active' };
    const world = await startWorld({ sandbox: { accounts: 60, drift: 0 }, policy });
    await world.run();
    world.sandbox.setTrustedAccess(false);
    const before = world.wire.mutating.length;
    // The scan's listing, and the one that the worker reads right before the call.
    const refused = { operation: 'GetEnrollmentStatusesForOrganization', kind: 'denied', count: 2 } as const;
    world.sandbox.setFaults([refused]);
    const plan = await world.plan();
    expect(plan).toMatchObject({ trip: null, trustedAccess: false, orgWide: { computeOptimizer: { used: true } } });
    expect(new Set(plan.due.map(({ scope }) => scope))).toEqual(new Set(['organization']));
    world.sandbox.setFaults([refused]);
    const run = await world.run();
    const calls = world.wire.mutating.slice(before).map(({ organizationWide }) => organizationWide);
    expect(calls.filter((wide) => wide)).toHaveLength(1);
    expect(calls[0]).toBe(true);
    expect(run.changes.failed).toBe(0);
    for (const { computeOptimizer } of world.members()) expect(computeOptimizer.status).toBe('Active');
    expect((await world.run()).open).toEqual([]);
    await checkWorld(world);
  });

  it('finds its results when they stay Pending for a while', async () => {
    const world = await startWorld({ sandbox: { accounts: 60, drift: 0.8, pendingMs: 20_000 }, policy: AUTO });
    const run = await world.run({ waitMs: 3_600_000 });
    expect(world.wire.mutating.length).toBe(1);
    expect(run.open).toEqual([]);
    await checkWorld(world);
  });

  it.each([
    ['an account must differ', 'rules: [{ id: off, match: { ou: /Sandbox }, computeOptimizer: unmanaged }]'],
    ['an account is only watched', 'rules: [{ id: watched, match: { ou: /Canary }, mode: alert }]'],
  ])('is not made where %s: the others are changed one by one', async (_, more) => {
    const world = await startWorld({ sandbox: { accounts: 40, drift: 0.8 }, policy: { ...AUTO, more } });
    await world.run();
    expect(world.wire.mutating.some(({ organizationWide }) => organizationWide)).toBe(false);
    expect(memberCalls(world)).toBeGreaterThan(10);
    await checkWorld(world, { openDrift: (accountId) => world.truthOf(accountId).ou === '/Canary' });
  });

  it('is not made by default although it is possible; the plan shows that', async () => {
    const world = await startWorld({ sandbox: { accounts: 40, drift: 0.8 } });
    const plan = await world.plan();
    expect(plan.orgWide.computeOptimizer).toMatchObject({ used: false, possible: true });
    await world.run();
    expect(world.wire.mutating.some(({ organizationWide }) => organizationWide)).toBe(false);
    await checkWorld(world);
  });

  it('is not made by a delegated administrator, who lacks the permission', async () => {
    const world = await startWorld({ sandbox: { accounts: 40, drift: 0.8 }, policy: AUTO });
    const { delegatedAdministratorId } = world.running.info;
    const plan = await world.plan({ as: delegatedAdministratorId });
    expect(plan.orgWide.computeOptimizer).toMatchObject({ used: false, possible: false });
    const run = await world.run({ as: delegatedAdministratorId });
    expect(world.wire.mutating.some(({ organizationWide }) => organizationWide)).toBe(false);
    expect(run.open).toEqual([]);
    await checkWorld(world, { notYetCompliant: (accountId) => accountId === world.managementId });
  });

  it('is not made if the state has changed by the time of the call', async () => {
    const world = await startWorld({ sandbox: { accounts: 40, drift: 0.8 }, policy: AUTO });
    const lost = world.member(({ computeOptimizer }) => computeOptimizer.status === 'Inactive').accountId;
    const run = await world.run({
      onPlan: (plan) => {
        expect(plan.orgWide.computeOptimizer?.used).toBe(true);
        // Meanwhile one account can no longer be read, neither from the listing nor through its role.
        world.sandbox.changeAccounts({ update: [{ accountId: lost, roleAssumable: false }] });
        changePages(world, (page) => page.filter(({ accountId }) => accountId !== lost));
      },
    });
    expect(world.wire.mutating.some(({ organizationWide }) => organizationWide)).toBe(false);
    expect(run.open.map(({ accountId }) => accountId)).toEqual([lost]);
    await checkWorld(world, { openDrift: (accountId) => accountId === lost });
  });
});
