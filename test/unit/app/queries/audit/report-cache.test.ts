import { describe, expect, onTestFinished, test } from 'vitest';
import { auditReport } from '../../../../../shared/app/queries/audit/report.ts';
import { ReportCache } from '../../../../../shared/app/queries/audit/report-cache.ts';
import type { Ledger } from '../../../../../shared/ports/ledger.ts';
import { makeBench } from '../../../../adapters/embedded/stores.ts';
import { account, FACET, sealAll, time } from '../../../../contract/samples.ts';

const MINUTE_MS = 60_000;
const SINCE = time(0);
const upTo = (minutes: number) => ({ since: SINCE, until: time(minutes * MINUTE_MS), intervalMs: MINUTE_MS, top: 5 });

/** A ledger with a drift in each of the first minutes; counts how often the state at the start of a report was computed. */
async function place(minutes = 30) {
  const bench = makeBench();
  onTestFinished(() => bench.dispose());
  const { ledger, snapshots } = await bench.open();
  const write = async (n: number): Promise<void> => {
    const joined = { type: 'AccountJoined', at: time(n * MINUTE_MS - 1), enrollment: null } as const;
    await ledger.append(sealAll(account(n), [joined, { at: time(n * MINUTE_MS), after: FACET }]));
  };
  for (let n = 1; n <= minutes; n += 1) await write(n);
  const counts = { starts: 0, entries: 0 };
  let broken = false;
  const counting: Ledger = {
    ...ledger,
    tails: (until) => {
      counts.starts += 1;
      return ledger.tails(until);
    },
    query: async (filter, page) => {
      if (broken) throw new Error('the disk is gone');
      const found = await ledger.query(filter, page);
      counts.entries += found.entries.length;
      return found;
    },
  };
  const setBroken = (is: boolean): void => {
    broken = is;
  };
  const plain = { ledger, snapshots };
  return { stores: { ledger: counting, snapshots }, plain, counts, write, setBroken, clock: bench.clock };
}

describe('reports that begin at the same time', () => {
  test('continue where the last one ended', async () => {
    const { stores, plain, counts, clock } = await place();
    const cache = new ReportCache(clock);
    await clock.advance(10 * MINUTE_MS);
    await cache.get(stores, upTo(10));
    const before = counts.entries;
    const report = await cache.get(stores, upTo(12));
    expect(report).toEqual(await auditReport(plain, upTo(12)));
    expect(report.drifts.detected).toBe(11);
    expect(counts).toMatchObject({ starts: 1 });
    expect(counts.entries - before).toBeLessThan(8);
  });

  test('do not use a replay that is ahead of them, old, or broken', async () => {
    const { stores, plain, counts, setBroken, clock } = await place();
    const cache = new ReportCache(clock);
    await clock.advance(30 * MINUTE_MS);
    await cache.get(stores, upTo(20));
    expect(await cache.get(stores, upTo(5))).toEqual(await auditReport(plain, upTo(5)));
    expect(counts.starts).toBe(2);
    await clock.advance(10 * MINUTE_MS);
    expect(await cache.get(stores, upTo(25))).toEqual(await auditReport(plain, upTo(25)));
    expect(counts.starts).toBe(3);
    setBroken(true);
    await expect(cache.get(stores, upTo(30))).rejects.toThrow('the disk is gone');
    setBroken(false);
    expect(await cache.get(stores, upTo(30))).toEqual(await auditReport(plain, upTo(30)));
    expect(counts.starts).toBe(4);
  });

  test('include what is written later, although an earlier report ended in the future', async () => {
    const { plain, write, clock } = await place(5);
    const cache = new ReportCache(clock);
    await clock.advance(5 * MINUTE_MS);
    await cache.get(plain, upTo(9));
    await clock.advance(3 * MINUTE_MS);
    for (const minutes of [6, 7, 8]) await write(minutes);
    for (const minutes of [9, 10]) {
      expect(await cache.get(plain, upTo(minutes))).toEqual(await auditReport(plain, upTo(minutes)));
    }
  });

  test('are correct although some entries are later than the present', async () => {
    const { plain, clock } = await place();
    const cache = new ReportCache(clock);
    await clock.advance(5 * MINUTE_MS);
    await cache.get(plain, upTo(9));
    await clock.advance(2 * MINUTE_MS);
    for (const minutes of [10, 12]) {
      expect(await cache.get(plain, upTo(minutes))).toEqual(await auditReport(plain, upTo(minutes)));
    }
  });

  test('are kept for at most two starts, and not for an invalid period', async () => {
    const { stores, counts, clock } = await place();
    const cache = new ReportCache(clock);
    await clock.advance(30 * MINUTE_MS);
    const from = (minutes: number) => ({ ...upTo(30), since: time(minutes * MINUTE_MS) });
    for (const minutes of [0, 1, 0, 1]) await cache.get(stores, from(minutes));
    expect(counts.starts).toBe(2);
    await cache.get(stores, from(2));
    await cache.get(stores, from(0));
    expect(counts.starts).toBe(4);
    await expect(cache.get(stores, from(30))).rejects.toThrow('ends before it begins');
    await cache.get(stores, from(2));
    expect(counts.starts).toBe(4);
  });
});
