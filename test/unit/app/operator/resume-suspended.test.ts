import { describe, expect, it } from 'vitest';
import { resume, suspend } from '../../../../shared/app/guardrails/controls.ts';
import { settleControls } from '../../../../shared/app/operator/apply-controls.ts';
import { parseOperatorSelector } from '../../../../shared/domain/policy/index.ts';
import { reconcilerBed } from '../../../support/reconciler-bed.ts';
import { accountId } from '../../../support/workshop.ts';

const bed = reconcilerBed();
const A = accountId(0);

function selectorOf(text: string) {
  const parsed = parseOperatorSelector(text);
  if (!parsed.ok) throw new Error(parsed.message);
  return parsed.selector;
}

async function suspendAll(): Promise<void> {
  await suspend(bed.shop.deps(), { selector: selectorOf('all'), until: null, reason: null });
  await settleControls(bed.shop.deps());
}

async function resumeAll(): Promise<void> {
  await resume(bed.shop.deps(), selectorOf('all'));
  await settleControls(bed.shop.deps());
}

/** Every account complies. */
async function compliant(): Promise<void> {
  await bed.open();
  bed.shop.cloud.set(A, { computeOptimizer: { status: 'Active' } });
  await bed.shop.scan();
  await bed.shop.messages();
}

describe('an account that is no longer suspended', () => {
  it('is assessed without the suspension, even by a worker that read it less than a second ago', async () => {
    await compliant();
    await suspendAll();
    bed.shop.cloud.set(A, { computeOptimizer: { status: 'Inactive' } });
    await bed.shop.scan();
    await bed.shop.messages();
    const work = await bed.shop.process();
    await work.controls.now();
    await resumeAll();
    await bed.shop.workOff(work);
    expect(await bed.shop.condition(A)).toMatchObject({ verdict: 'Compliant', driftSince: null });
    expect(bed.changes()).toEqual(['UpdateEnrollmentStatus 1']);
  });

  it('is Compliant immediately if the last observation complies, and is read again', async () => {
    await compliant();
    await suspendAll();
    expect(await bed.shop.condition(A)).toMatchObject({ verdict: 'Suspended' });
    await resumeAll();
    expect(await bed.shop.condition(A)).toMatchObject({ verdict: 'Compliant', reason: null });
    const reads = bed.shop.cloud.calls.length;
    await bed.shop.workOff(await bed.shop.process());
    expect(bed.shop.cloud.calls.length).toBeGreaterThan(reads);
    const types = (await bed.shop.chain(A)).map(({ type }) => type);
    expect(types.slice(-2)).toEqual(['AccountSuspended', 'AccountResumed']);
  });

  it('has an unknown status until it is read if the last observation differs from the policy', async () => {
    await compliant();
    await suspendAll();
    bed.shop.cloud.set(A, { computeOptimizer: { status: 'Inactive' } });
    await bed.shop.scan();
    await resumeAll();
    expect(await bed.shop.condition(A)).toMatchObject({ verdict: 'Unknown', reason: 'resumed' });
  });
});
