import { describe, expect, it } from 'vitest';
import type { Progress } from '../../shared/app/context.ts';
import { approve } from '../../shared/app/guardrails/approvals.ts';
import { resumeContested } from '../../shared/app/operator/resume-contested.ts';
import { parseOperatorSelector } from '../../shared/domain/policy/index.ts';
import { callBySomebodyElse } from '../support/foreign-calls.ts';
import { startWorld, type World } from '../support/world.ts';
import { checkWorld } from '../support/world-checks.ts';

const MANAGED = { automation: 'Active', organizationRules: 'AnyAllowed', automationConfigurations: 'manage' } as const;
const DISABLED = {
  ...{ automation: 'Inactive', organizationRules: 'NoneAllowed' },
  guardrails: '{ maxChanges: { percent: 100, atLeast: 0 }, maxOptOuts: { percent: 100, atLeast: 0 } }',
} as const;
const NOT_IN_DEV = `rules: [{ id: dev, match: { ou: /Workloads/Dev }, organizationRules: NoneAllowed }]`;
const PUT = 'PutOrganizationEnrollmentConfiguration';
const DELETE = 'DeleteOrganizationEnrollmentConfiguration';

const unitId = (world: World, name: string): string =>
  world.sandbox.organizationalUnits().find((unit) => unit.name === name)?.id ?? '';
const rootId = (world: World): string =>
  world.sandbox.organizationalUnits().find(({ parentId }) => parentId === null)?.id ?? '';

function bySomebodyElse(world: World, operation: string, input: Readonly<Record<string, unknown>>): void {
  callBySomebodyElse(world, operation, input);
  world.clock.advance(10 * 60_000);
}

const stored = (world: World) =>
  Object.fromEntries(
    world.sandbox.configurations().map(({ targetId, organizationRuleMode }) => [targetId, organizationRuleMode]),
  );

const operations = (world: World) => world.wire.mutating.map(({ operation, answer }) => `${operation} ${answer}`);

/** Members that are enrolled in Compute Optimizer and not as the policy wants them. */
function differing(world: World, wanted: (ou: string) => string): string[] {
  return world
    .members(({ computeOptimizer }) => computeOptimizer.status === 'Active')
    .filter(({ ou, automation }) => automation.status !== 'Active' || automation.organizationRuleMode !== wanted(ou))
    .map(({ accountId }) => accountId);
}

/** Somebody else stores a configuration for the whole organization. */
function putAtRoot(world: World, organizationRuleMode: string): void {
  bySomebodyElse(world, PUT, { target: { organizationalUnitId: rootId(world) }, organizationRuleMode });
}

/** The approved run deletes the configuration, and the next run disables every account. */
async function deleteThenDisable(world: World, planHash: string): Promise<void> {
  await applyApproved(world, planHash);
  expect(stored(world)).toEqual({});
  world.clock.advance(6 * 3_600_000);
  await world.run();
  expect(world.members(({ automation }) => automation.status === 'Active')).toEqual([]);
  await checkWorld(world);
}

async function applyApproved(world: World, planHash: string) {
  const app = await world.app();
  await approve(app.deps, planHash, { actor: 'operator', reason: null });
  world.clock.advance(6 * 3_600_000);
  return world.apply(app);
}

const sandbox = { accounts: 60, drift: 0, configurationDelayMs: 5_000 } as const;

describe('applying organization enrollment configurations', () => {
  it('makes one call for the organization and one for an OU that differs, and verifies them by a listing', async () => {
    const world = await startWorld({ sandbox, policy: { ...MANAGED, more: NOT_IN_DEV } });
    const run = await world.run();
    expect(operations(world).filter((each) => !each.startsWith('UpdateEnrollment'))).toEqual([
      `${PUT} ok`,
      `${PUT} ok`,
    ]);
    expect(stored(world)).toEqual({ [rootId(world)]: 'AnyAllowed', [unitId(world, 'Dev')]: 'NoneAllowed' });
    expect(differing(world, (ou) => (ou === '/Workloads/Dev' ? 'NoneAllowed' : 'AnyAllowed'))).toEqual([]);
    expect(run.open).toEqual([]);
    expect((await world.plan()).changes).toEqual([]);
    await checkWorld(world);
  });

  it('covers an account that joins later without a call', async () => {
    const world = await startWorld({ sandbox, policy: MANAGED });
    await world.run();
    const before = world.wire.mutating.length;
    const [joiner = ''] = world.sandbox.changeAccounts({ add: [{ ou: '/Workloads/Dev' }] });
    const run = await world.run();
    expect(run.open).toEqual([]);
    const calls = world.wire.mutating.slice(before).map(({ operation }) => operation);
    expect(calls.filter((each) => each !== 'UpdateEnrollmentStatus')).toEqual([]);
    expect(world.truthOf(joiner).automation).toMatchObject({ status: 'Active', organizationRuleMode: 'AnyAllowed' });
  });

  it('reports that it waits for AWS to apply a configuration, until AWS has applied it', async () => {
    const world = await startWorld({ sandbox: { ...sandbox, configurationDelayMs: 40_000 }, policy: MANAGED });
    const events: Progress[] = [];
    await world.run({ onProgress: (event) => void events.push(event) });
    const causes = events.flatMap((event) => (event.kind === 'waiting' ? [event.cause] : []));
    expect(causes.filter(({ kind }) => kind === 'configuration').length).toBeGreaterThan(2);
    expect(causes).toContainEqual({ kind: 'configuration', target: '/' });
    expect(stored(world)).toEqual({ [rootId(world)]: 'AnyAllowed' });
  });

  it('leaves a configuration of somebody else alone until an operator approves the plan that names it', async () => {
    const world = await startWorld({ sandbox: { ...sandbox, scenario: 'configurations' }, policy: MANAGED });
    const foreign = stored(world);
    const run = await world.run();
    expect(stored(world)).toEqual({ ...foreign, [rootId(world)]: 'AnyAllowed' });
    const asked = run.plan.configurations?.calls.filter(({ needsApproval }) => needsApproval);
    expect(asked?.map(({ target }) => target).sort()).toEqual(['/Sandbox', '/Workloads']);
    const { planHash } = run.plan;
    const approved = await applyApproved(world, planHash);
    expect(approved.plan).toMatchObject({ trip: null, approval: { planHash } });
    expect(new Set(Object.values(stored(world)))).toEqual(new Set(['AnyAllowed']));
    expect(differing(world, () => 'AnyAllowed')).toEqual([]);
    await checkWorld(world);
  });

  it('asks to delete a configuration of somebody else that keeps accounts enrolled, although their rule mode stays the same', async () => {
    const world = await startWorld({ sandbox, policy: { ...MANAGED, ...DISABLED } });
    putAtRoot(world, 'NoneAllowed');
    const { plan } = await world.run();
    expect(plan.configurations?.calls).toMatchObject([
      { operation: DELETE, target: '/', accounts: 0, owner: 'other', needsApproval: true },
    ]);
    expect(stored(world)).toEqual({ [rootId(world)]: 'NoneAllowed' });
    await deleteThenDisable(world, plan.planHash);
  });

  it('disables the accounts that an approved plan frees from a configuration of somebody else in the same run', async () => {
    const world = await startWorld({ sandbox, policy: { ...MANAGED, ...DISABLED } });
    putAtRoot(world, 'AnyAllowed');
    const { plan } = await world.run();
    const { planned } = await applyApproved(world, plan.planHash);
    expect(planned).toMatchObject({ total: plan.asked.length, confirmed: plan.asked.length, notStarted: 0 });
    expect(world.members(({ automation }) => automation.status === 'Active')).toEqual([]);
    await checkWorld(world);
  });

  it('requests a new approval if the rule mode of a configuration changes after its deletion was approved', async () => {
    const world = await startWorld({ sandbox, policy: { ...MANAGED, ...DISABLED } });
    putAtRoot(world, 'AnyAllowed');
    const { plan: first } = await world.run();
    putAtRoot(world, 'NoneAllowed');
    const { plan: second } = await applyApproved(world, first.planHash);
    expect(stored(world)).toEqual({ [rootId(world)]: 'NoneAllowed' });
    expect(second.configurations?.calls).toMatchObject([{ replaces: 'NoneAllowed', needsApproval: true }]);
    expect(second.planHash).not.toBe(first.planHash);
    await deleteThenDisable(world, second.planHash);
  });

  it('takes an OU out again when the policy changes, and counts its accounts as opted out', async () => {
    const world = await startWorld({ sandbox, policy: MANAGED });
    await world.run();
    const run = await world.run({ policy: { more: NOT_IN_DEV } });
    expect(run.plan.totals.optOuts).toBeGreaterThan(0);
    // Rollcall changes its own configuration, so nobody has to act.
    const { entries } = await world.look((store) => store.ledger.query({ type: 'RemediationBlocked' }, { limit: 1 }));
    expect(entries).toEqual([]);
    expect(stored(world)).toEqual({ [rootId(world)]: 'AnyAllowed', [unitId(world, 'Dev')]: 'NoneAllowed' });
    expect(differing(world, (ou) => (ou === '/Workloads/Dev' ? 'NoneAllowed' : 'AnyAllowed'))).toEqual([]);
    await checkWorld(world);
  });

  it('stores a configuration again twice if somebody else keeps deleting it, and then stops until an operator resumes it', async () => {
    const world = await startWorld({ sandbox, policy: MANAGED });
    const target = { organizationalUnitId: rootId(world) };
    for (let round = 0; round < 3; round += 1) {
      await world.run();
      expect(stored(world)).toEqual({ [rootId(world)]: 'AnyAllowed' });
      bySomebodyElse(world, DELETE, { target, configurationTypes: ['OrganizationRuleMode'] });
    }
    const run = await world.run();
    expect(stored(world)).toEqual({});
    expect(run.plan.configurations?.calls).toEqual([]);
    const root = parseOperatorSelector('ou:/');
    if (!root.ok) expect.fail(root.message);
    expect(await resumeContested((await world.app()).deps, root.selector)).toContain('ou:/');
    await world.run();
    expect(stored(world)).toEqual({ [rootId(world)]: 'AnyAllowed' });
  });

  it('makes no call that would exceed a cap', async () => {
    const guardrails = '{ maxChanges: { percent: 0, atLeast: 5 }, maxOptOuts: { percent: 100, atLeast: 0 } }';
    const world = await startWorld({ sandbox, policy: { ...MANAGED, guardrails } });
    const run = await world.run();
    expect(run.plan.trip?.reason).toBe('maxChanges');
    expect(world.wire.mutating).toEqual([]);
  });

  it('changes nothing at or above a suspended account', async () => {
    const world = await startWorld({ sandbox, policy: { ...MANAGED, more: '' } });
    const held = world.member(({ ou }) => ou === '/Workloads/Dev');
    const exempt = `exemptions: [{ accounts: ["${held.accountId}"], until: ${new Date(world.clock.now() + 9 * 86_400_000).toISOString().slice(0, 10)}, reason: test, owner: test }]`;
    await world.run({ policy: { more: exempt } });
    const calls = Object.keys(stored(world));
    expect(calls).not.toContain(rootId(world));
    expect(calls).not.toContain(unitId(world, 'Dev'));
    expect(world.truthOf(held.accountId).automation).toEqual(held.automation);
    await checkWorld(world);
  });
});
