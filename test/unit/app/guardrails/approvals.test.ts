import { afterEach, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { RunStore } from '../../../../shared/app/coordination/run-store.ts';
import { ApprovalError } from '../../../../shared/app/guardrails/approvable-plan.ts';
import { type Approver, approve } from '../../../../shared/app/guardrails/approvals.ts';
import type { Check } from '../../../../shared/app/reconciler/guard.ts';
import { ChangeRefused, Guard } from '../../../../shared/app/reconciler/guard.ts';
import { checksOf } from '../../../../shared/app/reconciler/guard-checks.ts';
import { requestScan } from '../../../../shared/app/schedule/scan-schedule.ts';
import type { CompiledPolicy } from '../../../../shared/domain/policy/index.ts';
import { DAY, HOUR, NOW, policyOf } from '../../../support/domain-kit.ts';
import { accountId, keyOf, Workshop } from '../../../support/workshop.ts';

const CAPPED = policyOf('computeOptimizer: Active', 'guardrails: { maxChanges: { percent: 0, atLeast: 2 } }');
const MEMBERS = 6;

let shop: Workshop;
afterEach(() => shop.close());

/** An organization whose first scan has tripped a guardrail, with the stored plan. */
async function tripped(policy: CompiledPolicy = CAPPED): Promise<string> {
  shop = await Workshop.open({ policy, members: MEMBERS });
  const plan = await shop.scan();
  expect(plan.trip?.reason).toBe('maxChanges');
  expect(await shop.messages()).toEqual([]);
  return plan.planHash;
}

const approver: Approver = { actor: 'user:ada', reason: 'reviewed' };
const give = (hash: string, who = approver) => approve(shop.deps(), hash, who);
const changed = () => shop.cloud.changes.flatMap(({ accountIds }) => accountIds);
const refusal = async (promise: Promise<unknown>): Promise<string> => {
  const error = await promise.then(
    () => null,
    (reason: unknown) => reason,
  );
  if (!(error instanceof ApprovalError)) throw error ?? new Error('was not refused');
  return error.code;
};

describe('an approved plan', () => {
  it('is carried out by the next scan, and the ledger names the approver', async () => {
    const hash = await tripped();
    const { approval, changes } = await give(hash.slice(0, 12));
    expect(changes).toBe(MEMBERS);
    const entry = (await shop.chain('organization')).at(-1);
    expect(entry).toMatchObject({ type: 'PlanApproved', actor: 'user:ada', policyHash: CAPPED.hash });
    expect(entry?.detail).toMatchObject({ planHash: hash, message: 'reviewed', summary: { changes: 6, accounts: 6 } });
    const plan = await shop.scan();
    expect(plan).toMatchObject({ trip: null, approval: { planHash: hash, actor: approval.actor } });
    await shop.workOff(await shop.process());
    expect(new Set(changed()).size).toBe(MEMBERS);
    for (const { id } of shop.members) expect((await shop.condition(id)).verdict).toBe('Compliant');
  });

  it('counts only the accounts that it changes, not those whose changes wait', async () => {
    const hash = await tripped();
    const runs = new RunStore(shop.deps().registers);
    const [plan] = await runs.storedPlans(hash);
    if (plan === undefined) throw new Error('no plan is stored');
    const keys = [...plan.keys, `${accountId(90)} computeOptimizer Active none`];
    await runs.storePlan(hash, plan.policyHash, keys, NOW);
    expect(await give(hash)).toMatchObject({ changes: MEMBERS, accounts: MEMBERS });
  });

  it('covers only its changes: fixed drift does not matter, and new drift counts from zero', async () => {
    shop = await Workshop.open({ policy: CAPPED, members: MEMBERS + 2 });
    const late = [5, 6, 7].map(accountId);
    for (const id of late) shop.cloud.set(id, { computeOptimizer: { status: 'Active' } });
    const { planHash } = await shop.scan();
    await give(planHash);
    shop.cloud.set(accountId(0), { computeOptimizer: { status: 'Active' } });
    for (const id of late) shop.cloud.set(id, { computeOptimizer: { status: 'Inactive' } });
    expect((await shop.scan()).trip).toBeNull();
    const work = await shop.process();
    await shop.workOff(work);
    expect(changed().sort()).toEqual([1, 2, 3, 4].map(accountId));
    const after = await shop.scan();
    expect(after.trip).toMatchObject({ reason: 'maxChanges', limit: { accounts: 3, within24Hours: 3, allowed: 2 } });
    expect(after.due.map((change) => change.accountId)).toEqual(late);
    expect(await shop.messages()).toEqual([]);
    shop.cloud.set(accountId(7), { computeOptimizer: { status: 'Active' } });
    expect((await shop.scan()).trip).toBeNull();
    await shop.workOff(work);
    expect(changed().sort()).toEqual([1, 2, 3, 4, 5, 6].map(accountId));
  });

  it('allows no other change: changes that events add to its run count toward maxChanges', async () => {
    shop = await Workshop.open({ policy: CAPPED, members: MEMBERS + 2 });
    const late = [5, 6, 7];
    for (const n of late) shop.cloud.set(accountId(n), { computeOptimizer: { status: 'Active' } });
    const { planHash } = await shop.scan();
    await give(planHash);
    const run = shop.run();
    expect((await shop.scan(run)).trip).toBeNull();
    const work = await shop.process();
    await shop.workOff(work);
    for (const n of late) {
      shop.cloud.set(accountId(n), { computeOptimizer: { status: 'Inactive' } });
      // The event handler queues it like this: under the last run, not bound to a plan.
      await shop.handle(work, keyOf(shop, run, n));
    }
    expect(changed().sort()).toEqual([0, 1, 2, 3, 4, 5, 6].map(accountId));
    expect(await shop.condition(accountId(7))).toMatchObject({ verdict: 'Blocked', reason: 'guardrail' });
  });

  it('is used by the first mutating call, so it starts no later run', async () => {
    const hash = await tripped();
    await give(hash);
    await shop.scan();
    await shop.workOff(await shop.process());
    expect(await refusal(give(hash))).toBe('ApprovalUsed');
    for (const { id } of shop.members) shop.cloud.set(id, { computeOptimizer: { status: 'Inactive' } });
    const again = await shop.scan();
    expect(again).toMatchObject({ planHash: hash, trip: { reason: 'maxChanges' } });
    // The same plan was held up again, so it can be approved again.
    await shop.clock.advance(HOUR);
    await shop.scan();
    expect((await give(hash)).approval.usedAt).toBeNull();
  });

  it('stays unused if another guardrail stops its run before the first call', async () => {
    const hash = await tripped();
    await give(hash);
    await shop.scan();
    const work = await shop.process();
    const halted: Check = { ask: () => Promise.reject(new ChangeRefused('guardrail', 'halted')) };
    const parts = { deps: shop.deps(), runs: work.runs, policy: CAPPED, controls: work.controls };
    await shop.workOff({ ...work, guard: new Guard(parts, [halted, ...checksOf(parts)]) });
    expect(changed()).toEqual([]);
    expect(await shop.scan()).toMatchObject({ trip: null, approval: { planHash: hash } });
    await shop.workOff(work);
    expect(new Set(changed()).size).toBe(MEMBERS);
  });

  it('ends after 24 hours, also for a run that has begun', async () => {
    const hash = await tripped();
    await give(hash);
    await shop.scan();
    const messages = await shop.messages();
    const work = await shop.process();
    const [first, ...rest] = messages;
    if (first === undefined) throw new Error('nothing was queued');
    await shop.handle(work, first);
    await shop.clock.advance(DAY - 1);
    await shop.scan();
    for (const message of rest.slice(0, 2)) await shop.handle(work, message);
    expect(changed()).toHaveLength(3);
    await shop.clock.advance(1);
    for (const message of rest.slice(2)) await shop.handle(work, message);
    // From then on, maxChanges allows two.
    expect(changed()).toHaveLength(5);
    expect((await shop.scan()).trip?.reason).toBe('maxChanges');
  });

  it('expires unused', async () => {
    const hash = await tripped();
    await give(hash);
    await shop.clock.advance(DAY);
    expect((await shop.scan()).trip?.reason).toBe('maxChanges');
    expect((await give(hash)).approval.at).toBe(NOW + DAY);
  });

  it('lifts only maxChanges', async () => {
    const strict = policyOf(
      'computeOptimizer: Inactive',
      'guardrails: { maxChanges: { percent: 0, atLeast: 2 }, maxOptOuts: { percent: 0, atLeast: 0 } }',
    );
    shop = await Workshop.open({ policy: strict, members: MEMBERS });
    for (const { id } of shop.members) shop.cloud.set(id, { computeOptimizer: { status: 'Active' } });
    const stopped = await shop.scan();
    expect(stopped.trip?.reason).toBe('maxOptOuts');
    // Simulates a plan that only maxChanges held up when it was approved.
    await (await shop.process()).runs.notePlanHeldUp(stopped.planHash, 'maxChanges');
    await give(stopped.planHash);
    expect((await shop.scan()).trip?.reason).toBe('maxOptOuts');
    expect(changed()).toEqual([]);
  });

  it('belongs to its run: later scans neither trip on its changes nor queue them again', async () => {
    const hash = await tripped();
    await give(hash);
    await shop.scan();
    const work = await shop.process();
    const [first, ...rest] = await shop.messages();
    if (first === undefined) throw new Error('nothing was queued');
    await shop.handle(work, first);
    const later = await shop.scan();
    expect(later).toMatchObject({ trip: null, due: [] });
    expect(await shop.messages()).toEqual([]);
    for (const message of rest) await shop.handle(work, message);
    expect(new Set(changed()).size).toBe(MEMBERS);
  });
});

describe('the tick', () => {
  it('requests one scan immediately after an approval', async () => {
    const hash = await tripped();
    const deps = shop.deps();
    const first = await requestScan(deps, CAPPED);
    expect(first).not.toBeNull();
    const { endPart, beginPart } = await import('../../../../shared/app/schedule/scan-schedule.ts');
    const end = async (runId: string) => {
      await beginPart(deps, runId);
      await shop.scan({ ...shop.run(), runId });
      await endPart(deps, runId, 'done');
    };
    await end(first?.runId ?? '');
    let lists = 0;
    const list: typeof deps.registers.list = (prefix) => {
      lists += 1;
      return deps.registers.list(prefix);
    };
    const counting = { ...deps, registers: { ...deps.registers, list } };
    expect(await requestScan(counting, CAPPED)).toBeNull();
    // The tick looks for approvals only if one was given in the last 24 hours.
    expect(lists).toBe(0);
    await give(hash);
    const second = await requestScan(counting, CAPPED);
    expect(lists).toBe(1);
    expect(second).toMatchObject({ again: false });
    await end(second?.runId ?? '');
    expect(await requestScan(deps, CAPPED)).toBeNull();
    await shop.workOff(await shop.process());
    expect(new Set(changed()).size).toBe(MEMBERS);
  });
});

describe('an approval is refused', () => {
  it('of a plan that is not stored, or whose prefix is ambiguous', async () => {
    const hash = await tripped();
    expect(await refusal(give('0'.repeat(12)))).toBe('PlanUnknown');
    const { runs } = await shop.process();
    await runs.storePlan(`${hash.slice(0, 12)}${'0'.repeat(52)}`, CAPPED.hash, [], NOW);
    expect(await refusal(give(hash.slice(0, 12)))).toBe('PlanAmbiguous');
    expect((await give(hash)).approval.planHash).toBe(hash);
  });

  it('of a plan that another guardrail blocks, because it would have no effect', async () => {
    const optOuts = policyOf('computeOptimizer: Inactive', 'guardrails: { maxChanges: { percent: 100 } }');
    shop = await Workshop.open({ policy: optOuts, members: MEMBERS });
    for (const { id } of shop.members) shop.cloud.set(id, { computeOptimizer: { status: 'Active' } });
    const { planHash, trip } = await shop.scan();
    expect(trip?.reason).toBe('maxOptOuts');
    const refused = give(planHash);
    expect(await refusal(refused)).toBe('PlanNotApprovable');
    await expect(refused).rejects.toThrow(/held up by maxOptOuts.*raise guardrails\.maxOptOuts/);
    expect((await shop.chain('organization')).map(({ type }) => type)).not.toContain('PlanApproved');
  });

  it('of a plan with too little coverage, until coverage is sufficient', async () => {
    const hash = await tripped();
    const { runs } = await shop.process();
    await runs.notePlanHeldUp(hash, 'minCoverage');
    await expect(give(hash)).rejects.toThrow(/held up by minCoverage.*lower guardrails\.minCoverage/);
    await shop.clock.advance(HOUR);
    await shop.scan();
    expect((await give(hash)).approval.planHash).toBe(hash);
  });

  it('but not of a plan of an earlier version, which did not store its guardrail', async () => {
    const hash = await tripped();
    const stored = await shop.store.registers.read(`plan/${hash}`);
    const { policyHash, storedAt, keys } = z
      .object({ policyHash: z.string(), storedAt: z.number(), keys: z.array(z.string()) })
      .parse(stored?.value);
    await shop.store.registers.write(`plan/${hash}`, { policyHash, storedAt, keys }, stored?.version ?? null);
    expect(await give(hash)).toMatchObject({ changes: MEMBERS });
  });

  it('of a plan of another policy', async () => {
    const hash = await tripped();
    const other = policyOf('computeOptimizer: Active', 'guardrails: { maxChanges: { percent: 0, atLeast: 3 } }');
    await shop.scan({ ...shop.run(), policy: other });
    expect(await refusal(give(hash))).toBe('PlanOutdated');
  });

  it('of a plan that another operator has approved before or in parallel', async () => {
    const hash = await tripped();
    const both = await Promise.allSettled([give(hash), give(hash, { actor: 'user:grace', reason: null })]);
    expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(await refusal(give(hash))).toBe('PlanAlreadyApproved');
    const entries = (await shop.chain('organization')).filter(({ type }) => type === 'PlanApproved');
    expect(entries).toHaveLength(1);
  });

  it('but can be repeated if its process crashed before it was recorded', async () => {
    const hash = await tripped();
    const deps = shop.deps();
    const broken = { ...deps.ledger, append: () => Promise.reject(new Error('the process ends here')) };
    await expect(approve({ ...deps, ledger: { ...deps.ledger, ...broken } }, hash, approver)).rejects.toThrow(
      'ends here',
    );
    expect((await shop.scan()).trip?.reason).toBe('maxChanges');
    expect(await refusal(give(hash))).toBe('PlanAlreadyApproved');
    await shop.clock.advance(60_000);
    expect((await give(hash)).approval.recorded).toBe(true);
  });
});
