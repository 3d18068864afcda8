import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { EmbeddedStore } from '../../../../shared/adapters/embedded/store.ts';
import { LedgerWriter } from '../../../../shared/app/ledger/ledger-writer.ts';
import {
  caughtUp,
  type Decide,
  type WriteDeps,
  writeEntries,
  writeOrganizationEntry,
} from '../../../../shared/app/ledger/write-entries.ts';
import { emptyRecord, foldEntry } from '../../../../shared/domain/account/record.ts';
import { headOf, ORGANIZATION_CHAIN, sealEntry } from '../../../../shared/domain/ledger/entry.ts';
import type { Ledger } from '../../../../shared/ports/ledger.ts';
import type { Records } from '../../../../shared/ports/records.ts';
import { type Bench, makeBench } from '../../../adapters/embedded/stores.ts';
import { account, draft, FACET, time } from '../../../contract/samples.ts';

const A = account(1);

let bench: Bench;
let store: EmbeddedStore;
let deps: WriteDeps;
let writer: LedgerWriter;
let detections = 0;
const newId = (): string => `detected-${detections++}`;

beforeEach(async () => {
  bench = makeBench();
  store = await bench.open();
  deps = { ledger: store.ledger, records: store.records, newId };
  writer = new LedgerWriter(deps);
});
afterEach(() => bench.dispose());

const entry = (reason: string, n = 0) =>
  draft({ chain: A, id: `${reason}-${n}`, at: time(n), reason, after: { ...FACET, attempts: n } });

/** Adds one entry, whatever others have added meanwhile; no two are alike, or one would pass for the repetition of the other. */
let added = 0;
const addOne: Decide = (record) => [{ ...entry('added', record.head.seq + 1), id: `added-${added++}` }];

describe('the writer of the ledger', () => {
  it('writes entry and record, and answers both', async () => {
    const { record, entries } = await writer.write(A, () => [entry('first', 1), entry('second', 2)]);
    await writer.settled(A);
    expect(entries.map(({ seq, reason }) => [seq, reason])).toEqual([
      [1, 'first'],
      [2, 'second'],
    ]);
    expect(record.head).toEqual({ seq: 2, hash: entries[1]?.hash });
    expect(await store.records.get(A)).toEqual(record);
    expect(await store.ledger.read(A, 0, 9)).toEqual(entries);
  });

  it('replays the chain where the record that it was given does not belong to it', async () => {
    const { record: mine } = await writer.write(A, () => [entry('first', 1)]);
    await writer.settled(A);
    // The chain as another history has it: the same length, and one entry more.
    const elsewhere = await bench.open({ dataDir: bench.path('elsewhere') });
    const other = new LedgerWriter({ ledger: elsewhere.ledger, records: elsewhere.records, newId });
    await other.write(A, () => [
      { ...entry('other', 1), after: { ...FACET, attempts: 7 } },
      draft({ ...entry('second', 2), after: null }),
    ]);
    const caught = await caughtUp(elsewhere, mine);
    expect(caught).toEqual(await caughtUp(elsewhere, emptyRecord(A)));
    await other.settled(A);
  });

  it('puts the detection before the entry that first records a drift, once, in the same write', async () => {
    const blocked = { ...FACET, verdict: 'Blocked', reason: 'window', notBefore: time(9) } as const;
    const changedBy = { actor: 'jane', operation: 'UpdateEnrollmentStatus', requestId: null, at: time(0) };
    const about = (n: number) =>
      draft({
        chain: A,
        id: `blocked-${n}`,
        at: time(n),
        type: 'RemediationBlocked',
        after: blocked,
        detail: { changedBy },
      });
    const appended: number[] = [];
    const ledger: Ledger = {
      ...store.ledger,
      append: (entries) => {
        appended.push(entries.length);
        return store.ledger.append(entries);
      },
    };
    const counting = new LedgerWriter({ ledger, records: store.records, newId });
    const { entries, record } = await counting.write(A, () => [about(1)]);
    expect(appended).toEqual([2]);
    const found = { ...FACET, reason: 'statusDiffers' };
    expect(entries).toMatchObject([
      { type: 'DriftDetected', at: time(1), after: found, detail: { changedBy } },
      { type: 'RemediationBlocked', id: 'blocked-1', before: found, after: blocked },
    ]);
    expect(entries[1]?.detail).toEqual({});
    expect(record.conditions.computeOptimizer?.driftSince).toBe(time(1));
    const again = await counting.write(A, () => [about(2)]);
    expect(again.entries.map(({ id }) => id)).toEqual(['blocked-2']);
    expect(again.record.conditions.computeOptimizer?.driftSince).toBe(time(1));
    await counting.settled(A);
  });

  it('writes nothing for an empty decision', async () => {
    const { record, entries } = await writer.write(A, () => []);
    expect(entries).toEqual([]);
    expect(record).toEqual(emptyRecord(A));
    expect(await store.records.get(A)).toBeNull();
  });

  it('decides again on the new record when the head has moved', async () => {
    const stale = await writer.current(A);
    await writer.write(A, () => [entry('other', 5)]);
    const seen: number[] = [];
    const { record, entries } = await writer.write(
      A,
      (current) => {
        seen.push(current.head.seq);
        return [entry('mine', current.head.seq)];
      },
      stale,
    );
    expect(seen).toEqual([0, 1]);
    expect(entries.map(({ seq }) => seq)).toEqual([2]);
    expect(record.head.seq).toBe(2);
  });

  it('writes nothing when the second decision has no entries', async () => {
    const stale = await writer.current(A);
    await writer.write(A, () => [entry('other', 1)]);
    const decide: Decide = (current) => (current.head.seq === 0 ? [entry('mine', 1)] : []);
    const { record, entries } = await writer.write(A, decide, stale);
    expect(entries).toEqual([]);
    expect(record.head.seq).toBe(1);
  });

  it('loses no entry of concurrent writers, in one process and in several', async () => {
    const others = await Promise.all(
      [1, 2, 3].map(async () => {
        const { ledger, records } = await bench.open();
        return new LedgerWriter({ ledger, records, newId });
      }),
    );
    const writes = [writer, ...others].flatMap((one) => Array.from({ length: 10 }, () => one.write(A, addOne)));
    const written = await Promise.all(writes);
    const chain = await store.ledger.read(A, 0, 100);
    expect(chain.map(({ seq }) => seq)).toEqual(Array.from({ length: 40 }, (_, n) => n + 1));
    const ids = written.flatMap(({ entries }) => entries.map(({ hash }) => hash));
    expect(new Set(ids)).toEqual(new Set(chain.map(({ hash }) => hash)));
    for (const one of [writer, ...others]) await one.settled(A);
    expect(await store.records.get(A)).toEqual(chain.reduce(foldEntry, emptyRecord(A)));
  });

  it('writes many accounts with one append, and a conflict in one does not delay the others', async () => {
    const records = [1, 2, 3].map((n) => emptyRecord(account(n)));
    await writer.write(account(2), (record) => [
      { ...entry('other', 1), chain: record.accountId, accountId: record.accountId },
    ]);
    const written = await writeEntries(
      deps,
      records.map((record) => ({
        record,
        decide: (current) => [
          { ...entry('mine', current.head.seq), chain: record.accountId, accountId: record.accountId },
        ],
      })),
    );
    expect(written.map(({ record }) => record.head.seq)).toEqual([1, 2, 1]);
  });

  it('catches a record up that is behind its chain', async () => {
    await writer.write(A, () => [entry('first', 1)]);
    await writer.settled(A);
    const behind = await writer.current(A);
    // A process that ended between the entry and the record.
    const next = sealEntry(entry('second', 2), behind.head);
    await store.ledger.append([next]);
    expect((await store.records.get(A))?.head.seq).toBe(1);
    expect((await caughtUp(deps, behind)).head).toEqual(headOf(next));
    const { record } = await writer.write(A, addOne);
    await writer.settled(A);
    expect(record.head.seq).toBe(3);
    expect((await store.records.get(A))?.head.seq).toBe(3);
  });

  it('replays a chain whose stored record belongs to another (a restored file)', async () => {
    await writer.write(A, () => [entry('first', 1), entry('second', 2)]);
    await writer.settled(A);
    const ahead = { ...(await writer.current(A)), head: { seq: 7, hash: 'f'.repeat(64) } };
    const { record, entries } = await writer.write(A, addOne, ahead);
    expect(entries.map(({ seq }) => seq)).toEqual([3]);
    expect(record.head.seq).toBe(3);
  });

  it('gives up on a chain that refuses every append, instead of trying for ever', async () => {
    const refusing: Ledger = { ...store.ledger, append: async (entries) => entries.map(() => 'headMoved' as const) };
    const stuck = new LedgerWriter({ ledger: refusing, records: store.records, newId });
    await expect(stuck.write(A, addOne)).rejects.toThrow('refuses every append');
  });

  it('appends concurrent entries to the organization’s own chain', async () => {
    let n = 0;
    const organization = () => draft({ chain: ORGANIZATION_CHAIN, id: `o-${n++}`, type: 'ScanStarted' });
    await Promise.all(Array.from({ length: 20 }, () => writeOrganizationEntry(deps, organization)));
    const chain = await store.ledger.read(ORGANIZATION_CHAIN, 0, 100);
    expect(chain.map(({ seq }) => seq)).toEqual(Array.from({ length: 20 }, (_, k) => k + 1));
  });

  it('rejects the write of a record that could not be stored, and continues with others', async () => {
    let fail = true;
    const records: Records = {
      ...store.records,
      advance: async (many) => {
        if (fail) throw new Error('the disk is full');
        return store.records.advance(many);
      },
    };
    const failing = new LedgerWriter({ ledger: store.ledger, records, newId });
    await failing.write(A, addOne);
    await expect(failing.settled(A)).rejects.toThrow('the disk is full');
    fail = false;
    await failing.write(A, addOne);
    await failing.settled(A);
    expect((await store.records.get(A))?.head.seq).toBe(2);
  });
});
