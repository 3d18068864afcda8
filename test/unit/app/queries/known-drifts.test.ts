import { expect, onTestFinished, test } from 'vitest';
import { KnownDrifts, type KnownDriftsOptions } from '../../../../shared/app/queries/known-drifts.ts';
import type { EntryDraft } from '../../../../shared/domain/ledger/entry.ts';
import { EMPTY_CHAIN, headOf } from '../../../../shared/domain/ledger/entry.ts';
import type { Ledger } from '../../../../shared/ports/ledger.ts';
import { makeBench } from '../../../adapters/embedded/stores.ts';
import { account, sealAll } from '../../../contract/samples.ts';
import { MANUAL_CLOCK_START } from '../../../support/manual-clock.ts';

const HOUR = 3_600_000;
const ANN = 'arn:aws:iam::111122223333:user/ann';
const at = (hours: number): number => MANUAL_CLOCK_START + hours * HOUR;
const ALL = Number.NEGATIVE_INFINITY;

/** A log at hour 100, and a reader that counts the entries that are read. */
async function place(options: KnownDriftsOptions = {}) {
  const bench = makeBench();
  onTestFinished(() => bench.dispose());
  const { ledger } = await bench.open();
  await bench.clock.advance(at(100) - bench.clock.now());
  let read = 0;
  const counted: Pick<Ledger, 'query'> = {
    async query(filter, page) {
      const found = await ledger.query(filter, page);
      read += found.entries.length;
      return found;
    },
  };
  let head = EMPTY_CHAIN;
  const append = async (hours: readonly number[], rest: Partial<EntryDraft> = {}): Promise<void> => {
    const entries = sealAll(
      account(1),
      hours.map((each) => ({ at: new Date(at(each)).toISOString(), reason: `${each}`, ...rest })),
      head,
    );
    await ledger.append(entries);
    const last = entries.at(-1);
    if (last !== undefined) head = headOf(last);
  };
  const known = new KnownDrifts(bench.clock, options);
  /** The hours of the drifts since an hour, whether they are all, and how many entries were read for them. */
  const since = async (hours: number) => {
    read = 0;
    const { drifts, isComplete } = await known.since(counted, hours === ALL ? ALL : at(hours));
    return { hours: drifts.map((drift) => (drift.at - at(0)) / HOUR), isComplete, read };
  };
  return { ledger, known, append, since, counted, clock: bench.clock };
}

test('each drift is read once, and a longer period adds only what is older', async () => {
  const { append, since, clock } = await place();
  await append([10, 20, 30, 80, 90, 95]);
  expect(await since(85)).toEqual({ hours: [90, 95], isComplete: true, read: 2 });
  expect(await since(85)).toEqual({ hours: [90, 95], isComplete: true, read: 0 });
  // The oldest entry is read again, to notice what retention has removed.
  expect(await since(15)).toEqual({ hours: [20, 30, 80, 90, 95], isComplete: true, read: 3 + 1 });
  await clock.advance(HOUR);
  await append([101]);
  expect(await since(15)).toMatchObject({ hours: [20, 30, 80, 90, 95, 101], read: 1 + 1 });
  expect(await since(ALL)).toMatchObject({ hours: [10, 20, 30, 80, 90, 95, 101], isComplete: true });
});

test('a drift that appears late is sorted by its time', async () => {
  const { append, since } = await place();
  await append([99, 99.999]);
  await since(90);
  await append([99.99]);
  expect((await since(90)).hours).toEqual([99, 99.99, 99.999]);
});

test('only the newest drifts are kept, and a period with more is not complete', async () => {
  const { append, since, clock } = await place({ most: 4 });
  await append([10, 20, 30, 80, 90, 95]);
  expect(await since(ALL)).toMatchObject({ hours: [30, 80, 90, 95], isComplete: false });
  expect(await since(30.5)).toMatchObject({ hours: [80, 90, 95], isComplete: true });
  await clock.advance(HOUR);
  await append([101]);
  expect(await since(30.5)).toMatchObject({ hours: [80, 90, 95, 101], isComplete: true });
  expect(await since(30)).toMatchObject({ hours: [80, 90, 95, 101], isComplete: false });
});

test('a period with exactly as many drifts as are kept is complete', async () => {
  const { append, since } = await place({ most: 3 });
  await append([10, 20, 30]);
  expect(await since(ALL)).toMatchObject({ hours: [10, 20, 30], isComplete: true });
});

test('periods of different lengths that are read at the same time are all complete', async () => {
  const { append, known, counted } = await place();
  await append([10, 50, 95]);
  const found = await Promise.all([90, 40, 5, 90].map((hours) => known.since(counted, at(hours))));
  expect(found.map(({ drifts }) => drifts.length)).toEqual([1, 2, 3, 1]);
  expect(found.every(({ isComplete }) => isComplete)).toBe(true);
});

test('a drift names its caller, if one is known', async () => {
  const { append, known, counted } = await place();
  const detail = {
    changedBy: { actor: ANN, operation: 'Update', at: new Date(at(90)).toISOString(), requestId: null },
  };
  await append([90], { detail, runId: 'run-1' });
  await append([91]);
  const { drifts } = await known.since(counted, at(80));
  expect(drifts).toMatchObject([
    { caller: ANN, isFirstSeen: false, runId: 'run-1', accountId: account(1) },
    { caller: null, isFirstSeen: true, runId: null },
  ]);
});

test('drifts that retention removed are forgotten', async () => {
  const { append, since, ledger } = await place();
  await append([10, 20, 30, 95]);
  expect((await since(ALL)).hours).toEqual([10, 20, 30, 95]);
  const chain = await ledger.read(account(1), 0, 10);
  const [, second] = chain;
  if (second === undefined) throw new Error('no second entry');
  const checkpoint = sealAll(
    account(1),
    [{ type: 'ChainPruned', enrollment: null, detail: {} }],
    headOf(chain[3] ?? second),
  );
  await ledger.append(checkpoint);
  await ledger.prune(account(1), second.seq, 10);
  expect((await since(ALL)).hours).toEqual([30, 95]);
});
