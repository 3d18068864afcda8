import { describe, expect, it } from 'vitest';
import { RunStore } from '../../../../shared/app/coordination/run-store.ts';
import { approvalOf, approve } from '../../../../shared/app/guardrails/approvals.ts';
import { readRollout } from '../../../../shared/app/guardrails/rollout-gate.ts';
import type { Plan } from '../../../../shared/app/plan/plan.ts';
import { advanceRollout } from '../../../../shared/app/rollout/rollout-controller.ts';
import { scan } from '../../../../shared/app/scan/scan.ts';
import { policyOf } from '../../../support/domain-kit.ts';
import { cloudError } from '../../../support/memory-cloud.ts';
import { isChange, NO_CAPS, reconcilerBed } from '../../../support/reconciler-bed.ts';
import { accountId, type Workshop } from '../../../support/workshop.ts';

const bed = reconcilerBed();
const canary = `rollout: { canary: { match: { accounts: ["${accountId(0)}"] }, wait: 10m } }`;
const STAGED = policyOf('computeOptimizer: Active', `${NO_CAPS}\n${canary}`);
/** Compliant when the plan is approved; drifts after that. */
const LATER = accountId(3);

const approver = { actor: 'user:ada', reason: null };

/** A canary has failed. Two other accounts have drifted. */
async function blocked(): Promise<Workshop> {
  const shop = await bed.open({ policy: STAGED, members: 4 });
  shop.cloud.set(LATER, { computeOptimizer: { status: 'Active' } });
  await shop.scan();
  bed.trouble = ({ operation }) =>
    isChange(operation) ? { before: cloudError('Denied', 'AccessDeniedException') } : null;
  await shop.workOff(await shop.process());
  bed.trouble = () => null;
  await advanceRollout(shop.deps(), STAGED);
  expect((await readRollout(shop.store.registers))?.value.phase).toBe('blocked');
  return shop;
}

/** An operator has approved the changes of the other accounts. @returns the hash of their plan */
async function approved(): Promise<string> {
  const shop = await blocked();
  const { planHash = null } = (await readRollout(shop.store.registers))?.value ?? {};
  if (planHash === null) expect.fail('the gate has no plan');
  await approve(shop.deps(), planHash, approver);
  shop.cloud.set(LATER, { computeOptimizer: { status: 'Inactive' } });
  return planHash;
}

/** A scan that opens the gate, and then loses its lease. */
async function firstPart(shop: Workshop, run: ReturnType<Workshop['run']>): Promise<void> {
  const lost = AbortSignal.abort(new Error('the lease was lost'));
  const scanning = scan(shop.deps(), shop.settings, shop.retrying(), run, () => undefined, lost);
  await expect(shop.settle(scanning)).rejects.toThrow('the lease was lost');
  expect((await readRollout(shop.store.registers))?.value.phase).toBe('open');
}

const due = (plan: Plan) => plan.due.map((change) => change.accountId);

describe('an approval that opens the rollout gate', () => {
  it('counts the changes that the gate holds back, even after a later scan', async () => {
    const shop = await blocked();
    await shop.clock.advance(60_000);
    const { planHash } = await shop.scan();
    expect(await approve(shop.deps(), planHash, approver)).toMatchObject({ changes: 2, accounts: 2 });
  });

  it('binds the run even if its scan continues in a second part', async () => {
    const planHash = await approved();
    const { shop } = bed;
    const { registers } = shop.store;
    await shop.clock.advance(60_000);
    const run = shop.run();
    await firstPart(shop, run);
    const plan = await shop.scan({ ...run, resumed: true });
    expect(due(plan)).not.toContain(LATER);
    expect(due(plan)).toEqual(expect.arrayContaining([accountId(1), accountId(2)]));
    expect(await new RunStore(registers).get(run.runId)).toMatchObject({ planHash });
    expect(await approvalOf(registers, planHash)).toMatchObject({ startedRun: run.runId });
  });

  it('binds the next run if the scan that opened the gate does not continue, but not the one after it', async () => {
    const planHash = await approved();
    const { shop } = bed;
    const runs = new RunStore(shop.store.registers);
    await shop.clock.advance(60_000);
    await firstPart(shop, shop.run());
    const next = shop.run();
    expect(due(await shop.scan(next))).not.toContain(LATER);
    expect(await runs.get(next.runId)).toMatchObject({ planHash });
    const last = shop.run();
    expect(due(await shop.scan(last))).toContain(LATER);
    expect(await runs.get(last.runId)).toMatchObject({ planHash: null });
  });
});
