import { describe, expect, it } from 'vitest';
import type { Fault } from '../../services/sandbox/engine/faults.ts';
import { startWorld } from '../support/world.ts';
import { checkWorld } from '../support/world-checks.ts';

const HOUR_MS = 3_600_000;
/** Without its own Automation the management account has no associations. */
const OWN_STAYS = 'rules: [{ id: own, match: { name: management }, automation: Active }]';
const ASSOCIATED = { automation: 'Active', organizationRules: 'AnyAllowed' };

describe('association in batches', () => {
  it('needs 6 calls for 300 accounts, and no single calls', async () => {
    const world = await startWorld({ sandbox: { accounts: 600, drift: 0 } });
    const ids = world
      .members(({ automation }) => automation.status === 'Inactive')
      .map(({ accountId }) => `"${accountId}"`);
    const match = `{ accounts: [${ids.slice(0, 300).join(', ')}] }`;
    const more = `rules: [{ id: those, match: ${match}, automation: Active, organizationRules: AnyAllowed }]`;
    const run = await world.run({ policy: { more } });
    expect(run.changes).toMatchObject({ attempted: 300, succeeded: 300 });
    expect(world.calls('AssociateAccounts')).toBe(6);
    expect(world.wire.mutating.length).toBe(6);
    expect(world.calls('AssumeRole')).toBe(0);
    await checkWorld(world);
  });

  it('retries an account by itself if AWS omits it from a batch', async () => {
    const world = await startWorld({ sandbox: { accounts: 60, drift: 0 }, policy: ASSOCIATED });
    const [failing] = world.members(({ automation }) => automation.status === 'Inactive');
    const accountId = failing?.accountId ?? '';
    world.sandbox.changeAccounts({ update: [{ accountId, enrollmentFailure: 'The role could not be created.' }] });
    const first = await world.run();
    expect(first.open.map((change) => change.accountId)).toEqual([accountId]);
    expect(first.changes.succeeded).toBe(first.plan.due.length - 1);
    await checkWorld(world, { openDrift: (id) => id === accountId });
    world.sandbox.changeAccounts({ update: [{ accountId, enrollmentFailure: null }] });
    world.clock.advance(HOUR_MS);
    expect((await world.run()).open).toEqual([]);
    await checkWorld(world);
  });

  it('continues one by one if a whole batch is rejected', async () => {
    const faults: Fault[] = [
      { operation: 'AssociateAccounts', kind: 'denied', code: 'InvalidParameterValueException', count: 1 },
    ];
    const world = await startWorld({ sandbox: { accounts: 40, drift: 0, faults }, policy: ASSOCIATED });
    const run = await world.run();
    expect(run.open).toEqual([]);
    await checkWorld(world);
  });

  it('repeats a batch with a lost answer with the same token, so that AWS does nothing twice', async () => {
    const faults: Fault[] = [{ operation: 'AssociateAccounts', kind: 'reset', count: 2 }];
    const world = await startWorld({ sandbox: { accounts: 40, drift: 0, faults }, policy: ASSOCIATED });
    const run = await world.run();
    expect(run.open).toEqual([]);
    const [first, second] = world.wire.mutating;
    expect(second?.accounts.map(({ intentId }) => intentId)).toEqual(first?.accounts.map(({ intentId }) => intentId));
    await checkWorld(world, { repeatedCalls: true });
  });
});

describe('leaving Automation', () => {
  it('disassociates, then disables each account separately', async () => {
    const world = await startWorld({
      sandbox: { accounts: 60, drift: 0.1 },
      policy: { automation: 'Inactive', organizationRules: 'NoneAllowed', more: OWN_STAYS },
    });
    const associated = world.members(({ automation }) => automation.organizationRuleMode === 'AnyAllowed');
    expect(associated.length).toBeGreaterThan(10);
    const run = await world.run();
    expect(run.open).toEqual([]);
    expect(world.calls('DisassociateAccounts')).toBe(1);
    for (const { accountId } of associated) {
      expect(world.calls('UpdateEnrollmentConfiguration', accountId)).toBe(1);
      expect(world.truthOf(accountId).automation).toMatchObject({
        status: 'Inactive',
        organizationRuleMode: 'NoneAllowed',
      });
    }
    await checkWorld(world);
    // An opt-out of ours starts the cool-down too: wanted back, it waits.
    const back = await world.run({ policy: { ...ASSOCIATED, more: OWN_STAYS } });
    const ids = new Set(associated.map(({ accountId }) => accountId));
    expect(back.open.filter(({ accountId }) => ids.has(accountId)).every(({ reason }) => reason === 'coolDown')).toBe(
      true,
    );
    expect(back.open.length).toBe(ids.size);
    await checkWorld(world);
  });

  it('only disassociates if the status is unmanaged', async () => {
    const world = await startWorld({
      sandbox: { accounts: 60, drift: 0 },
      policy: { organizationRules: 'NoneAllowed' },
    });
    const run = await world.run();
    expect(run.open).toEqual([]);
    expect(world.wire.mutating.map(({ operation }) => operation)).toEqual(['DisassociateAccounts']);
    await checkWorld(world);
  });
});

describe('the caller', () => {
  it('the delegated administrator cannot read the management account: Unknown, and outside coverage', async () => {
    const world = await startWorld({ sandbox: { accounts: 30, drift: 0.2 }, policy: { automation: 'Active' } });
    const run = await world.run({ as: world.running.info.delegatedAdministratorId });
    expect(run.plan.coverage.unknown).toBe(0);
    const own = (await world.records()).get(world.managementId);
    expect(own?.conditions.computeOptimizer).toMatchObject({ verdict: 'Unknown', reason: 'callerCannotRead' });
    expect(own?.conditions.automation).toMatchObject({ verdict: 'Unknown', reason: 'callerCannotRead' });
    expect(run.open).toEqual([]);
    await checkWorld(world, { notYetCompliant: (accountId) => accountId === world.managementId });
  });

  it('any other account gets an error with a remedy', async () => {
    const world = await startWorld({ sandbox: { accounts: 30 } });
    const { accountId } = world.member();
    const refused = world.app({ as: accountId });
    await expect(refused).rejects.toMatchObject({
      name: 'CloudError',
      details: { kind: 'Denied', code: 'NotOrganizationCaller' },
    });
    await expect(refused).rejects.toThrow(/neither the management account .* nor its delegated administrator/);
    expect(world.wire.mutating).toEqual([]);
  });
});
