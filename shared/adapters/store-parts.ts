import type { Ledger } from '../ports/ledger.ts';
import type { DeadLetters, WorkQueue } from '../ports/queue.ts';
import type { Records } from '../ports/records.ts';
import type { Registers } from '../ports/registers.ts';
import type { SnapshotStore } from '../ports/snapshot-store.ts';
import type { StoreTime } from '../ports/store-time.ts';

/** The ports that every store implements. */
export interface StoreParts {
  readonly ledger: Ledger;
  readonly records: Records;
  readonly queue: WorkQueue;
  readonly deadLetters: DeadLetters;
  readonly registers: Registers;
  readonly snapshots: SnapshotStore;
  readonly time: StoreTime;
  /** Safe to call twice. */
  close(): Promise<void>;
}
