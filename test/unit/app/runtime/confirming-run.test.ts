import { expect, it, onTestFinished } from 'vitest';
import type { Deps } from '../../../../shared/app/context.ts';
import { apply } from '../../../../shared/app/runtime/apply.ts';
import type { DueRecord } from '../../../../shared/ports/records.ts';
import { policyOf } from '../../../support/domain-kit.ts';
import { accountId, Workshop } from '../../../support/workshop.ts';

const members = 12;
const policy = policyOf('computeOptimizer: Active', 'guardrails: { maxChanges: { percent: 100 } }');

/**
 * Longer than the pauses before the next check of a change, which grow on a busy machine, where much virtual time passes while the store is written. Less than
 * the minute in which a queued key does not count as due: otherwise the run would wait for that key even if nothing else kept it from ending early.
 */
const WAIT_MS = 50_000;

async function ran(over: (shop: Workshop) => Partial<Deps>) {
  const shop = await Workshop.open({ policy, members, settings: { listingFrom: members } });
  onTestFinished(() => shop.close());
  for (let n = 0; n < members; n += 1) shop.cloud.set(accountId(n), { computeOptimizer: { status: 'Inactive' } });
  const options = { waitMs: WAIT_MS, stop: new AbortController().signal, onProgress: () => undefined };
  const result = await shop.settle(apply(shop.deps(over(shop)), shop.settings, shop.retrying(), shop.run(), options));
  return result.planned;
}

it('a run that confirms its changes by a listing ends once they are confirmed', async () => {
  expect(await ran(() => ({}))).toMatchObject({ confirmed: members });
});

it('the run does not end early because the counts of the queue lag', async () => {
  const planned = await ran(({ store: { queue } }) => ({
    queue: { ...queue, depth: async () => ({ visible: 0, inFlight: 0, dead: 0 }) },
  }));
  expect(planned).toMatchObject({ confirmed: members });
});

it('the run does not end early because the index of due accounts lags', async () => {
  const planned = await ran(({ clock, store: { records } }) => {
    const snoozed = new Map<string, number>();
    return {
      records: {
        ...records,
        snooze: async (id, seq, until) => {
          snoozed.set(id, clock.now());
          await records.snooze(id, seq, until);
        },
        due: async (until, limit) => {
          // Much less than the run waits, because virtual time also passes while a busy machine writes to the store.
          const isIndexed = ({ record }: DueRecord): boolean =>
            clock.now() - (snoozed.get(record.accountId) ?? Number.NEGATIVE_INFINITY) > 200;
          return (await records.due(until, limit)).filter(isIndexed);
        },
      },
    };
  });
  expect(planned).toMatchObject({ confirmed: members });
});
