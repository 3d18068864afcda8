import { afterEach, beforeEach, expect, it } from 'vitest';
import type { EmbeddedStore } from '../../../shared/adapters/embedded/store.ts';
import { systemClock } from '../../../shared/adapters/system/clock.ts';
import { checkLink, EMPTY_CHAIN, headOf, type LedgerEntry } from '../../../shared/domain/ledger/entry.ts';
import { account, range, work } from '../../contract/samples.ts';
import { runChild } from './processes.ts';
import { type Bench, makeBench } from './stores.ts';

let bench: Bench;
beforeEach(() => {
  bench = makeBench();
});
afterEach(() => bench.dispose());

async function verified(store: EmbeddedStore, chain: string): Promise<readonly LedgerEntry[]> {
  const entries = await store.ledger.read(chain, 0, 1_000_000);
  let head = EMPTY_CHAIN;
  for (const entry of entries) {
    expect(checkLink(head, entry)).toBeNull();
    head = headOf(entry);
  }
  expect(await store.ledger.head(chain)).toEqual(head);
  return entries;
}

it('concurrent processes on a store that does not exist yet never fork the chains that they share', async () => {
  const children = await Promise.all(range(3).map((n) => runChild('append', bench.dataDir, `process ${n}`)));
  const store = await bench.open();
  let stored = 0;
  for (const n of range(5)) {
    const entries = await verified(store, account(n));
    const byOthers = new Set(entries.map((entry) => entry.reason?.slice(0, 9)));
    expect(byOthers.size).toBe(3);
    stored += entries.length;
  }
  const acknowledged = children.flatMap((child) => child.lines);
  expect(acknowledged).toHaveLength(3 * 5 * 60);
  expect(stored).toBe(acknowledged.length);
});

it('a visible message goes to exactly one of several processes', async () => {
  const store = await bench.open({ clock: systemClock });
  await store.queue.send(range(300).map((n) => work(n)));
  const children = await Promise.all(range(3).map((n) => runChild('receive', bench.dataDir, `${n}`)));
  const received = children.flatMap((child) => child.lines.map((line) => String(line['accountId'])));
  expect(received.toSorted()).toEqual(range(300).map(account));
});

it('exactly one of several processes wins each compare-and-set of a register', async () => {
  const children = await Promise.all(range(3).map((n) => runChild('increment', bench.dataDir, `${n}`)));
  const won = children.flatMap((child) => child.lines);
  expect(won.map((line) => Number(line['value'])).toSorted((a, b) => a - b)).toEqual(range(300).map((n) => n + 1));
  expect(new Set(won.map((line) => line['version'])).size).toBe(300);
  const store = await bench.open();
  expect((await store.registers.read('counter'))?.value).toBe(300);
});

type Line = Readonly<Record<string, unknown>>;

/** Checks that every acknowledged write is in the store. */
async function expectKept(store: EmbeddedStore, lines: readonly Line[]): Promise<void> {
  for (const line of lines) {
    if (typeof line['chain'] === 'string') {
      const [entry] = await store.ledger.read(line['chain'], Number(line['seq']) - 1, 1);
      expect(entry?.hash).toBe(line['hash']);
    } else if (typeof line['advanced'] === 'string') {
      const { head } = (await store.records.get(line['advanced'])) ?? {};
      expect(head?.seq).toBeGreaterThanOrEqual(Number(line['seq']));
    } else if (typeof line['register'] === 'string') {
      expect((await store.registers.read(line['register']))?.version).toBe(line['version']);
    } else {
      expect(line).toHaveProperty('sent');
    }
  }
}

it('after a kill at any time, the store is intact and has every acknowledged write', async () => {
  const acknowledged: Line[] = [];
  for (const round of range(12)) {
    const { lines, signal } = await runChild('writeForEver', bench.dataDir, `round ${round}`, 40 + round * 37);
    expect(signal).toBe('SIGKILL');
    acknowledged.push(...lines);
    const store = await bench.open({ clock: systemClock });
    await expectKept(store, lines);
    for (const n of range(5)) await verified(store, account(n));
    const { visible } = await store.queue.depth();
    expect(visible).toBeGreaterThanOrEqual(acknowledged.filter((line) => 'sent' in line).length);
    await store.close();
  }
  expect(acknowledged.length).toBeGreaterThan(12 * 40);
  // Later processes keep the acknowledged writes of earlier ones; a record may have advanced.
  await expectKept(await bench.open(), acknowledged);
});
