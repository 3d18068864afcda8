import { afterEach } from 'vitest';
import { scan } from '../../shared/app/scan/scan.ts';
import type { Cloud } from '../../shared/ports/cloud.ts';
import { Workshop, type WorkshopOptions } from './workshop.ts';

/**
 * Checks the invariants of the test's workshop after each test, and closes it. Call it at the top of a test file.
 * @returns a function that opens the workshop of the current test
 */
export function useWorkshop(): (options: WorkshopOptions) => Promise<Workshop> {
  let shop: Workshop | null = null;
  afterEach(async () => {
    await shop?.checkInvariants();
    await shop?.close();
    shop = null;
  });
  return async (options) => {
    shop = await Workshop.open(options);
    return shop;
  };
}

/** The workshop's scan with parts of its cloud replaced. */
export function scanWith(workshop: Workshop, over: Partial<Cloud>) {
  const deps = workshop.deps({ cloud: { ...workshop.cloud, ...over } });
  const signal = new AbortController().signal;
  return workshop.settle(scan(deps, workshop.settings, workshop.retrying(), workshop.run(), () => undefined, signal));
}
