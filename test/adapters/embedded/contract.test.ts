import { DatabaseSync } from 'node:sqlite';
import { databasePath } from '../../../shared/adapters/embedded/file.ts';
import type { EmbeddedStore } from '../../../shared/adapters/embedded/store.ts';
import { cachedRecords } from '../../../shared/adapters/system/record-cache.ts';
import { cachedSnapshots } from '../../../shared/adapters/system/snapshot-cache.ts';
import type { Subject } from '../../contract/contract.ts';
import { ledgerContract } from '../../contract/ledger.contract.ts';
import { queueContract } from '../../contract/queue.contract.ts';
import { queueLanesContract } from '../../contract/queue-lanes.contract.ts';
import { recordsContract } from '../../contract/records.contract.ts';
import { registersContract } from '../../contract/registers.contract.ts';
import { factsContract } from '../../contract/snapshot-store.contract.ts';
import { storeTimeContract } from '../../contract/store-time.contract.ts';
import { type Bench, makeBench } from './stores.ts';

/** A new store; `pick` selects the port under test. */
function subject<Port>(pick: (store: EmbeddedStore, bench: Bench) => Port): () => Promise<Subject<Port>> {
  return async () => {
    const bench = makeBench();
    const port = pick(await bench.open(), bench);
    const another = async () => pick(await bench.open(), bench);
    return { port, another, clock: bench.clock, close: () => bench.dispose() };
  };
}

/** Stores a value in the format of another version. */
function putRaw(bench: Bench, body: string): void {
  const db = new DatabaseSync(databasePath(bench.dataDir));
  db.prepare('INSERT INTO queue (work, body, visible_at) VALUES (?, ?, ?)').run(body, body, bench.clock.now());
  db.close();
}

ledgerContract(
  'embedded',
  subject((store) => store.ledger),
);
recordsContract(
  'embedded',
  subject((store) => store.records),
);
recordsContract(
  'embedded, with the records in memory',
  subject(({ records }, { clock }) => cachedRecords(records, clock, { maxAgeMs: 0, maxRecords: 1_000_000 })),
);
registersContract(
  'embedded',
  subject((store) => store.registers),
);
registersContract(
  'embedded, not waiting for the disk',
  subject((store) => store.pacing),
);
factsContract(
  'embedded',
  subject((store) => store.snapshots),
);
factsContract(
  'embedded, with the snapshot in memory',
  subject(({ snapshots }, { clock }) => cachedSnapshots(snapshots, clock, 0)),
);
queueContract(
  'embedded',
  subject(({ queue, deadLetters }, bench) => ({ queue, deadLetters, putRaw: async (body) => putRaw(bench, body) })),
);
queueLanesContract(
  'embedded',
  subject(({ queue, deadLetters }, bench) => ({ queue, deadLetters, putRaw: async (body) => putRaw(bench, body) })),
);
storeTimeContract('embedded', async () => {
  const bench = makeBench();
  const store = await bench.open();
  const db = new DatabaseSync(databasePath(bench.dataDir));
  const port = {
    ...{ time: store.time, registers: store.registers, monotonic: () => performance.now() },
    answers: false,
    trueTime: () => bench.clock.now(),
    // Advances with every commit of another connection.
    writes: () => Number(db.prepare('PRAGMA data_version').get()?.['data_version']),
  };
  const close = async () => {
    db.close();
    await bench.dispose();
  };
  return { port, another: async () => port, clock: bench.clock, close };
});
