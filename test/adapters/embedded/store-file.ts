import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach } from 'vitest';
import { databasePath } from '../../../shared/adapters/embedded/file.ts';
import { sha256Hex } from '../../../shared/domain/canonical-hash.ts';
import { account, chainOf } from '../../contract/samples.ts';
import { type Bench, makeBench } from './stores.ts';

export let bench: Bench;
export let file: string;

/** A hash of each file in the data directory, by name; of the shared memory of a log, only the name. */
export function contents(): Readonly<Record<string, string>> {
  const hash = (name: string) => sha256Hex(readFileSync(join(bench.dataDir, name)).toString('latin1'));
  const names = readdirSync(bench.dataDir).toSorted();
  return Object.fromEntries(names.map((name) => [name, name.endsWith('-shm') ? '' : hash(name)]));
}

export async function makeStore(entries = 3): Promise<void> {
  const store = await bench.open();
  await store.ledger.append(chainOf(account(1), entries));
  await store.close();
}

export function withDatabase(change: (db: DatabaseSync) => void): void {
  const db = new DatabaseSync(file);
  change(db);
  db.close();
}

/** Registers set-up and clean-up for every test of the calling file. */
export function useDataDirectory(): void {
  beforeEach(() => {
    bench = makeBench();
    file = databasePath(bench.dataDir);
  });
  afterEach(() => bench.dispose());
}
