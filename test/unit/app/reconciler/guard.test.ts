import { describe, expect, it } from 'vitest';
import { RunStore } from '../../../../shared/app/coordination/run-store.ts';
import { suspend } from '../../../../shared/app/guardrails/controls.ts';
import { countFailure } from '../../../../shared/app/ledger/run-stops.ts';
import { changeKey } from '../../../../shared/app/plan/change-keys.ts';
import type { Check } from '../../../../shared/app/reconciler/guard.ts';
import { ChangeRefused, Guard } from '../../../../shared/app/reconciler/guard.ts';
import { checksOf } from '../../../../shared/app/reconciler/guard-checks.ts';
import type { WorkContext } from '../../../../shared/app/reconciler/worker-context.ts';
import { earlyScanRequest } from '../../../../shared/app/schedule/scan-requests.ts';
import { parseOperatorSelector } from '../../../../shared/domain/policy/rules/operator-selector.ts';
import { DAY, MANAGEMENT, NOW, policyOf } from '../../../support/domain-kit.ts';
import { cloudError } from '../../../support/memory-cloud.ts';
import { NO_CAPS, reconcilerBed } from '../../../support/reconciler-bed.ts';
import { accountId, keyOf } from '../../../support/workshop.ts';

const bed = reconcilerBed();

describe('guardrails, right before the call', () => {
  it('a run that is stopped between intent and call: the claim is closed as Blocked, without a call', async () => {
    await bed.open();
    const run = bed.shop.run();
    await bed.shop.scan(run);
    const work = await bed.shop.process();
    let checks = 0;
    const guard = Object.create(work.guard, {
      check: {
        value: async (...args: Parameters<typeof work.guard.check>) => {
          checks += 1;
          // The first check is made before the intent. The run is stopped after it.
          if (checks === 2) for (let n = 0; n < 6; n += 1) await countFailure(work.deps, work.runs, run);
          return work.guard.check(...args);
        },
      },
    });
    await bed.shop.handle({ ...work, guard }, keyOf(bed.shop, run));
    expect(bed.changes()).toEqual([]);
    expect(await bed.shop.types(accountId(0))).toEqual(['DriftDetected', 'RemediationStarted', 'RemediationBlocked']);
    expect(await bed.shop.condition(accountId(0))).toMatchObject({
      verdict: 'Blocked',
      reason: 'guardrail',
      claim: null,
    });
  });

  it('a refusal with a known end: Blocked until then, and no scan is needed afterwards', async () => {
    await bed.open();
    const run = bed.shop.run();
    await bed.shop.scan(run);
    const work = await bed.shop.process();
    const until = bed.shop.clock.now() + 600_000;
    const closed: Check = {
      ask: async () => {
        if (bed.shop.clock.now() < until) throw new ChangeRefused('window', 'closed', until);
      },
    };
    const guarded = { ...work, guard: new Guard(work, [closed]) };
    await bed.shop.workOff(guarded);
    expect(bed.changes()).toEqual([]);
    const notBefore = new Date(until).toISOString();
    expect(await bed.shop.condition(accountId(0))).toMatchObject({ verdict: 'Blocked', reason: 'window', notBefore });
    await bed.shop.later(guarded, 500_000);
    expect(bed.changes()).toEqual([]);
    await bed.shop.later(guarded, 100_000);
    expect(bed.changes()).toEqual(['UpdateEnrollmentStatus 1']);
    expect(await bed.shop.condition(accountId(0))).toMatchObject({ verdict: 'Compliant', notBefore: null });
  });

  it('failureTolerance stops the run: the remaining accounts are Blocked without intents, and one entry records it', async () => {
    await bed.open({ members: 20 });
    bed.trouble = ({ operation }) =>
      operation === 'UpdateEnrollmentStatus' ? { before: cloudError('Invalid', 'InvalidParameterCombination') } : null;
    await bed.shop.scan();
    await bed.shop.workOff(await bed.shop.process());
    expect(bed.shop.cloud.changes).toHaveLength(5);
    const types = await Promise.all(bed.shop.members.map(({ id }) => bed.shop.types(id)));
    expect(types.filter((list) => list.includes('RemediationStarted'))).toHaveLength(5);
    expect(types.filter((list) => list.at(-1) === 'RemediationBlocked')).toHaveLength(15);
    const told = (await bed.shop.chain('organization')).filter(({ type }) => type === 'GuardrailTripped');
    expect(told).toHaveLength(1);
    expect(told[0]).toMatchObject({ reason: 'failureTolerance', runId: 'run-1' });
    // Only attempted changes count towards the caps of the next 24 hours.
    expect((await bed.shop.store.ledger.changedSince(new Date(NOW - DAY).toISOString())).size).toBe(5);
  });

  it('maxChanges limits keys that arrive one by one', async () => {
    const policy = policyOf('computeOptimizer: Active', 'guardrails: { maxChanges: { percent: 0, atLeast: 3 } }');
    await bed.open({ policy, members: 3 });
    const run = bed.shop.run();
    await bed.shop.scan(run);
    const work = await bed.shop.process();
    await bed.shop.workOff(work);
    expect(bed.shop.cloud.changes).toHaveLength(3);
    // The account that was changed may be changed again, but no other account.
    bed.shop.cloud.set(accountId(0), { computeOptimizer: { status: 'Inactive', lastUpdated: NOW + 1 } });
    await bed.shop.handle(work, keyOf(bed.shop, run, 0));
    expect(bed.shop.cloud.changes).toHaveLength(4);
    bed.shop.cloud.set('100000000000', { computeOptimizer: { status: 'Inactive', lastUpdated: NOW + 1 } });
    await bed.shop.handle(work, {
      ...keyOf(bed.shop, run),
      kind: 'account',
      enrollment: 'computeOptimizer',
      accountId: '100000000000',
    });
    expect(bed.shop.cloud.changes).toHaveLength(4);
    expect(await bed.shop.condition('100000000000')).toMatchObject({ verdict: 'Blocked', reason: 'guardrail' });
    // An early scan assesses all pending changes together and stores a plan to approve.
    expect(await earlyScanRequest(bed.shop.store.registers)).toMatchObject({
      reason: expect.stringContaining('maxChanges allows 3'),
    });
  });

  it('a key of an unknown run leads to no change', async () => {
    await bed.open();
    await bed.shop.scan();
    await bed.shop.handle(await bed.shop.process(), { ...keyOf(bed.shop, bed.shop.run()), runId: 'none' });
    expect(bed.changes()).toEqual([]);
    expect(await bed.shop.condition(accountId(0))).toMatchObject({ verdict: 'Blocked', reason: 'guardrail' });
  });

  it('a run bound to a plan makes the follow-ups of the changes in the plan, and no others', async () => {
    const policy = policyOf('computeOptimizer: Active, automation: Inactive', NO_CAPS);
    await bed.enrolled({ policy, members: 2 });
    const on = { status: 'Active', lastUpdated: NOW - DAY } as const;
    bed.shop.cloud.set('100000000000', { automation: { status: 'Inactive' } });
    bed.shop.cloud.set(accountId(0), { automation: { ...on, ruleMode: 'AnyAllowed' } });
    const found = await bed.shop.scan();
    await bed.shop.messages();
    const keys = found.due.map(changeKey);
    await new RunStore(bed.shop.store.registers).storePlan(found.planHash, policy.hash, keys, NOW);
    bed.shop.cloud.set(accountId(1), { automation: { ...on, ruleMode: 'NoneAllowed' } });
    // Otherwise the records are as new as this scan.
    await bed.shop.clock.advance(1);
    await bed.shop.scan(bed.shop.run(found.planHash));
    await bed.shop.workOff(await bed.shop.process());
    expect(bed.changes()).toEqual(['DisassociateAccounts 1', 'UpdateEnrollmentConfiguration 1']);
    expect(await bed.shop.condition(accountId(0), 'automation')).toMatchObject({ verdict: 'Compliant' });
    expect(await bed.shop.condition(accountId(1), 'automation')).toMatchObject({ verdict: 'Drifted' });
  });

  /** The guard of a worker, and the number of accounts that it has read one by one. */
  function countingGuard(work: WorkContext) {
    const { snapshots } = work.deps;
    const reads = { single: 0 };
    const get = (id: string) => {
      reads.single += 1;
      return snapshots.get(id);
    };
    const deps = { ...work.deps, snapshots: Object.create(snapshots, { get: { value: get } }) };
    return { guard: new Guard({ runs: work.runs, deps }, checksOf({ ...work, deps })), reads };
  }

  it.each([
    ['an operator has suspended one', '', 59],
    ['canaries come first', 'rollout: { canary: { match: { ou: /Workloads }, wait: 30m } }', 60],
  ])('reads the snapshot once for a call about many accounts while %s', async (_, rollout, allowed) => {
    await bed.open({ policy: policyOf('computeOptimizer: Active', `${NO_CAPS}\n${rollout}`), members: 60 });
    const run = bed.shop.run();
    await bed.shop.scan(run);
    const work = await bed.shop.process();
    const parsed = parseOperatorSelector(accountId(59));
    if (!parsed.ok) throw new Error('the id is not a selector');
    if (allowed < 60) await suspend(work.deps, { selector: parsed.selector, reason: 'freeze', until: null });
    const { guard, reads } = countingGuard(work);
    const ask = (accountIds: readonly string[]) =>
      guard.check(keyOf(bed.shop, run), { accountIds, optOut: false, stage: 'call' });
    const ids = bed.shop.members.map(({ id }) => id);
    await ask(ids.slice(0, allowed));
    expect(reads.single).toBe(0);
    await expect(ask([...ids, MANAGEMENT.id])).rejects.toThrow(ChangeRefused);
  });
});
