import { describe, expect, it } from 'vitest';
import { RunStore } from '../../shared/app/coordination/run-store.ts';
import { approve } from '../../shared/app/guardrails/approvals.ts';
import { writeEntries } from '../../shared/app/ledger/write-entries.ts';
import { readSavedPlan } from '../../shared/app/plan/saved-plan.ts';
import { planDocument } from '../../shared/app/queries/plan-document.ts';
import type { Runtime } from '../../shared/compose/runtime.ts';
import { accountEntry, facetOfCondition } from '../../shared/domain/account/transition.ts';
import { ORGANIZATION_CHAIN } from '../../shared/domain/ledger/entry.ts';
import { toIso } from '../../shared/domain/time.ts';
import { callBySomebodyElse } from '../support/foreign-calls.ts';
import { startWorld, type World } from '../support/world.ts';
import { checkWorld } from '../support/world-checks.ts';

const MANAGED = { automation: 'Active', organizationRules: 'AnyAllowed', automationConfigurations: 'manage' } as const;
const ANY_IN_SANDBOX = 'rules: [{ id: any, match: { ou: /Sandbox }, organizationRules: AnyAllowed }]';
const PUT = 'PutOrganizationEnrollmentConfiguration';
const LIST = 'ListOrganizationEnrollmentConfigurations';
const sandbox = { accounts: 60, drift: 0, configurationDelayMs: 5_000 } as const;

const rootId = (world: World): string =>
  world.sandbox.organizationalUnits().find(({ parentId }) => parentId === null)?.id ?? '';
const stored = (world: World) =>
  Object.fromEntries(
    world.sandbox.configurations().map(({ targetId, organizationRuleMode }) => [targetId, organizationRuleMode]),
  );
const puts = (world: World) => world.wire.mutating.filter(({ operation }) => operation === PUT);
const inDev = (world: World) =>
  world
    .members(({ ou }) => ou === '/Workloads/Dev')
    .map(({ accountId, automation }) => [accountId, automation.status, automation.organizationRuleMode]);

function putBySomebodyElse(world: World, organizationRuleMode: string): void {
  callBySomebodyElse(world, PUT, { target: { organizationalUnitId: rootId(world) }, organizationRuleMode });
  world.clock.advance(10 * 60_000);
}

describe('the limits of organization enrollment configurations', () => {
  it('does not take failed calls of its own for deletions by somebody else', async () => {
    const world = await startWorld({ sandbox, policy: MANAGED });
    world.sandbox.setFaults([{ operation: PUT, kind: 'internal', code: 'ConflictException', count: 4 }]);
    await world.run();
    expect(puts(world).map(({ answer }) => answer)).toEqual(['error', 'error', 'error', 'error', 'ok']);
    expect(stored(world)).toEqual({ [rootId(world)]: 'AnyAllowed' });
  });

  it('does not replace a configuration of somebody else that has the rule mode from before its own', async () => {
    const world = await startWorld({ sandbox, policy: MANAGED });
    const policy = { organizationRules: 'NoneAllowed' };
    await world.run();
    await world.run({ policy });
    expect(stored(world)).toEqual({ [rootId(world)]: 'NoneAllowed' });
    putBySomebodyElse(world, 'AnyAllowed');
    const run = await world.run({ policy });
    expect(stored(world)).toEqual({ [rootId(world)]: 'AnyAllowed' });
    expect(run.plan.configurations?.calls).toMatchObject([{ owner: 'other', needsApproval: true }]);
  });

  it.each(['automation: unmanaged, organizationRules: unmanaged', 'organizationRules: unmanaged', 'mode: alert'])(
    'keeps a configuration that applies to accounts with %s, because they would be opted out',
    async (settings) => {
      const world = await startWorld({ sandbox, policy: MANAGED });
      await world.run();
      const before = inDev(world);
      expect(before).not.toEqual([]);
      const more = `rules: [{ id: dev, match: { ou: /Workloads/Dev }, ${settings} }]`;
      const run = await world.run({ policy: { more } });
      expect(run.plan.totals.optOuts).toBe(0);
      expect(inDev(world)).toEqual(before);
      expect(stored(world)).toEqual({ [rootId(world)]: 'AnyAllowed' });
      await checkWorld(world);
    },
  );

  it('deletes its configuration and disables every account in one run if the policy wants Automation Inactive', async () => {
    const world = await startWorld({ sandbox, policy: MANAGED });
    await world.run();
    const run = await world.run({ policy: { automation: 'Inactive', organizationRules: 'NoneAllowed' } });
    expect(stored(world)).toEqual({});
    expect(run.open).toEqual([]);
    expect(world.members(({ automation }) => automation.status === 'Active').length).toBe(0);
    await checkWorld(world);
  });

  it('makes a call once if the listing of configurations does not show it yet', async () => {
    const world = await startWorld({ sandbox, policy: MANAGED });
    world.wire.onAnswer = ({ operation }, answer) =>
      operation === LIST && answer.kind === 'ok'
        ? { ...answer, output: { organizationEnrollmentConfigurations: [] } }
        : undefined;
    await world.run();
    expect(puts(world).map(({ answer }) => answer)).toEqual(['ok']);
  });

  it('changes nothing above an exempt account that moved after the scan', async () => {
    const world = await startWorld({ sandbox, policy: MANAGED });
    const held = world.member(
      ({ ou, computeOptimizer, automation }) =>
        ou === '/Sandbox' && computeOptimizer.status === 'Active' && automation.organizationRuleMode === 'NoneAllowed',
    );
    const until = new Date(world.clock.now() + 9 * 86_400_000).toISOString().slice(0, 10);
    const more = `exemptions: [{ accounts: ["${held.accountId}"], until: ${until}, reason: test, owner: test }]`;
    const update = [{ accountId: held.accountId, ou: '/Workloads/Dev' }];
    await world.run({ policy: { more }, onPlan: () => void world.sandbox.changeAccounts({ update }) });
    expect(world.truthOf(held.accountId)).toMatchObject({ ou: '/Workloads/Dev', automation: held.automation });
    expect(Object.keys(stored(world))).not.toContain(rootId(world));
    await checkWorld(world);
  });

  it('counts only the accounts that lose AnyAllowed for maxOptOuts', async () => {
    const world = await startWorld({ sandbox, policy: MANAGED });
    await world.run({ policy: { automation: 'unmanaged', organizationRules: 'unmanaged' } });
    const [first, ...others] = world.members(({ automation }) => automation.organizationRuleMode === 'AnyAllowed');
    expect(first).toBeDefined();
    const changes = others.map(
      ({ accountId }) => ({ accountId, enrollment: 'automation', status: 'Inactive' }) as const,
    );
    world.sandbox.drift({ changes });
    world.clock.advance(25 * 3_600_000);
    const guardrails = '{ maxChanges: { percent: 100, atLeast: 10 }, maxOptOuts: { percent: 0, atLeast: 1 } }';
    const run = await world.run({ policy: { organizationRules: 'NoneAllowed', guardrails } });
    expect(run.plan).toMatchObject({ trip: null, totals: { optOuts: 1 } });
    expect(stored(world)).toEqual({ [rootId(world)]: 'NoneAllowed' });
    await checkWorld(world);
  });

  it('makes the calls of a saved plan, but not those for configurations of somebody else', async () => {
    const world = await startWorld({ sandbox: { ...sandbox, scenario: 'configurations' }, policy: MANAGED });
    await world.run({ policy: { automation: 'unmanaged', organizationRules: 'unmanaged' } });
    const foreign = stored(world);
    const document = planDocument(await world.plan(), 'run', 0);
    expect(document.configurations?.calls.some(({ needsApproval }) => needsApproval)).toBe(true);
    const saved = readSavedPlan(JSON.parse(JSON.stringify(document)));
    if (!saved.ok) throw new Error(saved.problem);
    const { planHash } = saved.plan;
    const app = await world.app();
    await new RunStore(app.deps.registers).storeSavedPlan(saved.plan, world.clock.now());
    await world.apply(app, { planHash });
    expect(stored(world)).toEqual({ ...foreign, [rootId(world)]: 'AnyAllowed' });
    await checkWorld(world);
  });

  it('reads the accounts again after it has waited for a call, so that an account that moved meanwhile has an intent', async () => {
    const world = await startWorld({ sandbox: { ...sandbox, configurationDelayMs: 60_000 }, policy: MANAGED });
    const automationConfigurations = 'observe';
    await world.run({ policy: { automationConfigurations, organizationRules: 'NoneAllowed' } });
    const { accountId } = world.member(
      ({ ou, automation }) => ou === '/Workloads/Dev' && automation.status === 'Active',
    );
    world.wire.onAnswer = ({ operation }) => {
      // The call for the OU comes first, and that for the root waits for it.
      if (operation === PUT && Object.keys(stored(world)).length === 1)
        world.sandbox.changeAccounts({ update: [{ accountId, ou: '/Sandbox' }] });
      return undefined;
    };
    const more = 'rules: [{ id: dev, match: { ou: /Workloads/Dev }, organizationRules: NoneAllowed }]';
    await world.run({ policy: { more } });
    expect(stored(world)[rootId(world)]).toBe('AnyAllowed');
    const reached = puts(world)
      .at(-1)
      ?.accounts.find(({ truth }) => truth.accountId === accountId);
    expect(reached?.intentId ?? null).not.toBeNull();
    await checkWorld(world);
  });

  it('replaces no configuration that somebody else has stored since the plan was approved', async () => {
    const guardrails = '{ maxChanges: { percent: 0, atLeast: 1 } }';
    const world = await startWorld({ sandbox, policy: { ...MANAGED, guardrails } });
    const { plan } = await world.run();
    expect(plan.configurations?.calls).toMatchObject([{ targetId: rootId(world), owner: 'none' }]);
    putBySomebodyElse(world, 'NoneAllowed');
    const app = await world.app();
    await approve(app.deps, plan.planHash, { actor: 'operator', reason: null });
    await world.apply(app);
    expect(stored(world)).toEqual({ [rootId(world)]: 'NoneAllowed' });
    expect(puts(world)).toEqual([]);
  });

  it('makes every call that an approved one relies on, also for an OU without accounts', async () => {
    const world = await startWorld({ sandbox, policy: MANAGED });
    await world.run({ policy: { organizationRules: 'NoneAllowed', more: ANY_IN_SANDBOX } });
    expect(Object.values(stored(world)).sort()).toEqual(['AnyAllowed', 'NoneAllowed']);
    const update = world
      .members(({ ou }) => ou === '/Sandbox')
      .map(({ accountId }) => ({ accountId, ou: '/Workloads/Dev' }));
    world.sandbox.changeAccounts({ update });
    putBySomebodyElse(world, 'AnyAllowed');
    const policy = { organizationRules: 'NoneAllowed' };
    const { plan } = await world.run({ policy });
    expect(plan.configurations?.calls.map(({ target, accounts }) => [target, accounts > 0])).toEqual([
      ['/Sandbox', false],
      ['/', true],
    ]);
    const app = await world.app({ policy });
    await approve(app.deps, plan.planHash, { actor: 'operator', reason: null });
    await world.apply(app);
    expect(new Set(Object.values(stored(world)))).toEqual(new Set(['NoneAllowed']));
  });

  it('waits while another worker holds a claim on an account that the call would reach', async () => {
    const world = await startWorld({ sandbox, policy: MANAGED });
    await world.run({
      policy: { automation: 'Active', organizationRules: 'unmanaged', automationConfigurations: 'observe' },
    });
    const app = await world.app();
    const { accountId } = world.member(({ automation }) => automation.organizationRuleMode === 'NoneAllowed');
    const expiresAt = await claimByAnotherWorker(app, accountId);
    await world.apply(app);
    expect(stored(world)).toEqual({ [rootId(world)]: 'AnyAllowed' });
    const started = (await app.deps.ledger.read(ORGANIZATION_CHAIN, 0, 1_000)).filter(
      ({ type }) => type === 'ConfigurationStarted',
    );
    expect(started.map(({ at }) => at > expiresAt)).toEqual([true]);
    await checkWorld(world);
  });
});

/** Claims an account as a worker does that has not sent its call yet. @returns when the claim expires, ISO 8601 */
async function claimByAnotherWorker({ deps, settings }: Runtime, accountId: string): Promise<string> {
  const record = await deps.records.get(accountId);
  const condition = record?.conditions.automation;
  if (!record || !condition) return expect.fail('the account has no record');
  const context = { now: deps.clock.now(), newId: deps.newId, runId: 'other', actor: 'other', policyHash: null };
  const claimExpiresAt = toIso(context.now + settings.claimMs);
  const after = { ...facetOfCondition(condition), verdict: 'Drifted', reason: 'ruleModeDiffers' } as const;
  const api = { operation: 'AssociateAccounts', requestId: null, clientToken: 'other' };
  const detail = { claimExpiresAt, scope: 'member', target: null, optOut: false } as const;
  const decide = () => [accountEntry(context, 'RemediationStarted', accountId, 'automation', { after, api, detail })];
  await writeEntries(deps, [{ record, decide }]);
  return claimExpiresAt;
}
