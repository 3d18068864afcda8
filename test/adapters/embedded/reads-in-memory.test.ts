import { describe, expect, onTestFinished, test } from 'vitest';
import { cachedRecords } from '../../../shared/adapters/system/record-cache.ts';
import { cachedSnapshots } from '../../../shared/adapters/system/snapshot-cache.ts';
import type { AccountRecord } from '../../../shared/domain/account/record.ts';
import type { Records } from '../../../shared/ports/records.ts';
import { account, facts, range, record } from '../../contract/samples.ts';
import { makeBench } from './stores.ts';

const AGE_MS = 1_000;

async function listed(records: Records): Promise<readonly AccountRecord[]> {
  const found: AccountRecord[] = [];
  for await (const page of records.all()) found.push(...page);
  return found;
}

async function place() {
  const bench = makeBench();
  onTestFinished(() => bench.dispose());
  const { records, snapshots } = await bench.open();
  const reads: string[][] = [];
  const counting: Records = {
    ...records,
    getMany: (ids) => {
      reads.push([...ids]);
      return records.getMany(ids);
    },
  };
  return { clock: bench.clock, records, snapshots, counting, reads };
}

describe('records in memory', () => {
  test('only the records whose head has moved are read again; the others are the same objects', async () => {
    const { clock, records, counting, reads } = await place();
    await records.advance(range(250).map((n) => record(account(n), 1)));
    const cached = cachedRecords(counting, clock, { maxAgeMs: AGE_MS, maxRecords: 1_000 });
    const first = await listed(cached);
    expect(first).toEqual(await listed(records));
    expect(reads.flat()).toHaveLength(250);
    reads.length = 0;

    await records.advance([record(account(7), 2), record(account(500), 1)]);
    await clock.advance(AGE_MS);
    const second = await listed(cached);
    expect(reads).toEqual([[account(7), account(500)]]);
    expect(second).toEqual(await listed(records));
    expect(second.filter((each) => first.includes(each))).toHaveLength(249);
  });

  test('single records come from the same memory', async () => {
    const { clock, records, counting, reads } = await place();
    await records.advance(range(5).map((n) => record(account(n), 1)));
    const cached = cachedRecords(counting, clock, { maxAgeMs: AGE_MS, maxRecords: 1_000 });
    const all = await listed(cached);
    reads.length = 0;
    const found = await cached.getMany([account(3), account(900), account(1)]);
    expect([...found]).toEqual([account(3), account(1)].map((id) => [id, all.find((each) => each.accountId === id)]));
    expect(reads).toEqual([]);
    await records.advance([record(account(3), 2)]);
    await clock.advance(AGE_MS);
    expect((await cached.getMany([account(3)])).get(account(3))?.head.seq).toBe(2);
  });

  test('the store is read again only when the records are old, and once for several readers', async () => {
    const { clock, records, counting, reads } = await place();
    await records.advance([record(account(1), 1)]);
    const cached = cachedRecords(counting, clock, { maxAgeMs: AGE_MS, maxRecords: 1_000 });
    const [one, other] = await Promise.all([listed(cached), listed(cached)]);
    expect(one[0]).toBe(other[0]);
    await records.advance([record(account(1), 2)]);
    await clock.advance(AGE_MS - 1);
    expect(await listed(cached)).toEqual(one);
    expect(reads).toHaveLength(1);
    await clock.advance(1);
    expect((await listed(cached))[0]?.head.seq).toBe(2);
  });

  test('no records are kept for an organization that is too large', async () => {
    const { clock, records } = await place();
    await records.advance(range(11).map((n) => record(account(n), 1)));
    const cached = cachedRecords(records, clock, { maxAgeMs: AGE_MS, maxRecords: 10 });
    const [first, second] = [await listed(cached), await listed(cached)];
    expect(second).toEqual(await listed(records));
    expect(second[0]).not.toBe(first[0]);
  });

  test('after a failed read, the next one reads again', async () => {
    const { clock, records } = await place();
    await records.advance([record(account(1), 1)]);
    let broken = true;
    const failing: Records = {
      ...records,
      getMany: async (ids) => {
        if (broken) throw new Error('the disk is gone');
        return records.getMany(ids);
      },
    };
    const cached = cachedRecords(failing, clock, { maxAgeMs: AGE_MS, maxRecords: 10 });
    await expect(listed(cached)).rejects.toThrow('the disk is gone');
    broken = false;
    expect(await listed(cached)).toHaveLength(1);
  });
});

describe('the snapshot in memory', () => {
  const at = (takenAt: number) => ({
    ...{ organizationId: 'o-1', managementAccountId: account(1), takenAt, tags: false },
    accounts: [facts(1), facts(2)],
  });

  test('a new snapshot is seen immediately, a change of a single account after a while', async () => {
    const { clock, snapshots } = await place();
    const cached = cachedSnapshots(snapshots, clock, AGE_MS);
    expect(await cached.load()).toBeNull();
    await snapshots.save(at(1));
    const first = await cached.load();
    expect(first).toEqual(at(1));
    expect(await cached.load()).toBe(first);

    await snapshots.refresh([facts(2, { name: 'renamed' })]);
    expect(await cached.load()).toBe(first);
    expect(await cached.get(account(2))).toMatchObject({ name: 'renamed' });
    await clock.advance(AGE_MS);
    expect((await cached.load())?.accounts[1]?.name).toBe('renamed');

    await snapshots.save(at(2));
    expect(await cached.load()).toEqual(at(2));
  });
});
