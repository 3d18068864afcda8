import { expect, it } from 'vitest';
import { approvalOf, approve } from '../../../../shared/app/guardrails/approvals.ts';
import { policyOf } from '../../../support/domain-kit.ts';
import { reconcilerBed } from '../../../support/reconciler-bed.ts';

const bed = reconcilerBed();
const CAPPED = policyOf('computeOptimizer: Active', 'guardrails: { maxChanges: { percent: 0, atLeast: 2 } }');

it('A resumed run is still bound to the approved plan if a worker used the approval before the interruption', async () => {
  const shop = await bed.open({ policy: CAPPED, members: 6 });
  const { planHash } = await shop.scan();
  await approve(shop.deps(), planHash, { actor: 'user:ada', reason: null });
  const run = shop.run();
  await shop.scan(run);
  const [first = expect.fail('nothing was queued')] = await shop.messages();
  await shop.handle(await shop.process(), first);
  expect((await approvalOf(shop.store.registers, planHash))?.usedBy).toBe(run.runId);
  // The process ended before it had queued the other changes.
  await shop.messages();
  await shop.clock.advance(60_000);
  const again = await shop.scan({ ...run, resumed: true });
  expect(again).toMatchObject({ trip: null, approval: { planHash } });
  expect(again.due).toHaveLength(5);
  expect(again.changes.filter(({ reason }) => reason === 'approvedRun')).toEqual([]);
});
