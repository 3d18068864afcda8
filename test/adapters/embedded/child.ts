/*
 * A process of its own on a data directory, started by the tests: `child.ts MODE DATA_DIR NAME`. It writes a line for
 * everything that the store has acknowledged, so that a test knows what must be there, also after killing it.
 */

import { writeSync } from 'node:fs';
import type { EmbeddedStore } from '../../../shared/adapters/embedded/store.ts';
import { openEmbeddedStore } from '../../../shared/adapters/embedded/store.ts';
import { systemClock } from '../../../shared/adapters/system/clock.ts';
import { makeNewId } from '../../../shared/adapters/system/ids.ts';
import { sealEntry } from '../../../shared/domain/ledger/entry.ts';
import { account, draft, range, record, work } from '../../contract/samples.ts';
import { HOST } from '../../support/host.ts';

/** The number of accounts, messages and increments in each mode. */
const CHAINS = 5;
const APPENDS = 60;
const INCREMENTS = 100;

// Written directly to the descriptor, because a stream may still buffer the line when the process is killed.
const say = (line: unknown): void => void writeSync(1, `${JSON.stringify(line)}\n`);

async function appendOne(store: EmbeddedStore, chain: string, reason: string): Promise<void> {
  for (;;) {
    const entry = sealEntry(draft({ chain, reason }), await store.ledger.head(chain));
    const [outcome] = await store.ledger.append([entry]);
    if (outcome === 'appended') return say({ chain, seq: entry.seq, hash: entry.hash });
  }
}

/** Appends to chains that other processes append to as well. */
async function append(store: EmbeddedStore, name: string): Promise<void> {
  await Promise.all(
    range(CHAINS).map(async (n) => {
      for (let count = 0; count < APPENDS; count += 1) await appendOne(store, account(n), `${name} ${count}`);
    }),
  );
}

/** Receives messages until the queue is empty, with a visibility longer than the test. */
async function receive(store: EmbeddedStore): Promise<void> {
  for (;;) {
    const deliveries = await store.queue.receive(3, 600_000);
    if (deliveries.length === 0) return;
    for (const { message } of deliveries) say(message);
  }
}

async function increment(store: EmbeddedStore): Promise<void> {
  for (let done = 0; done < INCREMENTS; ) {
    const present = await store.registers.read('counter');
    const value = Number(present?.value ?? 0) + 1;
    const version = await store.registers.write('counter', value, present?.version ?? null);
    if (version === null) continue;
    say({ value, version });
    done += 1;
  }
}

/** Writes to every port until the process is killed. */
async function writeForEver(store: EmbeddedStore, name: string): Promise<void> {
  await Promise.all([
    ...range(CHAINS).map(async (n) => {
      for (let count = 0; ; count += 1) await appendOne(store, account(n), `${name} ${count}`);
    }),
    (async () => {
      for (let n = 0; ; n += 1) {
        const runId = `${name}-${n}`;
        await store.queue.send([work(n, { policyHash: runId, runId })]);
        say({ sent: runId });
        await store.records.advance([record(account(n), n + 1)]);
        say({ advanced: account(n), seq: n + 1 });
        const version = await store.registers.write(runId, { n }, null);
        say({ register: runId, version });
      }
    })(),
  ]);
}

const MODES: Readonly<Record<string, (store: EmbeddedStore, name: string) => Promise<void>>> = {
  append,
  receive,
  increment,
  writeForEver,
};

const [mode = '', dataDir = '', name = ''] = process.argv.slice(2);
const run = MODES[mode];
if (run === undefined) throw new Error(`no such mode: ${mode}`);
const store = await openEmbeddedStore({ ...HOST, dataDir, clock: systemClock, newId: makeNewId(systemClock) });
await run(store, name);
await store.close();
