/*
 * Measures the embedded store on this machine's disk: `npx node test/embedded/measure.ts [entries]` (default one million
 * over 10,000 accounts, some 2 GB in the temporary directory). Not part of the tests.
 */
import { statSync } from 'node:fs';
import { databasePath } from '../../shared/adapters/embedded/file.ts';
import type { EmbeddedStore } from '../../shared/adapters/embedded/store.ts';
import { systemClock } from '../../shared/adapters/system/clock.ts';
import { type ChainHead, checkLink, EMPTY_CHAIN, headOf, sealEntry } from '../../shared/domain/ledger.ts';
import { account, draft, FACET, facts, range } from '../contract/samples.ts';
import { makeBench } from './stores.ts';

const say = (text: string): void => void process.stdout.write(`${text}\n`);

async function timed<T>(label: string, work: () => Promise<T>): Promise<T> {
  const start = performance.now();
  const result = await work();
  say(`${label}: ${(performance.now() - start).toFixed(0)} ms`);
  return result;
}

function percentile(samples: readonly number[], percent: number): string {
  const sorted = samples.toSorted((a, b) => a - b);
  return (sorted[Math.min(sorted.length - 1, Math.floor((sorted.length * percent) / 100))] ?? 0).toFixed(2);
}

async function latencies(label: string, count: number, work: (n: number) => Promise<unknown>): Promise<void> {
  const samples: number[] = [];
  for (const n of range(count)) {
    const start = performance.now();
    await work(n);
    samples.push(performance.now() - start);
  }
  say(
    `${label}: p50 ${percentile(samples, 50)} ms, p95 ${percentile(samples, 95)} ms, max ${percentile(samples, 100)} ms`,
  );
}

function entryOf(n: number, at: number, head: ChainHead) {
  const types = ['DriftDetected', 'RemediationStarted', 'RemediationSucceeded', 'DriftResolved'] as const;
  return sealEntry(
    draft({
      chain: account(n),
      at: new Date(at).toISOString(),
      type: types[head.seq % types.length] ?? 'DriftDetected',
      runId: `run-${Math.floor(at / 3_600_000)}`,
      before: FACET,
      after: { ...FACET, verdict: 'Converging' },
      reason: 'the policy wants Active',
      rule: 'production',
      policyHash: 'a'.repeat(64),
    }),
    head,
  );
}

async function writeRate(store: EmbeddedStore, concurrency: number): Promise<void> {
  const start = performance.now();
  let writes = 0;
  const worker = async (n: number): Promise<void> => {
    let head = EMPTY_CHAIN;
    while (performance.now() - start < 2000) {
      const entry = sealEntry(draft({ chain: `${concurrency}-${n}`, before: FACET, after: FACET }), head);
      const [outcome] = await store.ledger.append([entry]);
      if (outcome !== 'appended') throw new Error(`entry ${entry.seq} of ${entry.chain}: ${outcome}`);
      head = headOf(entry);
      writes += 1;
    }
  };
  await Promise.all(range(concurrency).map(worker));
  const rate = (writes / (performance.now() - start)) * 1000;
  say(`durable appends at concurrency ${concurrency}: ${rate.toFixed(0)}/s`);
}

async function fill(store: EmbeddedStore, entries: number, accounts: number): Promise<void> {
  const heads = new Map<number, ChainHead>();
  const start = Date.parse('2025-01-01T00:00:00Z');
  for (let n = 0; n < entries; n += 1000) {
    const batch = range(1000).map((index) => {
      const account = (n + index) % accounts;
      const entry = entryOf(account, start + (n + index) * 1000, heads.get(account) ?? EMPTY_CHAIN);
      heads.set(account, headOf(entry));
      return entry;
    });
    await store.ledger.append(batch);
    if (n < entries - 5000) await store.ledger.markPublished(batch);
  }
}

async function verifyAll(store: EmbeddedStore): Promise<number> {
  let checked = 0;
  for (let after: string | null = null; ; ) {
    const chains: readonly string[] = await store.ledger.chains(after, 1000);
    for (const chain of chains) {
      let head = EMPTY_CHAIN;
      for (const entry of await store.ledger.read(chain, 0, 100_000)) {
        const fault = checkLink(head, entry);
        if (fault !== null) throw new Error(`${chain}: ${fault.message}`);
        head = headOf(entry);
        checked += 1;
      }
    }
    after = chains.at(-1) ?? null;
    if (after === null) return checked;
  }
}

const entries = Number(process.argv[2] ?? 1_000_000);
const accounts = Math.min(10_000, entries / 10);
const bench = makeBench();
const store = await bench.open({ clock: systemClock });
for (const concurrency of [1, 8, 64]) await writeRate(store, concurrency);

const takenAt = 1;
const snapshot = { organizationId: 'o-1', managementAccountId: account(0), takenAt, tags: true };
for (const size of [10_000, 100_000]) {
  const all = range(size).map((n) => facts(n));
  await timed(`save a snapshot of ${size}`, () => store.facts.save({ ...snapshot, accounts: all }));
  await timed(`load it`, () => store.facts.load());
}

await timed(`fill with ${entries} entries over ${accounts} accounts`, () => fill(store, entries, accounts));
say(`file: ${(statSync(databasePath(bench.dataDir)).size / 2 ** 20).toFixed(0)} MiB`);
const some = (n: number): string => account((n * 7919) % accounts);
const page = { limit: 50 };
await latencies('timeline of one account', 1000, (n) => store.ledger.query({ accountId: some(n) }, page));
await latencies('newest entries', 200, () => store.ledger.query({}, page));
await latencies('one type', 200, () => store.ledger.query({ type: 'DriftResolved' }, page));
await latencies('one type in a far range', 200, () =>
  store.ledger.query({ type: 'DriftResolved', since: '2025-01-02T00:00:00Z', until: '2025-01-03T00:00:00Z' }, page),
);
await latencies('one run', 200, () => store.ledger.query({ runId: 'run-482200' }, page));
await latencies('an actor who never acted', 200, () => store.ledger.query({ actor: 'nobody' }, page));
await latencies('unpublished', 200, () => store.ledger.unpublished(100));
await latencies('head of a chain', 1000, (n) => store.ledger.head(some(n)));
await latencies('changedSince of the last day', 20, () =>
  store.ledger.changedSince(new Date(Date.parse('2025-01-01T00:00:00Z') + (entries - 86_400) * 1000).toISOString()),
);
const start = performance.now();
const checked = await verifyAll(store);
say(`verify: ${((checked / (performance.now() - start)) * 1000).toFixed(0)} entries/s over ${checked}`);
await timed('backup', () => store.backup(bench.path('backup.db')));
await store.close();
await timed('open', () => bench.open({ clock: systemClock }));
await bench.dispose();
