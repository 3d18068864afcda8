import { describe, expect, it } from 'vitest';
import { SCENARIOS } from '../../services/sandbox/scenarios.ts';
import { startWorld } from '../support/world.ts';
import { checkWorld } from '../support/world-checks.ts';

const HOUR_MS = 3_600_000;
const ALL_ACTIVE = { automation: 'Active', organizationRules: 'AnyAllowed' };

describe('an organization that drifted', () => {
  it('converges in one run', async () => {
    const world = await startWorld({ sandbox: { scenario: 'small' } });
    const drifted = world.members((account) => account.computeOptimizer.status === 'Inactive').length;
    const run = await world.run();
    expect(run.changes).toEqual({ attempted: drifted, succeeded: drifted, failed: 0, blocked: 0, converging: 0 });
    expect(drifted).toBeGreaterThan(0);
    expect(world.calls('UpdateEnrollmentStatus')).toBe(drifted);
    await checkWorld(world);
  });

  it('is not changed a second time', async () => {
    const world = await startWorld({ sandbox: { scenario: 'small' }, policy: ALL_ACTIVE });
    await world.run();
    const chains = await checkWorld(world);
    const before = world.wire.mutating.length;
    const again = await world.run();
    expect(again.plan.changes).toEqual([]);
    expect(again.changes.attempted).toBe(0);
    expect(world.wire.mutating.length).toBe(before);
    const after = await checkWorld(world);
    // The second scan adds nothing to the accounts' chains: writes grow with drift, not with accounts.
    for (const [chain, entries] of after) {
      if (chain !== 'organization') expect(entries.length).toBe(chains.get(chain)?.length);
    }
  });

  it('converges under throttling per caller and of all changes', async () => {
    const { rate, orgRate } = SCENARIOS.demo;
    const world = await startWorld({ sandbox: { accounts: 100, drift: 0.2, rate, orgRate } });
    const run = await world.run({ waitMs: HOUR_MS });
    expect(run.changes.failed + run.changes.blocked).toBe(0);
    expect(run.open).toEqual([]);
    await checkWorld(world);
  });

  it('converges under all faults of a network and a busy service', async () => {
    const faults = SCENARIOS.stormy.faults.map((fault) => (fault.kind === 'slow' ? { ...fault, delayMs: 20 } : fault));
    const world = await startWorld({
      sandbox: { scenario: 'stormy', latencyMs: 0, accounts: 100, faults },
      policy: { ...ALL_ACTIVE },
    });
    const run = await world.run({ waitMs: 24 * HOUR_MS });
    expect(run.open).toEqual([]);
    await checkWorld(world, { repeatedCalls: true });
  });

  it('enables Compute Optimizer first, then Automation, in one run, the management account with its own credentials', async () => {
    const world = await startWorld({ sandbox: { accounts: 30, drift: 0.5 }, policy: ALL_ACTIVE });
    world.sandbox.drift({
      changes: [{ accountId: world.managementId, enrollment: 'computeOptimizer', status: 'Inactive' }],
    });
    // Its Automation went off with it; that is long enough ago to be on again.
    world.clock.advance(25 * HOUR_MS);
    const run = await world.run();
    expect(run.open).toEqual([]);
    for (const account of world.truth().filter(({ state }) => state === 'ACTIVE')) {
      expect(account.computeOptimizer.status).toBe('Active');
      expect(account.automation.status).toBe('Active');
    }
    const own = world.wire.mutating.filter(
      ({ caller, operation }) => caller === world.managementId && operation.startsWith('Update'),
    );
    expect(own.map(({ operation }) => operation)).toEqual(['UpdateEnrollmentStatus', 'UpdateEnrollmentConfiguration']);
    // Enabling it again brings back the management account's associations, which a batch may be asking for at that moment.
    await checkWorld(world, { repeatedCalls: true });
  });
});
