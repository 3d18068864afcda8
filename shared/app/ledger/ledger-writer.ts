import { withDetection } from '../../domain/account/drift-detection.ts';
import { type AccountRecord, emptyRecord, foldEntry } from '../../domain/account/record.ts';
import type { AccountId } from '../../domain/enrollment/model.ts';
import { type EntryDraft, type LedgerEntry, ORGANIZATION_CHAIN, sealEntry } from '../../domain/ledger/entry.ts';
import type { Ledger } from '../../ports/ledger.ts';
import type { Records } from '../../ports/records.ts';
import type { Deps } from '../context.ts';

export type JournalDeps = Pick<Deps, 'ledger' | 'records' | 'newId'>;

/** Decides which entries to write for a record. Called again if the record has changed before the write. */
export type Decide = (record: AccountRecord) => readonly EntryDraft[];

export interface Written {
  /** The record after the written entries. */
  readonly record: AccountRecord;
  readonly entries: readonly LedgerEntry[];
}

const PAGE = 500;
const MAX_ROUNDS = 20;

/**
 * The only writer of account chains. It appends on condition that the head has not moved; if it has, it brings the record up to date and asks the
 * caller to decide again, so a lost append is never blindly retried. Then it stores the derived records: before it returns if many accounts were
 * written, and in the background, together with other writes, if it was one ({@link settled}).
 */
export class LedgerWriter {
  readonly #ledger: Ledger;
  readonly #records: Records;
  readonly #newId: () => string;
  /** For each account that was written on its own, a promise that resolves when its record is stored. */
  readonly #unsettled = new Map<AccountId, Promise<void>>();
  #batch: { readonly records: Map<AccountId, AccountRecord>; readonly stored: Promise<void> } | null = null;
  #storing: Promise<void> = Promise.resolve();

  constructor({ ledger, records, newId }: JournalDeps) {
    this.#ledger = ledger;
    this.#records = records;
    this.#newId = newId;
  }

  /** The record as stored; possibly behind the ledger, which {@link write} notices. */
  async current(accountId: AccountId): Promise<AccountRecord> {
    await this.settled(accountId);
    return (await this.#records.get(accountId)) ?? emptyRecord(accountId);
  }

  /** The record, brought up to the end of its chain. It is replayed if it belongs to another history of the chain, as after a restore. */
  async caughtUp(record: AccountRecord): Promise<AccountRecord> {
    let caught = record;
    for (;;) {
      const entries = await this.#ledger.read(record.accountId, caught.head.seq, PAGE);
      if (!follows(entries[0], caught)) return this.caughtUp(emptyRecord(record.accountId));
      caught = entries.reduce(foldEntry, caught);
      if (entries.length < PAGE) return caught;
    }
  }

  /**
   * Writes entries for one account. `known` saves a read if the caller has the record. The entries are durable when it returns; the derived
   * record is stored soon after, so that no call waits for it. A reader that finds it behind its chain brings it up to date.
   */
  async write(accountId: AccountId, decide: Decide, known?: AccountRecord): Promise<Written> {
    const [written] = await this.#append([{ record: known ?? (await this.current(accountId)), decide }]);
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
      return this.#records.advance([...records.values()]);
    });
    // `settled` reports the failure for the accounts concerned. The next batch is stored regardless.
    this.#storing = stored.catch(() => undefined);
    this.#batch = { records, stored };
    return this.#batch;
  }

  /**
   * Writes entries for many accounts with one append. If the chain of an account has grown since, the entries of only that account are decided again.
   */
  async writeMany(
    items: readonly { readonly record: AccountRecord; readonly decide: Decide }[],
  ): Promise<readonly Written[]> {
    const results = await this.#append(items);
    const advanced = results.filter(({ record }) => record.head.seq > 0).map(({ record }) => record);
    if (advanced.length > 0) await this.#records.advance(advanced);
    return results;
  }

  async #append(
    items: readonly { readonly record: AccountRecord; readonly decide: Decide }[],
  ): Promise<readonly Written[]> {
    const results: Written[] = items.map(({ record }) => ({ record, entries: [] }));
    let open = items.map((item, index) => ({ ...item, index }));
    for (let round = 0; open.length > 0; round += 1) {
      const sealed = open.map((item) => ({ item, entries: this.#sealAll(item) }));
      const outcomes = await this.#ledger.append(sealed.flatMap(({ entries }) => entries));
      const moved: typeof open = [];
      let at = 0;
      for (const { item, entries } of sealed) {
        const mine = outcomes.slice(at, at + entries.length);
        at += entries.length;
        // After the first refused entry of a chain, its later entries are refused too. The accepted ones are kept, and the others are decided again.
        const accepted = entries.slice(0, mine.filter((outcome) => outcome === 'appended').length);
        const known = results[item.index]?.entries ?? [];
        const record = accepted.reduce(foldEntry, item.record);
        results[item.index] = { record, entries: [...known, ...accepted] };
        if (accepted.length < entries.length) moved.push({ ...item, record });
      }
      open = await this.#catchUp(moved, round);
    }
    return results;
  }

  /** Gives the entries their places in the chain. `DriftDetected` is inserted before the first entry that records a drift, in the same write. */
  #sealAll({ record, decide }: { readonly record: AccountRecord; readonly decide: Decide }): LedgerEntry[] {
    const entries: LedgerEntry[] = [];
    let known = record;
    for (const decided of decide(record)) {
      for (const draft of withDetection(known, decided, this.#newId)) {
        const entry = sealEntry(draft, known.head);
        known = foldEntry(known, entry);
        entries.push(entry);
      }
    }
    return entries;
  }

  async #catchUp<T extends { readonly record: AccountRecord }>(moved: readonly T[], round: number): Promise<T[]> {
    return Promise.all(
      moved.map(async (item) => {
        const caught = await this.caughtUp(item.record);
        if (caught.head.seq > item.record.head.seq) return { ...item, record: caught };
        // The append was refused although the chain has no new entry: the stored record does not belong to this chain (a restored file, a lost page).
        if (round >= MAX_ROUNDS) throw new Error(`the chain of account ${item.record.accountId} refuses every append`);
        return { ...item, record: await this.caughtUp(emptyRecord(item.record.accountId)) };
      }),
    );
  }

  /** Appends to the organization's own chain. `draft` is called again if another process was faster. */
  async organization(draft: () => EntryDraft): Promise<LedgerEntry> {
    for (;;) {
      const entry = sealEntry(draft(), await this.#ledger.head(ORGANIZATION_CHAIN));
      const [outcome] = await this.#ledger.append([entry]);
      if (outcome === 'appended') return entry;
    }
  }
}

/** If entries in between were pruned, there is nothing to compare. */
function follows(next: LedgerEntry | undefined, { head }: AccountRecord): boolean {
  return next === undefined || head.seq === 0 || next.seq !== head.seq + 1 || next.prevHash === head.hash;
}
