import { describe, expect, it } from 'vitest';
import { RunStore } from '../../shared/app/coordination/run-store.ts';
import { approve } from '../../shared/app/guardrails/approvals.ts';
import { readSavedPlan } from '../../shared/app/plan/saved-plan.ts';
import { planDocument } from '../../shared/app/queries/plan-document.ts';
import { callBySomebodyElse } from '../support/foreign-calls.ts';
import { type Run, startWorld, type World } from '../support/world.ts';
import { checkWorld } from '../support/world-checks.ts';

const MANAGED = { automation: 'Active', organizationRules: 'AnyAllowed', automationConfigurations: 'manage' } as const;
const PUT = 'PutOrganizationEnrollmentConfiguration';
const DELETE = 'DeleteOrganizationEnrollmentConfiguration';
const HOUR = 3_600_000;
/** Somebody else has configured two OUs, /Sandbox and /Workloads. */
const sandbox = { accounts: 60, drift: 0, configurationDelayMs: 5_000, scenario: 'configurations' } as const;

const unitId = (world: World, name: string): string =>
  world.sandbox.organizationalUnits().find((unit) => unit.name === name)?.id ?? '';
const modeOf = (world: World, name: string): string | undefined =>
  world.sandbox.configurations().find(({ targetId }) => targetId === unitId(world, name))?.organizationRuleMode;

function bySomebodyElse(world: World, operation: string, ou: string, more: object): void {
  callBySomebodyElse(world, operation, { target: { organizationalUnitId: unitId(world, ou) }, ...more });
  world.clock.advance(HOUR / 6);
}

const put = (world: World, ou: string, organizationRuleMode: string): void =>
  bySomebodyElse(world, PUT, ou, { organizationRuleMode });
const remove = (world: World, ou: string): void =>
  bySomebodyElse(world, DELETE, ou, { configurationTypes: ['OrganizationRuleMode'] });

async function give(world: World, { plan }: Run) {
  const app = await world.app();
  const approved = await approve(app.deps, plan.planHash, { actor: 'operator', reason: null });
  await world.stop(app);
  return approved;
}

const inSecurity = (world: World): string[] =>
  world.members(({ ou }) => ou.startsWith('/Security')).map(({ accountId }) => accountId);
const drifted = (world: World): string[] =>
  world.members(({ computeOptimizer }) => computeOptimizer.status !== 'Active').map(({ accountId }) => accountId);

function drift(world: World, accountIds: readonly string[]): void {
  const changes = accountIds.map((accountId) => {
    return { accountId, enrollment: 'computeOptimizer', status: 'Inactive' } as const;
  });
  world.sandbox.drift({ changes });
}

/** Shortly after the next 17:00 UTC, epoch ms. */
function opening({ clock }: World): number {
  const at = new Date(clock.now()).setUTCHours(17, 5, 0, 0);
  return at > clock.now() ? at : at + 24 * HOUR;
}

async function laterRun(world: World): Promise<Run> {
  world.clock.advance(3 * HOUR);
  return world.run();
}

describe('an approval for configurations of somebody else', () => {
  it('does not hold up other changes or a newer approval if its calls can no longer be made', async () => {
    const guardrails = '{ maxChanges: { percent: 100, atLeast: 0 }, maxOptOuts: { percent: 100, atLeast: 0 } }';
    const policy = { ...MANAGED, automation: 'Inactive', organizationRules: 'NoneAllowed', guardrails } as const;
    const world = await startWorld({ sandbox, policy });
    remove(world, 'Sandbox');
    put(world, 'Workloads', 'NoneAllowed');
    put(world, 'Prod', 'AnyAllowed');
    // The plan also has a change that its run makes without an approval.
    drift(world, inSecurity(world).slice(0, 1));
    await give(world, await laterRun(world));
    expect(drifted(world)).toEqual([]);
    // The outer configuration now differs from the approved one, and unless it is deleted too, deleting the inner one has no effect.
    put(world, 'Workloads', 'AnyAllowed');
    drift(world, inSecurity(world));
    const asking = await laterRun(world);
    expect(drifted(world)).toEqual([]);
    await give(world, asking);
    await laterRun(world);
    expect([modeOf(world, 'Workloads'), modeOf(world, 'Prod')]).toEqual([undefined, undefined]);
    expect(world.members(({ automation }) => automation.status === 'Active')).toEqual([]);
  });

  it('is used by a scan while the change window is open, and does not hold up changes that wait for the window', async () => {
    const more = 'schedule: 12h\nwindows: [{ kind: allow, cron: "0 17 * * *", duration: 4h }]';
    const world = await startWorld({ sandbox, policy: { ...MANAGED, more } });
    await give(world, await laterRun(world));
    drift(world, inSecurity(world));
    expect((await laterRun(world)).plan.approval).toBeNull();
    world.clock.advanceTo(opening(world));
    const app = await world.app();
    for (let n = 0; n < 10; n += 1) {
      await world.work(app);
      world.clock.advance(20_000);
    }
    await world.stop(app);
    expect(drifted(world)).toEqual([]);
    await world.run();
    expect([modeOf(world, 'Sandbox'), modeOf(world, 'Workloads')]).toEqual(['AnyAllowed', 'AnyAllowed']);
  });

  it('can still be used after a run of the saved plan with the same hash, which makes none of its calls', async () => {
    const world = await startWorld({ sandbox, policy: MANAGED });
    const saved = readSavedPlan(JSON.parse(JSON.stringify(planDocument(await world.plan(), 'run', 0))));
    if (!saved.ok) expect.fail(saved.problem);
    await give(world, await world.run());
    const app = await world.app();
    await new RunStore(app.deps.registers).storeSavedPlan(saved.plan, world.clock.now());
    await world.apply(app, { planHash: saved.plan.planHash });
    await world.stop(app);
    expect(modeOf(world, 'Sandbox')).toBe('NoneAllowed');
    await laterRun(world);
    expect(modeOf(world, 'Sandbox')).toBe('AnyAllowed');
  });

  it('is requested again under a new hash if the calls would change more accounts', async () => {
    const world = await startWorld({ sandbox, policy: MANAGED });
    await world.run();
    const first = await laterRun(world);
    expect(await laterRun(world)).toMatchObject({ plan: { planHash: first.plan.planHash } });
    await give(world, first);
    const [joiner = ''] = world.sandbox.changeAccounts({ add: [{ ou: '/Sandbox' }] });
    const second = await laterRun(world);
    expect(second.plan.planHash).not.toBe(first.plan.planHash);
    expect(modeOf(world, 'Sandbox')).toBe('NoneAllowed');
    const { changes } = await give(world, second);
    expect(changes).toBe(second.plan.asked.length);
    await laterRun(world);
    expect(modeOf(world, 'Sandbox')).toBe('AnyAllowed');
    expect(world.truthOf(joiner).automation.organizationRuleMode).toBe('AnyAllowed');
    await checkWorld(world);
  });

  it('counts only the configurations that the run which stored the plan did not change', async () => {
    const world = await startWorld({ sandbox, policy: MANAGED });
    await give(world, await world.run());
    put(world, 'Sandbox', 'AnyAllowed');
    put(world, 'Dev', 'NoneAllowed');
    const partly = await laterRun(world);
    const asked = partly.plan.configurations?.calls.filter(({ needsApproval }) => needsApproval).length;
    expect((await give(world, partly)).configurations).toBe(asked);
  });
});
