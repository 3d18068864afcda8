import { type EntryDraft, headOf, type LedgerEntry, ORGANIZATION_CHAIN, sealEntry } from '../domain/ledger.ts';
import { type AccountRecord, emptyRecord, foldEntry } from '../domain/record.ts';
import type { AccountId } from '../domain/types.ts';
import type { Ledger } from '../ports/ledger.ts';
import type { Records } from '../ports/records.ts';

/** Says what to write, given the record as it stands; called again whenever the record turns out to have moved on. */
export type Decide = (record: AccountRecord) => readonly EntryDraft[];

export interface Written {
  /** The record after what was written. */
  readonly record: AccountRecord;
  readonly entries: readonly LedgerEntry[];
}

const PAGE = 500;
const MAX_ROUNDS = 20;

/**
 * The only writer of account chains: appends on condition that the head has not moved, and when it has, catches the record up and lets
 * the caller decide anew; a lost append is never blindly retried. Afterwards it advances the derived records.
 */
export class Journal {
  readonly #ledger: Ledger;
  readonly #records: Records;

  constructor(ledger: Ledger, records: Records) {
    this.#ledger = ledger;
    this.#records = records;
  }

  /** The record as stored; possibly behind the ledger, which {@link write} notices. */
  async current(accountId: AccountId): Promise<AccountRecord> {
    return (await this.#records.get(accountId)) ?? emptyRecord(accountId);
  }

  /** The record, brought up to the end of its chain. */
  async caughtUp(record: AccountRecord): Promise<AccountRecord> {
    let caught = record;
    for (;;) {
      const entries = await this.#ledger.read(record.accountId, caught.head.seq, PAGE);
      caught = entries.reduce(foldEntry, caught);
      if (entries.length < PAGE) return caught;
    }
  }

  /** Writes for one account. `known` saves a read where the caller has the record. */
  async write(accountId: AccountId, decide: Decide, known?: AccountRecord): Promise<Written> {
    const [written] = await this.writeMany([{ record: known ?? (await this.current(accountId)), decide }]);
    if (written === undefined) throw new Error('writeMany answers one result per item');
    return written;
  }

  /** Writes for many accounts with one append; each is judged and, if its head moved, decided anew, on its own. */
  async writeMany(
    items: readonly { readonly record: AccountRecord; readonly decide: Decide }[],
  ): Promise<readonly Written[]> {
    const results: Written[] = items.map(({ record }) => ({ record, entries: [] }));
    let open = items.map((item, index) => ({ ...item, index }));
    for (let round = 0; open.length > 0; round += 1) {
      const sealed = open.map((item) => ({ item, entries: sealAll(item.record, item.decide(item.record)) }));
      const outcomes = await this.#ledger.append(sealed.flatMap(({ entries }) => entries));
      const moved: typeof open = [];
      let at = 0;
      for (const { item, entries } of sealed) {
        const mine = outcomes.slice(at, at + entries.length);
        at += entries.length;
        // The first refusal of a chain refuses the rest of it, so an accepted prefix stands and the others are decided anew.
        const accepted = entries.slice(0, mine.filter((outcome) => outcome === 'appended').length);
        const known = results[item.index]?.entries ?? [];
        const record = accepted.reduce(foldEntry, item.record);
        results[item.index] = { record, entries: [...known, ...accepted] };
        if (accepted.length < entries.length) moved.push({ ...item, record });
      }
      open = await this.#catchUp(moved, round);
    }
    const advanced = results.filter(({ record }) => record.head.seq > 0).map(({ record }) => record);
    if (advanced.length > 0) await this.#records.advance(advanced);
    return results;
  }

  async #catchUp<T extends { readonly record: AccountRecord }>(moved: readonly T[], round: number): Promise<T[]> {
    return Promise.all(
      moved.map(async (item) => {
        const caught = await this.caughtUp(item.record);
        if (caught.head.seq > item.record.head.seq) return { ...item, record: caught };
        // Nothing new and yet refused: the stored record does not belong to this chain (a restored file, a lost page). Replay it.
        if (round >= MAX_ROUNDS) throw new Error(`the chain of account ${item.record.accountId} refuses every append`);
        return { ...item, record: await this.caughtUp(emptyRecord(item.record.accountId)) };
      }),
    );
  }

  /** Appends to the organization's own chain. `draft` is called again when someone else was faster. */
  async organization(draft: () => EntryDraft): Promise<LedgerEntry> {
    for (;;) {
      const entry = sealEntry(draft(), await this.#ledger.head(ORGANIZATION_CHAIN));
      const [outcome] = await this.#ledger.append([entry]);
      if (outcome === 'appended') return entry;
    }
  }
}

function sealAll(record: AccountRecord, drafts: readonly EntryDraft[]): LedgerEntry[] {
  let head = record.head;
  return drafts.map((draft) => {
    const entry = sealEntry(draft, head);
    head = headOf(entry);
    return entry;
  });
}
