import { expect } from 'vitest';
import { type AccountRecord, wakeAt, withCondition } from '../../shared/domain/account/record.ts';
import { byKind } from '../../shared/domain/enrollment/kinds/index.ts';
import type { Records } from '../../shared/ports/records.ts';
import { MANUAL_CLOCK_START as START } from '../support/manual-clock.ts';
import { contractOf } from './contract.ts';
import { account, CONDITION, FACET, FIRST, LAST, range, record, time } from './samples.ts';

const A = account(1);
const B = account(2);

const dueIds = async (records: Records, until: number, limit = 100): Promise<readonly string[]> =>
  (await records.due(until, limit)).map((due) => due.record.accountId);

async function pagesOf<T>(pages: AsyncIterable<readonly T[]>): Promise<readonly (readonly T[])[]> {
  const found: (readonly T[])[] = [];
  for await (const page of pages) found.push(page);
  return found;
}

export const recordsContract = contractOf<Records>()('Records', {
  async 'a record that was never stored does not exist'({ port }) {
    expect(await port.get(A)).toBeNull();
    expect((await port.getMany([A, B])).size).toBe(0);
    expect((await port.getMany([])).size).toBe(0);
    expect(await port.due(Number.MAX_SAFE_INTEGER, 10)).toEqual([]);
    for await (const page of port.all()) expect(page).toEqual([]);
    await port.advance([]);
  },

  async 'a record is read as it was stored, by this and any other client'({ port, another }) {
    const claim = {
      ...{
        entryId: 'e',
        startedAt: time(0),
        expiresAt: time(9),
        operation: 'UpdateEnrollmentStatus',
        clientToken: null,
        optOut: false,
      },
    };
    const full: AccountRecord = {
      accountId: A,
      head: { seq: 3, hash: 'd'.repeat(64) },
      present: false,
      conditions: {
        ...byKind(() => CONDITION),
        [FIRST]: { ...CONDITION, claim },
        [LAST]: { ...CONDITION, ...FACET, rule: 'ümläut "quoted"', ruleMode: 'AnyAllowed' },
      },
    };
    const bare: AccountRecord = { ...record(B, 1), conditions: byKind(() => null) };
    await port.advance([full, bare]);
    expect(await port.get(A)).toEqual(full);
    expect(await (await another()).get(B)).toEqual(bare);
  },

  async 'a record only replaces one with a smaller head'({ port }) {
    await port.advance([record(A, 5, { rule: 'five' })]);
    await port.advance([record(A, 4, { rule: 'four' }), record(A, 5, { rule: 'another five' }), record(B, 1)]);
    expect(await port.get(A)).toEqual(record(A, 5, { rule: 'five' }));
    expect(await port.get(B)).toEqual(record(B, 1));
    await port.advance([record(A, 9, { rule: 'nine' })]);
    expect(await port.get(A)).toEqual(record(A, 9, { rule: 'nine' }));
  },

  async 'the newest record stays in any order of writes'({ port, another }) {
    const clients = [port, await another()];
    const order = [3, 7, 1, 8, 2, 6, 4, 5];
    await Promise.all(order.map((seq, n) => clients[n % 2]?.advance([record(A, seq), record(B, 9 - seq)])));
    expect((await port.get(A))?.head.seq).toBe(8);
    expect((await port.get(B))?.head.seq).toBe(8);
  },

  async 'getMany returns the records that exist, even of many ids'({ port }) {
    const ids = range(2000).map(account);
    await port.advance(ids.filter((_, n) => n % 10 === 0).map((id) => record(id, 1)));
    const found = await port.getMany([...ids, A, A]);
    expect([...found.keys()].toSorted()).toEqual(ids.filter((_, n) => n % 10 === 0));
    expect(found.get(account(0))).toEqual(record(account(0), 1));
    expect(found.has(account(1))).toBe(false);
  },

  async 'all, heads and a view have every record once, sorted by account id, the first two one page at a time'({
    port,
    another,
  }) {
    expect((await port.view()).accountIds).toEqual([]);
    // More than one page of each adapter. The promises share the records, because storing them takes longer than all reads.
    const ids = range(1205).map(account);
    const stored = ids.map((id, n) => record(id, ids.length - n));
    await port.advance(stored.toReversed());
    const expected = ids.map((accountId, n) => ({ accountId, seq: ids.length - n }));
    const records = await pagesOf(port.all());
    expect(records.flat().map(({ accountId, head }) => ({ accountId, seq: head.seq }))).toEqual(expected);
    expect(records.length).toBeGreaterThan(1);
    const heads = await pagesOf(port.heads());
    expect(heads.flat()).toEqual(expected);
    expect(heads.length).toBeGreaterThan(1);

    const view = await (await another()).view();
    expect(view.accountIds).toEqual(ids);
    const [first = '', second = ''] = ids;
    expect(await view.getMany([second, account(9_999), first, second])).toEqual(
      new Map([first, second].map((id, n) => [id, stored[n]])),
    );
    expect(await view.getMany([])).toEqual(new Map());
    expect((await view.getMany(ids)).size).toBe(1205);
  },

  async 'due returns the records that are due by then, earliest first, with their times'({ port }) {
    const claim = { entryId: 'e', startedAt: time(0), operation: 'o', clientToken: null, optOut: false };
    const records = [
      record(account(1), 1, { notBefore: time(300) }),
      record(account(2), 1, { verdict: 'Converging', deadline: time(100) }),
      record(account(3), 1, { claim: { ...claim, expiresAt: time(200) } }),
      record(account(4), 1),
      record(account(5), 1, { verdict: 'Stalled', deadline: time(50) }),
      withCondition(record(account(6), 1, { notBefore: time(900) }), LAST, {
        ...CONDITION,
        notBefore: time(150),
      }),
    ];
    await port.advance(records);
    const due = await port.due(START + 200, 100);
    expect(due.map((each) => each.record.accountId)).toEqual([account(2), account(6), account(3)]);
    for (const each of due) expect(each.wakeAt).toBe(wakeAt(each.record));
    expect(due[0]?.record).toEqual(records[1]);
    expect(await dueIds(port, START + 200, 2)).toEqual([account(2), account(6)]);
    expect(await dueIds(port, START + 99)).toEqual([]);
    expect(await dueIds(port, START + 1000)).toHaveLength(4);
  },

  async 'due follows the record as it advances'({ port }) {
    await port.advance([record(A, 1, { notBefore: time(100) })]);
    await port.advance([record(A, 2, { notBefore: time(500) })]);
    expect(await dueIds(port, START + 100)).toEqual([]);
    expect(await dueIds(port, START + 500)).toEqual([A]);
    await port.advance([record(A, 1, { notBefore: time(1) })]);
    expect(await dueIds(port, START + 100)).toEqual([]);
    await port.advance([record(A, 3)]);
    expect(await dueIds(port, START + 500)).toEqual([]);
  },

  async 'snooze sets the time until the next advance sets it again'({ port, another }) {
    await port.advance([record(A, 4, { notBefore: time(100) }), record(B, 1)]);
    await port.snooze(A, 4, START + 700);
    expect(await dueIds(port, START + 699)).toEqual([]);
    expect(await (await another()).due(START + 700, 10)).toEqual([
      { record: record(A, 4, { notBefore: time(100) }), wakeAt: START + 700 },
    ]);
    await port.snooze(A, 4, null);
    expect(await dueIds(port, Number.MAX_SAFE_INTEGER)).toEqual([]);
    await port.snooze(A, 4, START + 5);
    expect(await dueIds(port, START + 5)).toEqual([A]);
    await port.advance([record(A, 5, { notBefore: time(50) })]);
    expect(await dueIds(port, START + 49)).toEqual([]);
    expect(await dueIds(port, START + 50)).toEqual([A]);
    expect(await port.get(A)).toEqual(record(A, 5, { notBefore: time(50) }));
  },

  async 'snooze has no effect on a record that has advanced, or on a missing one'({ port }) {
    await port.advance([record(A, 5, { notBefore: time(50) })]);
    await port.snooze(A, 4, null);
    await port.snooze(B, 1, START);
    expect(await dueIds(port, START + 50)).toEqual([A]);
    expect(await port.get(B)).toBeNull();
  },
});
