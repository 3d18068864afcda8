import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { withMaintenance } from '../../../../services/cli/maintenance.ts';
import type { Ledger } from '../../../../shared/ports/ledger.ts';
import type { Logger } from '../../../../shared/ports/system.ts';
import { policyOf } from '../../../support/domain-kit.ts';
import { Workshop } from '../../../support/workshop.ts';

const POLICY = policyOf('computeOptimizer: Active', 'notify: { eventBus: default }');

describe('a run whose audit log stops answering when the work is over', () => {
  let shop: Workshop;
  let warnings: string[];

  beforeEach(async () => {
    shop = await Workshop.open({ policy: POLICY });
    warnings = [];
  });
  afterEach(() => shop.close());

  function run<T>(work: () => Promise<T>): Promise<T> {
    const ledger: Ledger = Object.create(shop.store.ledger, {
      unpublished: { value: () => Promise.reject(new Error('the store is busy')) },
    });
    const none = (): void => undefined;
    const warn = (message: string): void => {
      warnings.push(message);
    };
    const logger: Logger = { debug: none, info: none, warn, error: none };
    const context = { env: {}, store: { eventBus: async () => null, outboxLagMs: 0 }, output: { note: none } };
    return withMaintenance(context, { deps: shop.deps({ ledger, logger }), store: shop.store }, POLICY, work);
  }

  it('keeps its result, and logs what failed', async () => {
    await expect(run(async () => 'done')).resolves.toBe('done');
    expect(warnings).toContain('maintenance failed: publish; the next process will retry it');
    expect(warnings).toContain('could not count the entries that are not on the event bus yet');
  });

  it('keeps its own error', async () => {
    await expect(run(() => Promise.reject(new Error('credentials refused')))).rejects.toThrow('credentials refused');
  });
});
