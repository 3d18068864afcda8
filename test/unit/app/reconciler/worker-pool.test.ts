import { describe, expect, it } from 'vitest';
import { WorkerPool } from '../../../../shared/app/reconciler/worker-pool.ts';
import { reconcilerBed } from '../../../support/reconciler-bed.ts';
import { storeBusy } from '../../../support/store-busy.ts';
import { accountId } from '../../../support/workshop.ts';

const bed = reconcilerBed();
const A = accountId(0);

/** One message, whose work lasts until the returned function is called. */
async function openWithHeldWork(): Promise<() => void> {
  await bed.open();
  await bed.shop.scan();
  const { promise: held, resolve } = Promise.withResolvers<void>();
  bed.trouble = ({ operation }) => (operation === 'GetEnrollmentStatus' ? { wait: held } : null);
  return resolve;
}

describe('the worker pool', () => {
  it('extends the visibility timeout of a message while its work lasts', async () => {
    const finish = await openWithHeldWork();
    const pool = new WorkerPool(await bed.shop.process(), () => undefined);
    await pool.take();
    // The worker has started once its heartbeat sleeps.
    while (bed.shop.clock.sleeping === 0) await new Promise((resolve) => setImmediate(resolve));
    // In steps, because each extension is a write that takes a moment of real time.
    for (let step = 0; step < 30; step += 1) {
      await bed.shop.clock.advance(bed.shop.settings.visibilityMs / 10);
      await bed.shop.store.queue.depth();
    }
    expect(await bed.shop.store.queue.depth()).toMatchObject({ visible: 0, inFlight: 1 });
    expect(await bed.shop.store.queue.receive(1, 1_000)).toEqual([]);
    finish();
    await bed.shop.settle(pool.drain());
    expect(await bed.shop.store.queue.depth()).toMatchObject({ visible: 0, inFlight: 0 });
    expect(await bed.shop.condition(A)).toMatchObject({ verdict: 'Compliant' });
    // The extensions end with the work.
    expect(bed.shop.clock.sleeping).toBe(0);
  });

  it('keeps extending the visibility timeout after an extension has failed', async () => {
    const finish = await openWithHeldWork();
    const { queue: stored } = bed.shop.store;
    let extensions = 0;
    const extend: typeof stored.extend = async (delivery, visibilityMs) => {
      extensions += 1;
      if (extensions <= 2) throw storeBusy();
      return stored.extend(delivery, visibilityMs);
    };
    const warnings: string[] = [];
    const logger = { ...bed.shop.deps().logger, warn: (message: string) => void warnings.push(message) };
    const pool = new WorkerPool(await bed.shop.process({ queue: { ...stored, extend }, logger }), () => undefined);
    await pool.take();
    while (bed.shop.clock.sleeping === 0) await new Promise((resolve) => setImmediate(resolve));
    for (let step = 0; step < 30; step += 1) {
      await bed.shop.clock.advance(bed.shop.settings.visibilityMs / 10);
      await stored.depth();
    }
    expect(await stored.depth()).toMatchObject({ visible: 0, inFlight: 1 });
    expect(warnings).toEqual(Array(2).fill('could not extend the visibility timeout of a message'));
    finish();
    await bed.shop.settle(pool.drain());
    expect(await bed.shop.condition(A)).toMatchObject({ verdict: 'Compliant' });
    expect(bed.shop.clock.sleeping).toBe(0);
  });
});
