import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import { openEmbeddedStore } from '../../../shared/adapters/embedded/store.ts';
import { makeNewId } from '../../../shared/adapters/system/ids.ts';
import { inTurns, ShortRequests, Turns, type TurnsOptions } from '../../../shared/adapters/system/turns.ts';
import { auditExport } from '../../../shared/app/queries/audit/export.ts';
import { account, chainOf } from '../../contract/samples.ts';
import { HOST } from '../../support/host.ts';
import { manualClock } from '../../support/manual-clock.ts';

/** Counts the event-loop turns of other tasks during `work`. */
async function turnsDuring(work: () => Promise<unknown>): Promise<number> {
  let turns = 0;
  let done = false;
  const counting = (async () => {
    while (!done) {
      await nextTurn();
      turns += 1;
    }
  })();
  await work();
  done = true;
  await counting;
  return turns;
}

/** A thread whose time passes only by pieces and pauses. @param idleShare the part of each pause in which the thread has no other work */
function threadTime(idleShare = 1, pauses: 'pass' | 'never' = 'pass') {
  let [now, idle] = [0, 0];
  const seen: number[] = [];
  const time = {
    pauses: seen,
    aborted: 0,
    now: () => now,
    idle: () => idle,
    work: (ms: number): void => {
      now += ms;
    },
    pause: (ms: number, signal: AbortSignal): Promise<void> => {
      seen.push(ms);
      signal.addEventListener('abort', () => {
        time.aborted += 1;
      });
      if (pauses === 'never') return new Promise(() => undefined);
      now += ms;
      idle += ms * idleShare;
      return Promise.resolve();
    },
  };
  return time;
}

async function storeOf(entries: number) {
  const dataDir = mkdtempSync(join(tmpdir(), 'rollcall-turns-'));
  const clock = manualClock();
  const store = await openEmbeddedStore({ ...HOST, dataDir, clock, newId: makeNewId(clock) });
  onTestFinished(async () => {
    await store.close();
    rmSync(dataDir, { recursive: true, force: true });
  });
  await store.ledger.append(chainOf(account(1), entries));
  return store;
}

const exportAll = async (ledger: Parameters<typeof auditExport>[0]): Promise<string> => {
  let text = '';
  for await (const part of auditExport(ledger, { filter: {}, format: 'ndjson', version: '0' })) text += part;
  return text;
};

describe('long reads of the embedded store', () => {
  test('yield after each page, and return the same result', async () => {
    const store = await storeOf(2_000);
    const plain: string[] = [];
    const alone = await turnsDuring(async () => plain.push(await exportAll(store.ledger)));
    const paced: string[] = [];
    const turns = await turnsDuring(async () => paced.push(await exportAll(inTurns(store, new Turns()).ledger)));
    expect(paced).toEqual(plain);
    expect(plain[0]?.split('\n')).toHaveLength(2_001);
    // 2,000 entries are ten pages. A read without turns blocks the thread until it ends.
    expect(alone).toBeLessThan(5);
    expect(turns).toBeGreaterThanOrEqual(10);
  });

  test('of a few entries do not wait for a turn', async () => {
    const store = await storeOf(20);
    const turns = new Turns();
    const { ledger } = inTurns(store, turns, { shortQuery: 10 });
    const other = Promise.withResolvers<void>();
    const blocking = turns.take(() => other.promise);
    expect((await ledger.query({}, { limit: 10 })).entries).toHaveLength(10);
    expect(await ledger.read(account(1), 0, 10)).toHaveLength(10);
    let isRead = false;
    const longer = ledger.read(account(1), 0, 11).then(() => {
      isRead = true;
    });
    await nextTurn();
    expect(isRead).toBe(false);
    other.resolve();
    await Promise.all([blocking, longer]);
  });
});

describe('turns', () => {
  test('run one piece at a time, in the order of the requests; an error reaches only its caller', async () => {
    const turns = new Turns();
    const seen: string[] = [];
    const piece = (name: string) =>
      turns.take(async () => {
        seen.push(`${name} begins`);
        await nextTurn();
        seen.push(`${name} ends`);
        if (name === 'b') throw new Error('broken');
        return name;
      });
    const outcomes = await Promise.allSettled(['a', 'b', 'c'].map(piece));
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(seen).toEqual(['a begins', 'a ends', 'b begins', 'b ends', 'c begins', 'c ends']);
  });

  test('rest as long as the piece took, unless rests are off or no short request is under way', async () => {
    /** The pauses between two pieces of 20 ms, ms. */
    const between = async (options: TurnsOptions): Promise<readonly number[]> => {
      const time = threadTime();
      const turns = new Turns({ ...options, time });
      await turns.take(async () => time.work(20));
      await turns.begin();
      return time.pauses;
    };
    expect(await between({})).toEqual([20]);
    expect(await between({ rests: false })).toEqual([]);
    const before = new ShortRequests();
    expect(await between({ before })).toEqual([]);
    before.begin();
    expect(await between({ before })).toEqual([20]);
  });

  test('rest longer on a busy thread, but at most nine times as long as the piece took', async () => {
    const pausesOf = async (idleShare: number): Promise<number> => {
      const time = threadTime(idleShare);
      const turns = new Turns({ time });
      await turns.take(async () => time.work(20));
      await turns.begin();
      return time.pauses.length;
    };
    expect(await pausesOf(0.4)).toBe(2);
    expect(await pausesOf(0)).toBe(9);
  });

  test('do not rest after a short piece', async () => {
    const time = threadTime();
    const turns = new Turns({ time });
    await turns.take(async () => time.work(0.5));
    await turns.begin();
    expect(time.pauses).toEqual([]);
  });

  test('begin as soon as no short request is under way', async () => {
    const before = new ShortRequests();
    const time = threadTime(1, 'never');
    const turns = new Turns({ before, time });
    const [first, second] = [before.begin(), before.begin()];
    await turns.take(async () => time.work(200));
    let isNext = false;
    const next = turns.begin().then(() => {
      isNext = true;
    });
    first();
    for (let turn = 0; turn < 5; turn += 1) await nextTurn();
    expect(isNext).toBe(false);
    expect(time.pauses).toEqual([200]);
    second();
    expect(before.ended()).toBeNull();
    await next;
    // The rest that was no longer needed leaves no timer.
    expect(time.aborted).toBe(1);
  });

  test('pause in real time by default', async () => {
    const turns = new Turns();
    const end = performance.now() + 5;
    await turns.take(async () => {
      while (performance.now() < end);
    });
    const start = performance.now();
    await turns.begin();
    expect(performance.now() - start).toBeGreaterThan(3);
  });

  test('a reader that requests no more pages ends the read', async () => {
    let ended = false;
    async function* pages() {
      try {
        for (let page = 1; ; page += 1) yield page;
      } finally {
        ended = true;
      }
    }
    for await (const page of new Turns().each(pages())) if (page === 3) break;
    expect(ended).toBe(true);
  });
});
