import { describe, expect, it } from 'vitest';
import type { Cloud } from '../../../../shared/ports/cloud.ts';
import { DAY, HOUR, MANAGEMENT_ID, NOW, policyOf, seen } from '../../../support/domain-kit.ts';
import { cloudError, listing } from '../../../support/memory-cloud.ts';
import { scanWith, useWorkshop } from '../../../support/scan-bed.ts';
import { accountId, type Workshop } from '../../../support/workshop.ts';

const open = useWorkshop();
const MINUTE = 60_000;
const WAITING = accountId(0);
const DRIFTED = accountId(1);
const UNKNOWN = accountId(2);

/** A cloud in which the status of one of four accounts cannot be read. */
function partly({ cloud }: Workshop): Partial<Cloud> {
  const items = [
    { accountId: WAITING, observed: seen('Active') },
    { accountId: DRIFTED, observed: seen('Inactive') },
  ];
  return {
    list: listing(cloud, 'computeOptimizer', async () => ({ items, nextToken: null })),
    read: async (kind, id) => {
      if (id === UNKNOWN) throw cloudError('Denied', 'AccessDenied');
      return id === MANAGEMENT_ID ? seen('Active') : cloud.read(kind, id);
    },
  };
}

describe('a key whose cool-down ends, in a run that minCoverage stopped', () => {
  const FREELY = 'guardrails: { maxChanges: { percent: 100 } }';
  const POLICY = policyOf('computeOptimizer: Active, automation: Active', FREELY);
  const ENROLLED = { status: 'Active', lastUpdated: NOW - 30 * DAY } as const;
  const OPTED_OUT = { status: 'Inactive', lastUpdated: NOW - 23 * HOUR } as const;

  it('is not queued if the scan found the cool-down; the next scan plans its change', async () => {
    const shop = await open({ policy: POLICY, members: 3 });
    shop.cloud.set(WAITING, { computeOptimizer: ENROLLED, automation: OPTED_OUT });
    const work = await shop.process();
    expect((await scanWith(shop, partly(shop))).trip?.reason).toBe('minCoverage');
    expect(await shop.condition(WAITING, 'automation')).toMatchObject({ reason: 'coolDown' });
    await shop.later(work, HOUR);
    expect(shop.cloud.changes).toEqual([]);
    await shop.scan();
    await shop.workOff(work);
    expect(shop.cloud.changes.flatMap(({ accountIds }) => accountIds)).toContain(WAITING);
  });

  it('is queued if a worker found the cool-down after an event, because it read the account', async () => {
    const shop = await open({ policy: POLICY, members: 3 });
    shop.cloud.set(WAITING, { computeOptimizer: ENROLLED, automation: ENROLLED });
    const work = await shop.process();
    expect((await scanWith(shop, partly(shop))).trip?.reason).toBe('minCoverage');
    await shop.clock.advance(MINUTE);
    shop.cloud.set(WAITING, { automation: OPTED_OUT });
    const common = { v: 1, policyHash: POLICY.hash, runId: 'run-1', planHash: null } as const;
    await shop.handle(work, { ...common, kind: 'account', accountId: WAITING, enrollment: 'automation' });
    expect(await shop.condition(WAITING, 'automation')).toMatchObject({ reason: 'coolDown' });
    await shop.later(work, HOUR);
    expect(shop.cloud.changes.map(({ accountIds }) => accountIds)).toEqual([[WAITING]]);
  });
});
