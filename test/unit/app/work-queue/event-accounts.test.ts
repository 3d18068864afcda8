import { describe, expect, it } from 'vitest';
import { beginPart, endPart, requestScan } from '../../../../shared/app/schedule/scan-schedule.ts';
import { enqueueAccounts } from '../../../../shared/app/work-queue/enqueue-event-accounts.ts';
import { HOUR, policyOf } from '../../../support/domain-kit.ts';
import { NO_CAPS, reconcilerBed } from '../../../support/reconciler-bed.ts';
import { accountId } from '../../../support/workshop.ts';

const bed = reconcilerBed();
const A = accountId(0);

/** A daemon's scan begins. @returns its run */
async function begin(policy = bed.shop.policy): Promise<string> {
  const request = await requestScan(bed.shop.deps(), policy);
  const { runId } = request ?? expect.fail('no scan is due');
  await beginPart(bed.shop.deps(), runId);
  return runId;
}

async function complete(runId: string): Promise<void> {
  await bed.shop.scan({ ...bed.shop.run(), runId });
  await endPart(bed.shop.deps(), runId, 'done');
}

/** Somebody opts the account out, and an event reports it. */
async function optOut(): Promise<void> {
  bed.shop.cloud.set(A, { computeOptimizer: { status: 'Inactive' } });
  await enqueueAccounts(bed.shop.deps(), bed.shop.policy.hash, [A]);
}

describe('an account that an event reports', () => {
  it('is fixed while a scan is running, under the last complete run', async () => {
    await bed.open();
    const work = await bed.shop.process();
    const first = await begin();
    await complete(first);
    await bed.shop.workOff(work);
    await bed.shop.clock.advance(HOUR);
    const running = await begin();
    await optOut();
    await bed.shop.workOff(work);
    expect(await bed.shop.condition(A)).toMatchObject({ verdict: 'Compliant', runId: first });
    expect(await bed.shop.types(A)).not.toContain('RemediationBlocked');
    await complete(running);
    await optOut();
    await bed.shop.workOff(work);
    expect(await bed.shop.condition(A)).toMatchObject({ verdict: 'Compliant', runId: running });
  });

  it('waits for the first scan under a new policy, whose guardrails have checked nothing yet', async () => {
    await bed.open();
    await complete(await begin());
    await bed.shop.workOff(await bed.shop.process());
    const changed = policyOf('computeOptimizer: Active, automation: Inactive', NO_CAPS);
    const running = await begin(changed);
    await enqueueAccounts(bed.shop.deps(), changed.hash, [A]);
    const [message] = await bed.shop.messages();
    expect(message).toMatchObject({ runId: running, policyHash: changed.hash });
  });
});
