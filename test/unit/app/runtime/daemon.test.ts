import { afterEach, expect, it } from 'vitest';
import { halt, unhalt } from '../../../../shared/app/guardrails/controls.ts';
import { settleControls } from '../../../../shared/app/operator/apply-controls.ts';
import { serve } from '../../../../shared/app/runtime/daemon.ts';
import { LOCAL_PACE, queueTasks } from '../../../../shared/app/runtime/maintenance.ts';
import type { MaintenanceTask } from '../../../../shared/app/runtime/run-tasks.ts';
import type { WorkQueue } from '../../../../shared/ports/queue.ts';
import { MINUTE, policyOf } from '../../../support/domain-kit.ts';
import { accountId, keyOf, Workshop } from '../../../support/workshop.ts';

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

it('records the drift that an event reports while changes are halted, and leaves planned changes on the queue', async () => {
  shop = await Workshop.open({ policy: policyOf('computeOptimizer: Active'), members: 2 });
  for (const { id } of shop.members) shop.cloud.set(id, { computeOptimizer: { status: 'Active' } });
  const run = shop.run();
  await shop.scan(run);
  await halt(shop.deps(), 'incident 7');
  for (const { id } of shop.members) shop.cloud.set(id, { computeOptimizer: { status: 'Inactive' } });
  const { queue } = shop.store;
  await queue.send([keyOf(shop, run, 0)]);
  await queue.send([keyOf(shop, run, 1)], { lane: 'bulk' });
  const served = async (ms: number): Promise<void> => {
    const stop = new AbortController();
    void shop.clock.sleep(ms).then(() => stop.abort());
    const tasks = queueTasks({ deps: shop.deps(), policy: async () => shop.policy }, LOCAL_PACE);
    await shop.settle(
      serve(shop.deps(), shop.settings, shop.retrying(), shop.policy, {
        ...{ stop: stop.signal, tasks, onProgress: () => undefined, onScanStarted: () => undefined },
        ...{ onScan: () => undefined, onError: (_, error) => expect.fail(String(error)) },
      }),
    );
  };
  await served(10 * MINUTE);
  expect(await shop.types(accountId(0))).toEqual(['DriftDetected', 'RemediationBlocked']);
  expect(await shop.condition(accountId(0))).toMatchObject({ status: 'Inactive', reason: 'halted' });
  expect(await queue.pending()).toBe(1);
  expect(shop.cloud.changes).toEqual([]);

  await unhalt(shop.deps());
  await settleControls(shop.deps());
  await served(10 * MINUTE);
  for (const { id } of shop.members) expect(await shop.condition(id)).toMatchObject({ status: 'Active' });
});
