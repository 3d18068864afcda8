import { afterEach, beforeEach, expect } from 'vitest';
import { databasePath } from '../../../shared/adapters/embedded/file.ts';
import { type RestoreOptions, restoreEmbeddedStore } from '../../../shared/adapters/embedded/restore.ts';
import type { EmbeddedStore } from '../../../shared/adapters/embedded/store.ts';
import { systemClock } from '../../../shared/adapters/system/clock.ts';
import type { Reconcile } from '../../../shared/ports/restore.ts';
import { account, chainOf, facts, record, work } from '../../contract/samples.ts';
import { HOST } from '../../support/host.ts';
import { type Bench, makeBench } from './stores.ts';

export let bench: Bench;
export let file: string;
export let copy: string;

/** Restores only the backup and keeps nothing of the replaced store; `restore.test.ts` covers the parts that are kept. */
const onlyTheBackup: Reconcile<null> = (backup) => ({ registers: backup.registers(), drafts: [], report: null });

export const restore = (options: Partial<RestoreOptions<null>> = {}) =>
  restoreEmbeddedStore({
    ...HOST,
    ...{ dataDir: bench.dataDir, file: copy, reconcile: onlyTheBackup, clock: systemClock, newId: bench.newId },
    ...options,
  });

export async function fill(store: EmbeddedStore): Promise<void> {
  await store.ledger.append([...chainOf(account(1), 3), ...chainOf(account(2), 2)]);
  await store.records.advance([record(account(1), 3)]);
  await store.queue.send([work(1)]);
  await store.registers.write('lease', 'before', null);
  await store.snapshots.refresh([facts(1)]);
}

export async function expectFilled(store: EmbeddedStore): Promise<void> {
  expect(await store.ledger.read(account(1), 0, 10)).toEqual(chainOf(account(1), 3));
  expect(await store.ledger.chains(null, 10)).toEqual([account(1), account(2)]);
  expect(await store.records.get(account(1))).toEqual(record(account(1), 3));
  expect((await store.registers.read('lease'))?.value).toBe('before');
  expect(await store.snapshots.get(account(1))).toEqual(facts(1));
  const [delivery, ...others] = await store.queue.receive(10, 1000);
  expect(delivery?.message).toEqual(work(1));
  expect(others).toEqual([]);
}

/** Registers set-up and clean-up for every test of the calling file. */
export function useStoreFile(): void {
  beforeEach(() => {
    bench = makeBench();
    file = databasePath(bench.dataDir);
    copy = bench.path('backup.db');
  });
  afterEach(() => bench.dispose());
}
