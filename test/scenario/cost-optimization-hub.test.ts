import { describe, expect, it } from 'vitest';
import { startWorld } from '../support/world.ts';
import { checkWorld } from '../support/world-checks.ts';

type World = Awaited<ReturnType<typeof startWorld>>;

const statuses = (world: World): ReadonlySet<string> =>
  new Set(world.members().map(({ costOptimizationHub }) => costOptimizationHub.status));
const listings = (world: World): number =>
  world.sandbox
    .calls()
    .filter(({ service, operation }) => service === 'cost-optimization-hub' && operation === 'ListEnrollmentStatuses')
    .reduce((sum, { count }) => sum + count, 0);

describe('Cost Optimization Hub', () => {
  it('is enabled account by account, drifts, and is enabled again', async () => {
    const world = await startWorld({
      sandbox: { accounts: 14, drift: 0 },
      policy: { costOptimizationHub: 'Active' },
    });
    const run = await world.run();
    expect(run.changes).toMatchObject({ failed: 0 });
    expect(statuses(world)).toEqual(new Set(['Active']));
    expect((await world.run()).open).toEqual([]);

    const [member] = world.members();
    const accountId = member?.accountId ?? '';
    world.sandbox.drift({ changes: [{ accountId, enrollment: 'costOptimizationHub', status: 'Inactive' }] });
    const before = world.wire.mutating.length;
    await world.run();
    expect(world.wire.mutating.slice(before).map(({ enrollment, caller }) => [enrollment, caller])).toEqual([
      ['costOptimizationHub', accountId],
    ]);
    expect(statuses(world)).toEqual(new Set(['Active']));
    expect((await world.run()).open).toEqual([]);
    await checkWorld(world);
  });

  it('is enabled by one call for the whole organization, besides that of Compute Optimizer', async () => {
    const world = await startWorld({
      sandbox: { accounts: 60, drift: 0.5 },
      policy: { costOptimizationHub: 'Active', organizationEnrollment: 'auto' },
    });
    const run = await world.run();
    const made = world.wire.mutating.map(({ enrollment, organizationWide }) => [enrollment, organizationWide]);
    // Two workers make the calls, so their order varies.
    expect(made.sort()).toEqual([
      ['computeOptimizer', true],
      ['costOptimizationHub', true],
    ]);
    expect(run.open).toEqual([]);
    expect(statuses(world)).toEqual(new Set(['Active']));
    await checkWorld(world);
  });

  it('is not listed under a policy that does not mention it', async () => {
    const world = await startWorld({ sandbox: { accounts: 14, drift: 0.5 } });
    await world.run();
    expect(listings(world)).toBe(0);
    expect(statuses(world)).toEqual(new Set(['Inactive']));
    await checkWorld(world);
  });

  it('is Unknown, never Inactive, where its listing is denied, and the other enrollments are managed', async () => {
    const world = await startWorld({
      sandbox: { accounts: 14, drift: 0.5 },
      policy: { costOptimizationHub: 'Active' },
    });
    world.sandbox.setFaults([
      { service: 'cost-optimization-hub', operation: 'ListEnrollmentStatuses', kind: 'denied' },
    ]);
    const run = await world.run();
    expect(run.plan.summary.costOptimizationHub).toEqual({ Unknown: expect.any(Number), NotApplicable: 2 });
    expect(world.wire.mutating.every(({ enrollment }) => enrollment === 'computeOptimizer')).toBe(true);
    await checkWorld(world);
  });
});
