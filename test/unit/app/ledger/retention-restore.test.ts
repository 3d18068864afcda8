import { afterEach, expect, it } from 'vitest';
import { pruneOld } from '../../../../shared/app/ledger/retention.ts';
import { ORGANIZATION_CHAIN } from '../../../../shared/domain/ledger/entry.ts';
import { toIso } from '../../../../shared/domain/time.ts';
import { account, range, sealAll } from '../../../contract/samples.ts';
import { DAY, MINUTE, policyOf } from '../../../support/domain-kit.ts';
import { Workshop } from '../../../support/workshop.ts';

let shop: Workshop;
afterEach(() => shop.close());

/** Searches until nothing more is due. */
async function pruned(retentionMs: number, removable: number) {
  let [searches, entries] = [0, 0];
  for (let more = true; more && searches < 20; searches += 1) {
    const step = await pruneOld(shop.deps(), retentionMs, async () => removable);
    entries += step.entries;
    more = step.more;
  }
  return { searches, entries };
}

async function filled(): Promise<void> {
  shop = await Workshop.open({ policy: policyOf('computeOptimizer: Active') });
  const from = shop.clock.now();
  const at = (n: number) => ({ at: toIso(from + n * MINUTE) });
  const { ledger } = shop.store;
  const restored = { ...at(0), type: 'StoreRestored', accountId: null, enrollment: null } as const;
  await ledger.append(
    sealAll(ORGANIZATION_CHAIN, [
      restored,
      ...range(600).map((n) => ({ ...restored, ...at(n), type: 'ScanStarted' as const })),
    ]),
  );
  await ledger.append(
    sealAll(
      account(1),
      range(50).map((n) => at(601 + n)),
    ),
  );
}

it('a restore at the beginning of a chain delays its removal, and no search finds the same again', async () => {
  await filled();
  await shop.clock.advance(DAY + 14 * 60 * MINUTE);
  expect(await pruned(DAY, Number.POSITIVE_INFINITY)).toEqual({ searches: 1, entries: 0 });
  await shop.clock.advance(2 * DAY);
  const { entries } = await pruned(DAY, Number.POSITIVE_INFINITY);
  expect(entries).toBe(651);
});

it('a search that may remove nothing yet is not repeated immediately', async () => {
  await filled();
  await shop.clock.advance(5 * DAY);
  expect(await pruned(DAY, 0)).toEqual({ searches: 1, entries: 0 });
});
