import { expect, it, onTestFinished } from 'vitest';
import type { Deps } from '../../../../shared/app/context.ts';
import { apply } from '../../../../shared/app/runtime/apply.ts';
import { policyOf } from '../../../support/domain-kit.ts';
import { accountId, Workshop } from '../../../support/workshop.ts';

it('changes that a run never began are not started, not failed', async () => {
  const members = 12;
  const policy = policyOf('computeOptimizer: Active', 'guardrails: { maxChanges: { percent: 100 } }');
  const shop = await Workshop.open({ policy, members });
  onTestFinished(() => shop.close());
  for (let n = 0; n < members; n += 1) shop.cloud.set(accountId(n), { computeOptimizer: { status: 'Inactive' } });
  // Another process has received every message and keeps it.
  const queue: Deps['queue'] = {
    ...shop.store.queue,
    receive: async (max) => {
      await shop.store.queue.receive(max, 3_600_000);
      return [];
    },
  };
  const options = { waitMs: 1_000, stop: new AbortController().signal, onProgress: () => undefined };
  const run = apply(shop.deps({ queue }), shop.settings, shop.retrying(), shop.run(), options);
  const { planned, changes, interrupted, stopped } = await shop.settle(run);
  expect({ interrupted, stopped }).toEqual({ interrupted: false, stopped: null });
  const none = { confirmed: 0, inProgress: 0, failed: 0, blocked: 0 };
  expect(planned).toEqual({ total: members, ...none, notStarted: members });
  expect(changes).toEqual({ attempted: 0, succeeded: 0, failed: 0, blocked: 0, converging: 0 });
});
