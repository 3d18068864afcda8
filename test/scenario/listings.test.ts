import { describe, expect, it } from 'vitest';
import { startWorld } from '../support/world.ts';
import { checkWorld } from '../support/world-checks.ts';
import { changePages } from '../support/world-pages.ts';

/** Automation is wanted where it is, so that few accounts need to be changed. */
const AUTOMATED = 'rules: [{ id: automated, match: { ou: [/Workloads/Prod, /Platform] }, automation: Active }]';

const LISTING = { service: 'compute-optimizer', operation: 'GetEnrollmentStatusesForOrganization' } as const;
const AUTOMATION = { service: 'aco-automation', operation: 'ListAccounts' } as const;
const ACCOUNTS = { service: 'organizations', operation: 'ListAccounts' } as const;

describe('an incomplete listing', () => {
  it('opts out no account because of absence', async () => {
    const world = await startWorld({
      sandbox: { accounts: 130, drift: 0.2, faults: [{ ...LISTING, kind: 'torn-page' }] },
      policy: { computeOptimizer: 'Inactive' },
    });
    const run = await world.run();
    expect(run.plan.trip?.reason ?? null).toBe(null);
    expect(run.plan.due).toEqual([]);
    expect(run.plan.broken).toEqual([
      expect.stringContaining('the Compute Optimizer listing ended early after 100 accounts'),
    ]);
    expect(world.wire.mutating).toEqual([]);
    // Once it is read whole, what the policy wants is done.
    world.sandbox.setFaults([]);
    const again = await world.run();
    expect(again.open).toEqual([]);
    await checkWorld(world);
  });

  it('trips minCoverage before the first change, even if opting in would be harmless', async () => {
    const world = await startWorld({
      sandbox: { accounts: 250, drift: 0.1, faults: [{ ...LISTING, kind: 'torn-page' }] },
    });
    const run = await world.run();
    expect(run.plan.trip?.reason).toBe('minCoverage');
    expect(run.plan.coverage.unknown).toBeGreaterThan(100);
    expect(world.wire.mutating).toEqual([]);
    // Once it is read whole, the run goes through.
    world.sandbox.setFaults([]);
    const again = await world.run();
    expect(again.open).toEqual([]);
    await checkWorld(world);
  });

  it.each([
    ['Compute Optimizer', { ...LISTING, from: 2 }, 3 + 3],
    ['Automation', { ...AUTOMATION, from: 1 }, 1 + 1 + 1],
    ['Organizations', { ...ACCOUNTS, from: 5 }, 11 + 6],
  ])('is survived where only one page of it tears: %s', async (_, where, calls) => {
    const world = await startWorld({
      sandbox: { accounts: 220, drift: 0.1, faults: [{ ...where, kind: 'torn-page', count: 1 }] },
      policy: { more: AUTOMATED },
    });
    const plan = await world.plan();
    expect(plan.broken).toEqual([]);
    expect(plan.coverage).toMatchObject({ listed: 219, unknown: 0 });
    // It was begun again, after the call that the torn page's token failed in.
    const made = world.sandbox
      .calls()
      .filter(({ service, operation }) => service === where.service && operation === where.operation);
    expect(made.reduce((sum, { count }) => sum + count, 0)).toBe(calls);
    const run = await world.run();
    expect(run.open).toEqual([]);
    await checkWorld(world);
  });

  it('continues after empty pages', async () => {
    const empty = { kind: 'empty-page', probability: 0.5 } as const;
    const world = await startWorld({
      sandbox: {
        accounts: 250,
        drift: 0.1,
        faults: [LISTING, AUTOMATION, ACCOUNTS].map((where) => ({ ...where, ...empty })),
      },
      policy: { more: AUTOMATED },
    });
    const run = await world.run();
    expect(run.plan.coverage).toMatchObject({ listed: 249, unknown: 0 });
    expect(run.open).toEqual([]);
    await checkWorld(world);
  });
});

describe('listings that do not agree', () => {
  it('an account that is listed twice counts with its newest state', async () => {
    const world = await startWorld({ sandbox: { accounts: 230, drift: 0.1 } });
    const [first] = world.truth();
    const twice = world.members().find(({ accountId }) => accountId !== first?.accountId)?.accountId ?? '';
    world.sandbox.drift({ changes: [{ accountId: twice, enrollment: 'computeOptimizer', status: 'Inactive' }] });
    // The first page lists its old state, the second its new one.
    changePages(world, (page, number) => {
      if (number === 1) {
        expect(page.map(({ accountId }) => accountId)).toContain(twice);
        world.clock.advance(1_000);
        world.sandbox.drift({ changes: [{ accountId: twice, enrollment: 'computeOptimizer', status: 'Active' }] });
      }
      const { computeOptimizer } = world.truthOf(twice);
      return number === 2 ? [...page, { accountId: twice, ...computeOptimizer }] : page;
    });
    const run = await world.run();
    // It opted in between the two pages, so no change is needed.
    expect(run.plan.due.map((change) => change.accountId)).not.toContain(twice);
    expect(world.calls('UpdateEnrollmentStatus', twice)).toBe(0);
    await checkWorld(world);
  });

  it('an account that the Compute Optimizer listing omits is read through its role', async () => {
    const world = await startWorld({ sandbox: { accounts: 30, drift: 0.3 } });
    const [drifted] = world.members(({ computeOptimizer }) => computeOptimizer.status === 'Inactive');
    const [fine] = world.members(({ computeOptimizer }) => computeOptimizer.status === 'Active');
    const omitted = [drifted?.accountId, fine?.accountId];
    changePages(world, (page) => page.filter(({ accountId }) => !omitted.includes(accountId)));
    const run = await world.run();
    expect(run.plan.coverage.listed).toBe(27);
    expect(run.plan.coverage.unknown).toBe(0);
    expect(run.open).toEqual([]);
    await checkWorld(world);
  });

  it('an account that cannot be read through its role either is Unknown, and not changed', async () => {
    const world = await startWorld({
      sandbox: { accounts: 40, drift: 0.1, brokenRoles: 0.03 },
      policy: {
        computeOptimizer: 'Inactive',
        guardrails:
          '{ minCoverage: 50, maxOptOuts: { percent: 100, atLeast: 0 }, maxChanges: { percent: 100, atLeast: 0 } }',
      },
    });
    const { accountId } = world.member(({ roleAssumable }) => !roleAssumable);
    changePages(world, (page) => page.filter((listed) => listed.accountId !== accountId));
    const run = await world.run();
    expect(run.plan.coverage.unknown).toBe(1);
    expect(run.plan.deniedRoles).toEqual([{ accountId, accountName: expect.any(String) }]);
    const record = (await world.records()).get(accountId);
    expect(record?.conditions.computeOptimizer).toMatchObject({ verdict: 'Unknown', reason: 'denied' });
    await checkWorld(world);
  });

  it('closed accounts are never changed, whatever the listing shows', async () => {
    const world = await startWorld({ sandbox: { accounts: 60, drift: 0 }, policy: { more: AUTOMATED } });
    const closed = world.truth().filter(({ state }) => state !== 'ACTIVE');
    expect(closed.length).toBeGreaterThan(1);
    world.sandbox.drift({
      changes: closed.map(({ accountId }) => ({ accountId, enrollment: 'computeOptimizer', status: 'Inactive' })),
    });
    await world.run();
    const records = await world.records();
    for (const { accountId } of closed) {
      expect(records.get(accountId)?.conditions.computeOptimizer?.verdict).toBe('NotApplicable');
      expect(world.calls('GetEnrollmentStatus', accountId)).toBe(0);
    }
    await checkWorld(world);
  });

  it('an account that joins between snapshot and listing is found in the same scan', async () => {
    const world = await startWorld({ sandbox: { accounts: 150, drift: 0 } });
    const joining = '999777777777';
    let listing = false;
    world.wire.onAnswer = ({ operation }) => {
      if (operation !== LISTING.operation || !listing) return undefined;
      listing = false;
      world.sandbox.changeAccounts({ add: [{ accountId: joining, ou: '/Sandbox' }] });
      return undefined;
    };
    await world.run();
    listing = true;
    const run = await world.run();
    expect(run.plan.coverage).toMatchObject({ unknown: 0 });
    expect(world.truthOf(joining).computeOptimizer.status).toBe('Active');
    const chains = await checkWorld(world);
    expect(
      chains
        .get(joining)
        ?.map(({ type }) => type)
        .slice(0, 2),
    ).toEqual(['AccountJoined', 'DriftDetected']);
  });
});
