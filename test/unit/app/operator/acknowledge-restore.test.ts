import { afterEach, expect, it } from 'vitest';
import { RunStore } from '../../../../shared/app/coordination/run-store.ts';
import { approvalOf, approve, openApprovals } from '../../../../shared/app/guardrails/approvals.ts';
import { acknowledgeRestore } from '../../../../shared/app/operator/acknowledge-restore.ts';
import { policyOf } from '../../../support/domain-kit.ts';
import { Workshop } from '../../../support/workshop.ts';

const CAPPED = policyOf('computeOptimizer: Active', 'guardrails: { maxChanges: { percent: 0, atLeast: 2 } }');

let shop: Workshop;
afterEach(() => shop.close());

it('A restore that AWS has made revives no approval, which may have been used since the time of the backup', async () => {
  shop = await Workshop.open({ policy: CAPPED, members: 6 });
  const { planHash } = await shop.scan();
  await approve(shop.deps(), planHash, { actor: 'user:ada', reason: null });
  const bound = shop.run();
  await shop.scan(bound);
  await shop.clock.advance(1_000);
  await acknowledgeRestore(shop.deps(), 'table as of 06:00');
  const now = shop.clock.now();
  const { registers } = shop.store;
  expect(await openApprovals(registers, CAPPED.hash, now)).toEqual([]);
  expect(await approvalOf(registers, planHash)).toMatchObject({ expiresAt: now });
  const runs = new RunStore(registers);
  expect(await runs.get(bound.runId)).toMatchObject({ planHash, approvedUntil: now });
  expect(await runs.get('run-1')).toMatchObject({ planHash: null, approvedUntil: null });
});
