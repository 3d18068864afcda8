import { expect, onTestFinished, test } from 'vitest';
import { causedDrift, driftCallers, type EntryReader } from '../../../../../shared/app/queries/audit/caused-drift.ts';
import { auditExport } from '../../../../../shared/app/queries/audit/export.ts';
import { auditList } from '../../../../../shared/app/queries/audit/list.ts';
import type { LedgerEntry } from '../../../../../shared/domain/ledger/entry.ts';
import { makeBench } from '../../../../adapters/embedded/stores.ts';
import { account, sealAll, time } from '../../../../contract/samples.ts';

const ANN = 'arn:aws:iam::111122223333:user/ann';
const BEN = 'arn:aws:iam::111122223333:user/ben';

/** 30 drifts, oldest first, caused in turn by ann, by ben and by an unknown caller; and an entry that ann recorded. */
async function place() {
  const bench = makeBench();
  onTestFinished(() => bench.dispose());
  const { ledger } = await bench.open();
  const drifts = Array.from({ length: 30 }, (_, n) => {
    const changedBy = { actor: n % 3 === 0 ? ANN : BEN, operation: 'Update', at: time(n), requestId: null };
    return { at: time(n * 1_000), reason: `${n}`, detail: n % 3 === 2 ? null : { changedBy } };
  });
  await ledger.append(sealAll(account(1), drifts));
  await ledger.append(sealAll('organization', [{ type: 'EnforcementHalted', actor: ANN, at: time(99_000) }]));
  return ledger;
}

const numbers = (entries: readonly LedgerEntry[]): number[] => entries.map(({ reason }) => Number(reason));

test.each(['newestFirst', 'oldestFirst'] as const)('pages the drift that a caller caused, %s', async (order) => {
  const ledger = causedDrift(await place(), ANN);
  const expected = [0, 3, 6, 9, 12, 15, 18, 21, 24, 27];
  for (const limit of [1, 3, 4, 10, 50]) {
    const found: number[] = [];
    let pages = 0;
    for (let cursor: string | null = null; ; pages += 1) {
      const page: Awaited<ReturnType<typeof auditList>> = await auditList(ledger, { filter: {}, limit, cursor, order });
      expect(page.entries.length).toBeLessThanOrEqual(limit);
      found.push(...numbers(page.entries));
      cursor = page.next;
      if (cursor === null) break;
    }
    expect(found, `limit ${limit}`).toEqual(order === 'oldestFirst' ? expected : expected.toReversed());
    // No page is empty, so a list that says "and more" is right.
    expect(pages + 1, `limit ${limit}`).toBe(Math.ceil(expected.length / limit));
  }
});

test('combines with the other filters, and with exports', async () => {
  const stored = await place();
  const list = async (caller: string | undefined, filter: object) => {
    const query = { filter, limit: 50, cursor: null, order: 'oldestFirst' } as const;
    return numbers((await auditList(causedDrift(stored, caller), query)).entries);
  };
  expect(await list(ANN, { since: time(10_000), until: time(20_000) })).toEqual([12, 15, 18]);
  expect(await list('unknown', { until: time(9_000) })).toEqual([2, 5, 8]);
  expect(await list(ANN, { type: 'EnforcementHalted' })).toEqual([]);
  expect(await list(ANN, { accountId: account(2) })).toEqual([]);
  expect(await list(undefined, {})).toHaveLength(31);
  let text = '';
  const options = { filter: {}, format: 'ndjson', version: '1' } as const;
  for await (const piece of auditExport(causedDrift(stored, BEN, 'sparse'), options)) text += piece;
  expect(text.trim().split('\n')).toHaveLength(10);
  expect(await driftCallers(stored, {})).toEqual(new Set([ANN, BEN]));
  expect(await driftCallers(stored, { since: time(29_000) })).toEqual(new Set());
});

test('a full page is the last one if only drift of other callers follows', async () => {
  const bench = makeBench();
  onTestFinished(() => bench.dispose());
  const { ledger } = await bench.open();
  const drifts = Array.from({ length: 1_100 }, (_, n) => {
    const changedBy = { actor: n === 0 || n === 1_050 ? ANN : BEN, operation: 'Update', at: time(n), requestId: null };
    return { at: time(n * 1_000), reason: `${n}`, detail: { changedBy } };
  });
  await ledger.append(sealAll(account(1), drifts));
  const page = (limit: number, cursor: string | null) =>
    auditList(causedDrift(ledger, ANN), { filter: {}, limit, cursor, order: 'oldestFirst' });
  const first = await page(1, null);
  expect(numbers(first.entries)).toEqual([0]);
  const second = await page(1, first.next);
  expect(numbers(second.entries)).toEqual([1_050]);
  expect(second.next).toBeNull();
  const both = await page(2, null);
  expect(numbers(both.entries)).toEqual([0, 1_050]);
  expect(both.next).toBeNull();
  expect(
    await auditList(causedDrift(ledger, ANN), {
      filter: { until: time(1_040_000) },
      limit: 1,
      cursor: null,
      order: 'oldestFirst',
    }),
  ).toMatchObject({ next: null });
});

test('an export reads each drift entry once', async () => {
  const bench = makeBench();
  onTestFinished(() => bench.dispose());
  const { ledger } = await bench.open();
  // Two in three match, so a page of a list would hold too many.
  const drifts = Array.from({ length: 1_500 }, (_, n) => {
    const changedBy = { actor: n % 3 === 0 ? BEN : ANN, operation: 'Update', at: time(n), requestId: null };
    return { at: time(n * 1_000), reason: `${n}`, detail: { changedBy } };
  });
  await ledger.append(sealAll(account(1), drifts));
  let read = 0;
  const counted: EntryReader = {
    async query(filter, page) {
      const found = await ledger.query(filter, page);
      read += found.entries.length;
      return found;
    },
  };
  const options = { filter: {}, format: 'ndjson', version: '1' } as const;
  let text = '';
  for await (const piece of auditExport(causedDrift(counted, ANN, 'sparse'), options)) text += piece;
  const entries = text.trim().split('\n');
  expect(entries).toHaveLength(1_000);
  expect(entries[0]).toContain('"reason":"1"');
  expect(entries.at(-1)).toContain('"reason":"1499"');
  expect(read).toBe(1_500);
});
