import { afterEach, expect, it } from 'vitest';
import { serve } from '../../../../shared/app/runtime/daemon.ts';
import type { MaintenanceTask } from '../../../../shared/app/runtime/maintenance.ts';
import type { WorkQueue } from '../../../../shared/ports/queue.ts';
import { MINUTE, policyOf } from '../../../support/domain-kit.ts';
import { keyOf, Workshop } from '../../../support/workshop.ts';

let shop: Workshop;
afterEach(() => shop.close());

it('enqueues due keys while the queue never empties, but less often than an idle daemon', async () => {
  shop = await Workshop.open({ policy: policyOf('computeOptimizer: Active') });
  await shop.scan();
  const stop = new AbortController();
  let received = 0;
  // A key of a superseded policy needs no work. Each one takes a second.
  const message = { ...keyOf(shop, shop.run()), policyHash: 'superseded' };
  const queue: WorkQueue = {
    ...shop.store.queue,
    async receive() {
      received += 1;
      await shop.clock.advance(1_000);
      if (received === 120) stop.abort();
      return [{ message, receipt: `${received}`, receives: 1, sentAt: 0, lane: 'bulk' }];
    },
    acknowledge: async () => undefined,
  };
  const ranAt: number[] = [];
  const task: MaintenanceTask = {
    ...{ name: 'requeue due', group: 'queue', everyMs: 1_000 },
    async run() {
      ranAt.push(shop.clock.now());
      return {};
    },
  };
  const served = serve(shop.deps({ queue }), shop.settings, shop.retrying(), shop.policy, {
    ...{ stop: stop.signal, tasks: [task], onProgress: () => undefined, onScanStarted: () => undefined },
    ...{ onScan: () => undefined, onError: (_, error) => expect.fail(String(error)) },
  });
  await shop.settle(served);
  const gaps = ranAt.slice(1).map((at, n) => at - (ranAt[n] ?? at));
  expect(Math.max(...gaps)).toBeLessThan(MINUTE / 2);
  expect(Math.min(...gaps)).toBeGreaterThanOrEqual(10_000);
  expect(ranAt.length).toBeGreaterThan(4);
});
