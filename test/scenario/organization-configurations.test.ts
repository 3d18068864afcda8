import { describe, expect, it } from 'vitest';
import { COVERED_CODES, type RuleMode } from '../../services/sandbox/engine/types.ts';
import { callBySomebodyElse } from '../support/foreign-calls.ts';
import { startWorld, type World } from '../support/world.ts';
import { checkWorld } from '../support/world-checks.ts';

const HOUR_MS = 3_600_000;
const ASSOCIATED = { automation: 'Active', organizationRules: 'AnyAllowed' } as const;
const GOVERNED = { verdict: 'Blocked', reason: 'organizationConfiguration' } as const;

const batches = (world: World) =>
  world.wire.mutating.filter(
    ({ operation }) => operation === 'AssociateAccounts' || operation === 'DisassociateAccounts',
  );
const unitId = (world: World, name: string): string =>
  world.sandbox.organizationalUnits().find((unit) => unit.name === name)?.id ?? '';

const onUnit = (world: World, name: string) => ({ organizationalUnitId: unitId(world, name) });

/** A change of configurations by the management account, outside Rollcall. */
function change(world: World, operation: string, input: Readonly<Record<string, unknown>>): void {
  callBySomebodyElse(world, `${operation}OrganizationEnrollmentConfiguration`, input);
}
const put = (world: World, target: Readonly<Record<string, string>>, organizationRuleMode: RuleMode): void =>
  change(world, 'Put', {
    target,
    organizationRuleMode,
  });

describe('accounts that an organization enrollment configuration governs', () => {
  it('are never in a batch, and need a person where it differs from the policy', async () => {
    const world = await startWorld({
      sandbox: { accounts: 60, drift: 0.3, configurationDelayMs: 0 },
      policy: ASSOCIATED,
    });
    put(world, onUnit(world, 'Workloads'), 'NoneAllowed');
    put(world, onUnit(world, 'Prod'), 'AnyAllowed');
    await world.run();
    world.clock.advance(HOUR_MS);
    await world.run();
    const governed = world.members(({ ou }) => ou.startsWith('/Workloads'));
    const inBatches = new Set(batches(world).flatMap(({ accounts }) => accounts.map(({ truth }) => truth.accountId)));
    expect(governed.filter(({ accountId }) => inBatches.has(accountId))).toEqual([]);
    expect(inBatches.size).toBeGreaterThan(0);
    const records = await world.records();
    for (const { accountId, ou } of governed) {
      const unit = ou.startsWith('/Workloads/Prod') ? 'Prod' : 'Workloads';
      const ruleModeSource = { type: 'inherited', targetId: unitId(world, unit) };
      const expected = unit === 'Prod' ? { verdict: 'Compliant' } : { ...GOVERNED, attempts: 0, notBefore: null };
      expect(records.get(accountId)?.conditions.automation).toMatchObject({ ...expected, ruleModeSource });
    }
    const [blocked] = governed.filter(({ ou }) => !ou.startsWith('/Workloads/Prod'));
    const chains = await checkWorld(world);
    const told = chains.get(blocked?.accountId ?? '')?.filter(({ reason }) => reason === GOVERNED.reason);
    expect(told?.map(({ type }) => type)).toEqual(['RemediationBlocked']);
    expect(told?.[0]?.detail?.message).toContain(`on OU /Workloads (${unitId(world, 'Workloads')}) sets NoneAllowed`);
  });

  it('are never asked to disable Automation', async () => {
    const world = await startWorld({
      sandbox: { accounts: 40, drift: 0, configurationDelayMs: 0 },
      policy: { automation: 'Inactive' },
    });
    put(world, onUnit(world, 'Workloads'), 'AnyAllowed');
    await world.run();
    const governed = new Set(world.members(({ ou }) => ou.startsWith('/Workloads')).map(({ accountId }) => accountId));
    const touched = world.wire.mutating.flatMap(({ accounts }) => accounts.map(({ truth }) => truth.accountId));
    expect(touched.filter((id) => governed.has(id))).toEqual([]);
    expect(touched.length).toBeGreaterThan(0);
    const records = await world.records();
    for (const id of governed) expect(records.get(id)?.conditions.automation).toMatchObject(GOVERNED);
  });

  it('become changeable again when the configuration is deleted', async () => {
    const world = await startWorld({
      sandbox: { accounts: 40, drift: 0, configurationDelayMs: 0 },
      policy: ASSOCIATED,
    });
    put(world, onUnit(world, 'Workloads'), 'NoneAllowed');
    expect((await world.run()).open.length).toBeGreaterThan(0);
    const target = onUnit(world, 'Workloads');
    change(world, 'Delete', { target, configurationTypes: ['OrganizationRuleMode'], clientToken: 'delete' });
    world.clock.advance(HOUR_MS);
    expect((await world.run()).open).toEqual([]);
    for (const record of (await world.records()).values())
      expect(record.conditions.automation).not.toHaveProperty('ruleModeSource');
    await checkWorld(world);
  });
});

describe.each(COVERED_CODES)('a batch that AWS rejects with %s because of one account', (coveredCode) => {
  it.each([
    ['an account, in effect', 0, (accountId: string) => ({ accountId })],
    ['an OU, which AWS is still applying', 300_000, null],
  ] as const)('with a configuration on %s: is sent again without it', async (_, configurationDelayMs, targetOf) => {
    const world = await startWorld({
      sandbox: { accounts: 90, drift: 0, coveredCode, configurationDelayMs },
      policy: ASSOCIATED,
    });
    await world.run();
    const { accountId } = world.member(({ ou }) => ou === '/Sandbox');
    const others = world.members(({ ou }) => ou !== '/Sandbox').slice(0, 49);
    const drifting = [accountId, ...others.map((each) => each.accountId)];
    const changes = drifting.map((id) => ({ accountId: id, enrollment: 'automation', status: 'Inactive' }) as const);
    world.sandbox.drift({ changes });
    world.clock.advance(25 * HOUR_MS);
    const before = batches(world).length;
    let listed = 0;
    world.wire.onCall = ({ operation }) => {
      if (operation !== 'AssociateAccounts' || batches(world).length > before) return undefined;
      world.wire.onCall = null;
      listed = world.calls('ListAccounts', world.managementId);
      put(world, targetOf?.(accountId) ?? onUnit(world, 'Sandbox'), 'NoneAllowed');
      return undefined;
    };
    const run = await world.run();
    const made = batches(world).slice(before);
    expect(made.map(({ accounts, code }) => [accounts.length, code])).toEqual([
      [50, coveredCode],
      [49, null],
    ]);
    // One listing for the cause and one to observe the result.
    expect(world.calls('ListAccounts', world.managementId) - listed).toBe(2);
    expect(run.open.map(({ accountId: id, verdict, reason }) => ({ id, verdict, reason }))).toEqual([
      { id: accountId, ...GOVERNED },
    ]);
    expect(run.planned).toMatchObject({ confirmed: 49, blocked: 1, failed: 0 });
    expect(world.calls('UpdateEnrollmentConfiguration', accountId)).toBe(0);
    await checkWorld(world);
  });
});
