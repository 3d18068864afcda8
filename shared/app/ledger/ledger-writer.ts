import { type AccountRecord, emptyRecord } from '../../domain/account/record.ts';
import type { AccountId } from '../../domain/enrollment/model.ts';
import { appendEntries, type Decide, type WriteDeps, type Written } from './write-entries.ts';

/**
 * Writes the entries of single accounts for the workers of a process. No call waits for the derived record: it is stored in the background,
 * together with those of other writes. {@link settled} waits for it.
 */
export class LedgerWriter {
  readonly #deps: WriteDeps;
  /** For each account that was written, a promise that resolves when its record is stored. */
  readonly #unsettled = new Map<AccountId, Promise<void>>();
  #batch: { readonly records: Map<AccountId, AccountRecord>; readonly stored: Promise<void> } | null = null;
  #storing: Promise<void> = Promise.resolve();

  constructor(deps: WriteDeps) {
    this.#deps = deps;
  }

  /** The record as stored; possibly behind the ledger, which {@link write} notices. */
  async current(accountId: AccountId): Promise<AccountRecord> {
    await this.settled(accountId);
    return (await this.#deps.records.get(accountId)) ?? emptyRecord(accountId);
  }

  /**
   * Writes entries for one account. `known` saves a read if the caller has the record. The entries are durable when it returns; a reader that finds
   * the record behind its chain brings it up to date.
   */
  async write(accountId: AccountId, decide: Decide, known?: AccountRecord): Promise<Written> {
    const record = known ?? (await this.current(accountId));
    const [written] = await appendEntries(this.#deps, [{ record, decide }]);
    if (written === undefined) throw new Error('one result per item');
    if (written.record.head.seq > 0) this.#advanceSoon(written.record);
    return written;
  }

  /** Waits until the record that {@link write} stores in the background is stored. @throws the error that prevented it */
  async settled(accountId: AccountId): Promise<void> {
    const stored = this.#unsettled.get(accountId);
    try {
      await stored;
    } finally {
      if (this.#unsettled.get(accountId) === stored) this.#unsettled.delete(accountId);
    }
  }

  #advanceSoon(record: AccountRecord): void {
    const batch = this.#batch ?? this.#newBatch();
    batch.records.set(record.accountId, record);
    this.#unsettled.set(record.accountId, batch.stored);
  }

  /** Writes that arrive while one batch is being stored form the next batch. */
  #newBatch() {
    const records = new Map<AccountId, AccountRecord>();
    const stored = this.#storing.then(() => {
      this.#batch = null;
      return this.#deps.records.advance([...records.values()]);
    });
    // `settled` reports the failure for the accounts concerned. The next batch is stored regardless.
    this.#storing = stored.catch(() => undefined);
    this.#batch = { records, stored };
    return this.#batch;
  }
}
