import { describe, expect, it } from 'vitest';
import { status } from '../../shared/app/queries/status.ts';
import { ORGANIZATION_CHAIN } from '../../shared/domain/ledger/entry.ts';
import { startWorld, type World } from '../support/world.ts';
import { checkWorld } from '../support/world-checks.ts';

const HOUR_MS = 3_600_000;
const ASSOCIATED = { automation: 'Active', organizationRules: 'AnyAllowed' } as const;
const AUTO = { organizationEnrollment: 'auto' } as const;

const batches = (world: World): readonly number[] =>
  world.wire.mutating
    .filter(({ operation }) => operation === 'AssociateAccounts')
    .map(({ accounts }) => accounts.length);
const sweeping = (world: World): number =>
  world.wire.mutating.filter(({ organizationWide }) => organizationWide).length;
/** The entries about trusted access in the organization's chain, in order. */
async function toldOfTrust(world: World): Promise<readonly (string | null)[]> {
  const entries = await world.look(({ ledger }) => ledger.read(ORGANIZATION_CHAIN, 0, 1_000));
  return entries.flatMap(({ type, reason }) => (type === 'VerdictChanged' ? [reason] : []));
}

describe('Automation that waits for Compute Optimizer', () => {
  it('is enabled without a scan once it is Active, in the fewest possible batches', async () => {
    const world = await startWorld({
      sandbox: { accounts: 60, drift: 0.8, pendingMs: 120_000 },
      policy: { ...ASSOCIATED, more: 'schedule: 24h' },
    });
    const first = await world.run({ waitMs: 0 });
    const waiting = first.open.filter(({ reason }) => reason === 'prerequisite').length;
    expect(waiting).toBeGreaterThan(30);
    const before = batches(world).length;
    const listed = world.calls('GetEnrollmentStatusesForOrganization');
    const app = await world.app();
    world.clock.advance(200_000);
    // The first finds Compute Optimizer there, the second gathers what came free, the third finds the associations there.
    for (let n = 0; n < 3; n += 1) {
      await world.work(app);
      world.clock.advance(200_000);
    }
    await world.work(app);
    await world.stop(app);
    expect(world.calls('GetEnrollmentStatusesForOrganization')).toBe(listed);
    expect(batches(world).length - before).toBeLessThanOrEqual(Math.ceil(waiting / 50) + 1);
    await checkWorld(world);
  });
});

describe('a new account', () => {
  it('is not treated as opted out of Automation: both enrollments in one run', async () => {
    const world = await startWorld({ sandbox: { accounts: 20, drift: 0 }, policy: ASSOCIATED });
    await world.run();
    const [accountId = ''] = world.sandbox.changeAccounts({ add: [{ name: 'new', ou: '/Workloads/Prod' }] });
    const run = await world.run();
    expect(run.open).toEqual([]);
    expect(world.truthOf(accountId).automation).toMatchObject({ status: 'Active', organizationRuleMode: 'AnyAllowed' });
    await checkWorld(world);
  });

  it('is opted in by AWS if the organization is, and only observed', async () => {
    const world = await startWorld({ sandbox: { accounts: 40, drift: 0.8, pendingMs: HOUR_MS }, policy: AUTO });
    await world.run({ waitMs: 2 * HOUR_MS });
    expect(sweeping(world)).toBe(1);
    const [accountId = ''] = world.sandbox.changeAccounts({ add: [{ name: 'new', ou: '/Workloads/Prod' }] });
    const joined = await world.run();
    expect(joined.open).toMatchObject([{ accountId, verdict: 'Converging', reason: 'pending' }]);
    world.clock.advance(2 * HOUR_MS);
    expect((await world.run()).open).toEqual([]);
    expect(world.wire.mutating.length).toBe(1);
    await checkWorld(world);
  });
});

describe('an unknown cool-down', () => {
  it('is reported by AWS: one rejected call, then the account waits', async () => {
    const world = await startWorld({ sandbox: { accounts: 20, drift: 0 }, policy: { more: 'schedule: 24h' } });
    await world.run();
    const { accountId } = world.member(({ automation }) => automation.status === 'Active');
    const set = (enrollment: 'automation' | 'computeOptimizer', to: 'Active' | 'Inactive') =>
      world.sandbox.drift({ changes: [{ accountId, enrollment, status: to }] });
    set('automation', 'Inactive');
    const optedOut = world.truthOf(accountId).automation.lastUpdatedTimestamp.getTime();
    world.clock.advance(HOUR_MS);
    // Compute Optimizer goes and comes: the timestamp of Automation might as well be from that.
    set('computeOptimizer', 'Inactive');
    world.clock.advance(60_000);
    set('computeOptimizer', 'Active');
    const more = `schedule: 24h\nrules: [{ id: one, match: { accounts: ["${accountId}"] }, automation: Active }]`;
    const run = await world.run({ policy: { more } });
    expect(run.open).toMatchObject([{ accountId, verdict: 'Blocked', reason: 'coolDown' }]);
    expect(Date.parse(run.open[0]?.notBefore ?? '')).toBe(optedOut + 24 * HOUR_MS);
    expect(world.calls('UpdateEnrollmentConfiguration', accountId)).toBe(1);
    // The next runs know.
    expect((await world.run({ policy: { more } })).changes.attempted).toBe(0);
    world.clock.advanceTo(optedOut + 24 * HOUR_MS);
    expect((await world.run({ policy: { more } })).open).toEqual([]);
    expect(world.calls('UpdateEnrollmentConfiguration', accountId)).toBe(2);
    await checkWorld(world);
  });
});

describe('the management account’s own Automation', () => {
  it('off: no associations are requested; on again: they return, except for accounts that opted out since', async () => {
    const world = await startWorld({
      sandbox: { accounts: 80, drift: 0 },
      policy: { ...ASSOCIATED, more: 'schedule: 24h' },
    });
    await world.run();
    const before = batches(world).length;
    const { managementId } = world;
    world.sandbox.drift({ changes: [{ accountId: managementId, enrollment: 'automation', status: 'Inactive' }] });
    const members = world.members();
    expect(members.every(({ automation }) => automation.organizationRuleMode === 'NoneAllowed')).toBe(true);
    const left = members[0]?.accountId ?? '';
    world.sandbox.drift({ changes: [{ accountId: left, enrollment: 'automation', status: 'Inactive' }] });

    const off = await world.run({ waitMs: 0 });
    const why = new Map(off.open.map(({ accountId, reason }) => [accountId, reason]));
    expect(why.get(managementId)).toBe('coolDown');
    expect(why.get(left)).toBe('coolDown');
    expect(
      new Set(
        off.open.filter(({ accountId }) => ![managementId, left].includes(accountId)).map(({ reason }) => reason),
      ),
    ).toEqual(new Set(['prerequisite']));
    // The stored state shows that it is off and since when, without a call to AWS.
    expect(batches(world).length).toBe(before);

    world.clock.advance(24 * HOUR_MS + 60_000);
    const on = await world.run({ waitMs: 7 * HOUR_MS });
    expect(on.open).toEqual([]);
    expect(world.calls('UpdateEnrollmentConfiguration', managementId)).toBe(1);
    // AWS restored all the others.
    const restored = world.wire.mutating.filter(
      ({ operation, answer }) => operation === 'AssociateAccounts' && answer === 'ok',
    );
    const touched = restored.slice(before).flatMap(({ accounts }) => accounts.map(({ truth }) => truth.accountId));
    expect(touched).toEqual([left]);
    await checkWorld(world);
  });
});

describe('trusted access that is switched off', () => {
  it('is detected; one call restores it; the enrollments that depend on it return', async () => {
    const world = await startWorld({ sandbox: { accounts: 60, drift: 0 }, policy: { ...ASSOCIATED, ...AUTO } });
    await world.run();
    expect(await toldOfTrust(world)).toEqual([]);
    expect(await world.look((store) => status(store))).toMatchObject({ trustedAccess: { enabled: true } });
    const before = batches(world).length;
    world.sandbox.setTrustedAccess(false);
    const plan = await world.plan();
    expect(plan.trustedAccess).toBe(false);
    expect(plan.orgWide.computeOptimizer).toMatchObject({
      used: true,
      note: expect.stringContaining('trusted access is off'),
    });
    const run = await world.run();
    expect(sweeping(world)).toBe(1);
    expect(run.open).toEqual([]);
    expect(batches(world).length - before).toBe(2);
    expect(await toldOfTrust(world)).toEqual(['trustedAccessLost', 'trustedAccessRestored']);
    expect(await world.look((store) => status(store))).toMatchObject({ trustedAccess: { enabled: true } });
    await checkWorld(world);
  });

  it('is detected even without the permission to restore it, and the status shows since when', async () => {
    const world = await startWorld({ sandbox: { accounts: 20, drift: 0 }, policy: { ...ASSOCIATED, mode: 'alert' } });
    await world.run();
    world.sandbox.setTrustedAccess(false);
    world.clock.advance(HOUR_MS);
    const run = await world.run();
    expect(run.plan.orgWide.computeOptimizer?.used).toBe(false);
    const { trustedAccess } = await world.look((store) => status(store));
    expect(trustedAccess?.enabled).toBe(false);
    await world.run();
    expect(await toldOfTrust(world)).toEqual(['trustedAccessLost']);
    expect((await world.look((store) => status(store))).trustedAccess).toEqual(trustedAccess);
    expect(world.wire.mutating.filter(({ at }) => at > Date.parse(trustedAccess?.since ?? ''))).toEqual([]);
  });

  it('is restored even for a single account, because its enrollment would not last otherwise', async () => {
    const world = await startWorld({ sandbox: { accounts: 30, drift: 0 }, policy: AUTO });
    await world.run();
    world.sandbox.setTrustedAccess(false);
    const [kept, ...rest] = world.members();
    // The delegated administrator too.
    const others = world
      .truth()
      .filter(({ management, state, accountId }) => !management && state === 'ACTIVE' && accountId !== kept?.accountId);
    expect(rest.length).toBeLessThan(others.length + 1);
    world.sandbox.drift({
      changes: others.map(({ accountId }) => ({ accountId, enrollment: 'computeOptimizer', status: 'Active' })),
    });
    expect((await world.run()).open).toEqual([]);
    expect(world.wire.mutating.map(({ organizationWide }) => organizationWide)).toEqual([true]);
  });

  it('that cannot be read is ignored', async () => {
    const faults = [{ operation: 'ListAWSServiceAccessForOrganization', kind: 'denied' } as const];
    const world = await startWorld({ sandbox: { accounts: 20, drift: 0.3, faults } });
    const run = await world.run();
    expect(run.open).toEqual([]);
    expect(run.plan.trustedAccess).toBeNull();
    expect(await world.look((store) => status(store))).toMatchObject({ trustedAccess: null });
    expect(world.logged.map(({ message }) => message)).toContain('trusted access could not be read');
    await checkWorld(world);
  });
});

describe('the organization-wide call', () => {
  it('is not made while an account is Pending: the others are changed one by one', async () => {
    const world = await startWorld({ sandbox: { accounts: 40, drift: 0, pendingMs: HOUR_MS }, policy: AUTO });
    await world.run();
    const [pending, ...others] = world.members();
    const set = (accountId: string, to: 'Pending' | 'Inactive') =>
      world.sandbox.drift({ changes: [{ accountId, enrollment: 'computeOptimizer', status: to }] });
    set(pending?.accountId ?? '', 'Pending');
    for (const { accountId } of others.slice(0, 15)) set(accountId, 'Inactive');
    const plan = await world.plan();
    expect(plan.orgWide.computeOptimizer).toMatchObject({
      used: false,
      possible: false,
      note: 'some accounts have the status In progress',
    });
    await world.run({ waitMs: 0 });
    expect(sweeping(world)).toBe(0);
    expect(world.wire.mutating.length).toBe(15);
  });

  it('is not made for one member that opts out: only that account is enrolled again', async () => {
    const world = await startWorld({ sandbox: { accounts: 40, drift: 0.8 }, policy: AUTO });
    await world.run();
    expect(sweeping(world)).toBe(1);
    const { accountId } = world.member();
    world.sandbox.drift({ changes: [{ accountId, enrollment: 'computeOptimizer', status: 'Inactive' }] });
    world.clock.advance(HOUR_MS);
    expect((await world.run()).open).toEqual([]);
    expect(sweeping(world)).toBe(1);
    expect(world.calls('UpdateEnrollmentStatus', accountId)).toBe(1);
    await checkWorld(world);
  });
});
