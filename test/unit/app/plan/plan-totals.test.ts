import { describe, expect, it } from 'vitest';
import { RunStore } from '../../../../shared/app/coordination/run-store.ts';
import { approve, useApproval } from '../../../../shared/app/guardrails/approvals.ts';
import { keysOf } from '../../../../shared/app/plan/change-keys.ts';
import type { Plan } from '../../../../shared/app/plan/plan.ts';
import { readSavedPlan } from '../../../../shared/app/plan/saved-plan.ts';
import { planDocument } from '../../../../shared/app/queries/plan-document.ts';
import { plan } from '../../../../shared/app/scan/scan.ts';
import { callsOf, followUpsOf, totalChanges, totalsOf } from '../../../../shared/domain/decision/plan-totals.ts';
import { change, id } from '../../../support/changes.ts';
import { HOUR, iso, NOW, policyOf } from '../../../support/domain-kit.ts';
import { useWorkshop } from '../../../support/scan-bed.ts';
import { accountId, type Workshop } from '../../../support/workshop.ts';

const BOTH = 'computeOptimizer: Active, automation: Active, organizationRules: AnyAllowed';
const FREELY = 'guardrails: { maxChanges: { percent: 100 }, maxOptOuts: { percent: 100 } }';
const UPTO_4 = 'guardrails: { maxChanges: { percent: 0, atLeast: 4 } }';

const held = (n: number, rest: Parameters<typeof change>[0] = {}) =>
  change({
    ...{ accountId: id(n), enrollment: 'automation', verdict: 'Blocked', reason: 'prerequisite' },
    ...{ action: 'none', heldAction: 'AssociateAccounts', scope: 'batch', desiredRuleMode: 'AnyAllowed' },
    ...rest,
  });

const open = useWorkshop();

/** A dry run. */
const dry = (workshop: Workshop, onlyThese: ReadonlySet<string> | null = null): Promise<Plan> =>
  workshop.settle(
    plan(workshop.deps(), workshop.settings, workshop.retrying(), workshop.run(), () => undefined, onlyThese),
  );

const LONG_AGO = NOW - 48 * HOUR;
const ON = { status: 'Active', lastUpdated: LONG_AGO } as const;
const OFF = { status: 'Inactive', lastUpdated: LONG_AGO } as const;
const ASSOCIATED = { ...ON, ruleMode: 'AnyAllowed' } as const;

/** The first accounts have both kinds off, the next ones lack only Automation, and the rest comply. */
function drifted(workshop: Workshop, both: number, automationOnly: number): void {
  for (const [n, { id: member }] of workshop.members.entries()) {
    workshop.cloud.set(member, {
      computeOptimizer: n < both ? OFF : ON,
      automation: n < both + automationOnly ? OFF : ASSOCIATED,
    });
  }
}

describe('follow-ups', () => {
  it('are changes that wait for Compute Optimizer while it is being enabled, by this plan or already', () => {
    const enabling = change({ accountId: id(1) });
    const converging = change({ accountId: id(2), verdict: 'Converging', action: 'none', observed: 'Pending' });
    const optingOut = change({ accountId: id(3), desired: 'Inactive', optOut: true });
    const all = [enabling, converging, optingOut, ...[1, 2, 3, 4].map((n) => held(n))];
    const found = followUpsOf(all, [enabling, optingOut], NOW);
    expect(found.map(({ accountId: account, action }) => [account, action])).toEqual([
      [id(1), 'AssociateAccounts'],
      [id(2), 'AssociateAccounts'],
    ]);
  });

  it('exclude changes that wait for a prerequisite, are paused, or have no call', () => {
    const enabling = change({ accountId: id(1) });
    const others = [
      held(1, { reason: 'coolDown' }),
      held(1, { verdict: 'Exempt', reason: 'exemption' }),
      held(1, { heldAction: 'none' }),
      held(1, { notBefore: iso(NOW + HOUR) }),
    ];
    for (const other of others) expect(followUpsOf([enabling, other], [enabling], NOW)).toEqual([]);
  });
});

describe('the calls of a plan', () => {
  it('are batches over due changes and follow-ups, and two calls if a member is disassociated first', () => {
    const due = Array.from({ length: 30 }, (_, n) => held(n, { action: 'AssociateAccounts', verdict: 'Drifted' }));
    const later = Array.from({ length: 30 }, (_, n) => held(100 + n, { action: 'AssociateAccounts' }));
    const leaving = change({
      ...{ accountId: id(500), enrollment: 'automation', action: 'DisassociateAccounts', scope: 'batch', optOut: true },
      ...{ observed: 'Active', desired: 'Inactive', desiredRuleMode: 'NoneAllowed' },
    });
    const released = { ...leaving, accountId: id(501), desired: null };
    expect(totalsOf([...due, leaving, released], later)).toEqual({ now: 32, followUps: 30, optOuts: 2, calls: 4 });
    expect(callsOf([leaving], []).map(({ operation, calls }) => [operation, calls])).toEqual([
      ['DisassociateAccounts', 1],
      ['UpdateEnrollmentConfiguration', 1],
    ]);
  });
});

describe('a plan', () => {
  it('counts the due changes and the follow-ups', async () => {
    const workshop = await open({ policy: policyOf(BOTH, FREELY), members: 12 });
    drifted(workshop, 5, 4);
    const found = await dry(workshop);
    expect(found.totals).toEqual({ now: 9, followUps: 5, optOuts: 0, calls: 6 });
    const work = await workshop.process();
    await workshop.scan();
    await workshop.workOff(work);
    for (let minute = 0; minute < 10; minute += 1) await workshop.later(work, 60_000);
    const made = workshop.cloud.changes.flatMap(({ accountIds }) => accountIds);
    expect(made).toHaveLength(totalChanges(found.totals));
    expect((await dry(workshop)).totals).toEqual({ now: 0, followUps: 0, optOuts: 0, calls: 0 });
  });

  it('restricted to a saved plan counts only the changes of that plan', async () => {
    const workshop = await open({ policy: policyOf(BOTH, FREELY), members: 12 });
    drifted(workshop, 5, 4);
    const keys = new Set(keysOf((await dry(workshop)).changes));
    for (const n of [9, 10]) workshop.cloud.set(accountId(n), { computeOptimizer: OFF, automation: OFF });
    expect((await dry(workshop)).totals).toMatchObject({ now: 11, followUps: 7 });
    expect((await dry(workshop, keys)).totals).toMatchObject({ now: 9, followUps: 5 });
  });

  it('counts each account once toward the cap, also an account with only a follow-up', async () => {
    const workshop = await open({ policy: policyOf(BOTH, UPTO_4), members: 12 });
    drifted(workshop, 4, 0);
    expect(await dry(workshop)).toMatchObject({ trip: null, totals: { now: 4, followUps: 4 } });
    // The prerequisite is already being enabled there, so the account has no due change.
    workshop.cloud.set(accountId(8), {
      computeOptimizer: { status: 'Pending', lastUpdated: NOW },
      automation: OFF,
    });
    expect(await dry(workshop)).toMatchObject({ trip: { reason: 'maxChanges' }, totals: { now: 4, followUps: 5 } });
  });

  it('does not count the changes of an earlier run again', async () => {
    const workshop = await open({ policy: policyOf(BOTH, UPTO_4), members: 12, cloud: { pendingMs: HOUR } });
    drifted(workshop, 6, 0);
    const saved = await dry(workshop);
    await new RunStore(workshop.store.registers).storePlan(
      saved.planHash,
      workshop.policy.hash,
      keysOf(saved.changes),
      NOW,
    );
    await workshop.scan(workshop.run(saved.planHash));
    await workshop.workOff(await workshop.process());
    expect(await dry(workshop)).toMatchObject({ trip: null, totals: { now: 0, followUps: 6 } });
  });
});

describe('a run that is bound to a plan', () => {
  it('makes the changes and follow-ups of that plan, and no others', async () => {
    const workshop = await open({ policy: policyOf(BOTH, UPTO_4), members: 12 });
    drifted(workshop, 5, 1);
    const reviewed = readSavedPlan(JSON.parse(JSON.stringify(planDocument(await dry(workshop), 'run', 0))));
    if (!reviewed.ok) throw new Error(reviewed.problem);
    const { planHash, policyHash, keys } = reviewed.plan;
    await new RunStore(workshop.store.registers).storePlan(planHash, policyHash, keys, NOW);
    for (const n of [9, 10]) workshop.cloud.set(accountId(n), { automation: OFF });
    const work = await workshop.process();
    await workshop.scan(workshop.run(planHash));
    await workshop.workOff(work);
    for (let minute = 0; minute < 10; minute += 1) await workshop.later(work, 60_000);
    const made = workshop.cloud.changes.flatMap(({ accountIds }) => accountIds);
    expect(new Set(made)).toEqual(new Set([0, 1, 2, 3, 4, 5].map(accountId)));
    expect(made).toHaveLength(11);
  });

  it('by an approval makes its follow-ups, too', async () => {
    const workshop = await open({ policy: policyOf(BOTH, UPTO_4), members: 12 });
    drifted(workshop, 5, 1);
    const stopped = await workshop.scan();
    expect(stopped).toMatchObject({ trip: { reason: 'maxChanges' }, totals: { now: 6, followUps: 5 } });
    await approve(workshop.deps(), stopped.planHash, { actor: 'ops', reason: null });
    expect((await dry(workshop)).underApproval).toMatchObject({ now: 6, followUps: 5 });
    const work = await workshop.process();
    const run = await workshop.scan();
    expect(run).toMatchObject({ trip: null, totals: { now: 6, followUps: 5 } });
    await workshop.workOff(work);
    for (let minute = 0; minute < 10; minute += 1) await workshop.later(work, 60_000);
    expect(workshop.cloud.changes.flatMap(({ accountIds }) => accountIds)).toHaveLength(11);
  });
});

describe('a plan while an approved run makes its changes', () => {
  it('lists them as in progress, and a saved plan permits only the other changes, which its totals count', async () => {
    const workshop = await open({ policy: policyOf(BOTH, UPTO_4), members: 12 });
    drifted(workshop, 5, 1);
    const stopped = await workshop.scan();
    await approve(workshop.deps(), stopped.planHash, { actor: 'ops', reason: null });
    const run = workshop.run();
    expect(await workshop.scan(run)).toMatchObject({ trip: null, totals: { now: 6, followUps: 5 } });
    // As a worker does right before the first call of the run.
    await useApproval(workshop.store.registers, stopped.planHash, run.runId, NOW);
    for (const n of [9, 10]) workshop.cloud.set(accountId(n), { automation: OFF });
    const later = await dry(workshop);
    expect(later.totals).toMatchObject({ now: 2, followUps: 0 });
    const byRun = later.changes.filter(({ reason }) => reason === 'approvedRun');
    expect(byRun).toHaveLength(11);
    expect(new Set(byRun.map(({ status, action, heldAction }) => [status, action, heldAction].join()))).toEqual(
      new Set(['In progress,none,none']),
    );
    const saved = readSavedPlan(JSON.parse(JSON.stringify(planDocument(later, 'run', 0))));
    if (!saved.ok) throw new Error(saved.problem);
    expect(new Set(saved.plan.keys.map((key) => key.split(' ')[0]))).toEqual(new Set([9, 10].map(accountId)));
  });
});

describe('a saved plan', () => {
  it('of an earlier version without totals can be read', async () => {
    const workshop = await open({ policy: policyOf(BOTH, FREELY), members: 3 });
    drifted(workshop, 2, 0);
    const found = await dry(workshop);
    const { totals, ...older } = planDocument(found, 'run', 0);
    expect(totals).toMatchObject({ now: 2, followUps: 2 });
    expect(readSavedPlan(JSON.parse(JSON.stringify(older)))).toMatchObject({
      ok: true,
      plan: { planHash: found.planHash },
    });
  });
});
