import { expect, onTestFinished, test } from 'vitest';
import { causedDrift, type EntryReader } from '../../../../../shared/app/queries/audit/caused-drift.ts';
import { LogFollower } from '../../../../../shared/app/queries/audit/follow.ts';
import type { ChainHead, EntryDraft, LedgerEntry } from '../../../../../shared/domain/ledger/entry.ts';
import { EMPTY_CHAIN, headOf } from '../../../../../shared/domain/ledger/entry.ts';
import type { LedgerFilter } from '../../../../../shared/ports/ledger.ts';
import type { Clock } from '../../../../../shared/ports/system.ts';
import { makeBench } from '../../../../adapters/embedded/stores.ts';
import { account, sealAll, time } from '../../../../contract/samples.ts';
import { MANUAL_CLOCK_START, manualClock } from '../../../../support/manual-clock.ts';

const ANN = 'arn:aws:iam::111122223333:user/ann';
const BEN = 'arn:aws:iam::111122223333:user/ben';
const SECOND = 1_000;

/** A log whose clock is exact, and a reader that counts the entries that are read. */
async function place(filter: LedgerFilter = {}, caller?: string, other?: Pick<Clock, 'now'>) {
  const bench = makeBench();
  onTestFinished(() => bench.dispose());
  const { ledger } = await bench.open();
  const clock = manualClock(MANUAL_CLOCK_START);
  let read = 0;
  const counted: EntryReader = {
    async query(wanted, page) {
      const found = await ledger.query(wanted, page);
      read += found.entries.length;
      return found;
    },
  };
  let head: ChainHead = EMPTY_CHAIN;
  const append = async (drafts: readonly Partial<EntryDraft>[]): Promise<void> => {
    const sealed = sealAll(account(1), drafts, head);
    await ledger.append(sealed);
    const last = sealed.at(-1);
    if (last !== undefined) head = headOf(last);
  };
  const follower = new LogFollower({
    ledger: counted,
    clock: other ?? clock,
    filter,
    of: (log) => causedDrift(log, caller),
  });
  /** The number of entries that `next` reads, and the reasons of those that it returns. */
  const next = async () => {
    read = 0;
    const entries = await follower.next();
    return { read, reasons: reasonsOf(entries) };
  };
  return { clock, append, follower, next };
}

const reasonsOf = (entries: readonly LedgerEntry[]) => entries.map(({ reason }) => reason);

function drift(seconds: number, actor: string): Partial<EntryDraft> {
  const at = time(seconds * SECOND);
  return { at, reason: `${seconds}`, detail: { changedBy: { actor, operation: 'Update', at, requestId: null } } };
}

test('following the drift of one caller reads only what is new', async () => {
  const { append, follower, next, clock } = await place({}, ANN);
  await append([drift(0, ANN), ...Array.from({ length: 500 }, (_, n) => drift(100 + n, BEN))]);
  await clock.advance(600 * SECOND);
  expect(reasonsOf(await follower.first(10))).toEqual(['0']);
  expect((await next()).read).toBeLessThanOrEqual(61);
  await clock.advance(120 * SECOND);
  await append([drift(715, BEN), drift(716, ANN)]);
  expect(await next()).toMatchObject({ reasons: ['716'] });
  await clock.advance(70 * SECOND);
  // The last minute before the newest entry was read often enough; only the newest entry is read again.
  expect(await next()).toEqual({ read: 1, reasons: [] });
});

test('a burst of entries is not read again after the clocks of all processes have passed it', async () => {
  const { append, follower, next, clock } = await place();
  await append(Array.from({ length: 50 }, (_, n) => drift(n, BEN)));
  await clock.advance(50 * SECOND);
  expect(await follower.first(3)).toHaveLength(3);
  expect((await next()).read).toBe(50);
  await clock.advance(30 * SECOND);
  expect((await next()).read).toBe(31);
  await clock.advance(30 * SECOND);
  expect(await next()).toEqual({ read: 1, reasons: [] });
});

test('an entry that appears late is returned once, unless it is older than the first page', async () => {
  const { append, follower, next, clock } = await place();
  await append([drift(10, BEN), drift(40, BEN), drift(50, BEN)]);
  await clock.advance(50 * SECOND);
  expect(reasonsOf(await follower.first(2))).toEqual(['40', '50']);
  await append([drift(20, ANN), drift(45, ANN), drift(51, ANN)]);
  expect((await next()).reasons).toEqual(['45', '51']);
  await clock.advance(2 * SECOND);
  expect((await next()).reasons).toEqual([]);
});

test('a clock that is set back returns no entry again', async () => {
  let now = MANUAL_CLOCK_START;
  const { append, follower, next } = await place({}, undefined, { now: () => now });
  await append([drift(10, BEN), drift(40, BEN), drift(50, BEN)]);
  await follower.first(3);
  now += 40 * SECOND;
  expect((await next()).reasons).toEqual([]);
  now -= 60 * SECOND;
  expect((await next()).reasons).toEqual([]);
});

test('an empty log is followed from its first entry, and never before the time of the filter', async () => {
  const { append, follower, next } = await place({ since: time(20 * SECOND) });
  expect(await follower.first(2)).toEqual([]);
  await append([drift(10, BEN), drift(30, BEN)]);
  expect(await next()).toEqual({ read: 1, reasons: ['30'] });
  await append([drift(15, BEN), drift(25, BEN)]);
  expect((await next()).reasons).toEqual(['25']);
});
