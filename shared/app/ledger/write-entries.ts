import { withDetection } from '../../domain/account/drift-detection.ts';
import { type AccountRecord, emptyRecord, foldEntry } from '../../domain/account/record.ts';
import { type EntryDraft, type LedgerEntry, ORGANIZATION_CHAIN, sealEntry } from '../../domain/ledger/entry.ts';
import type { Deps } from '../context.ts';

export type WriteDeps = Pick<Deps, 'ledger' | 'records' | 'newId'>;

/** Decides which entries to write for a record. Called again if the record has changed before the write. */
export type Decide = (record: AccountRecord) => readonly EntryDraft[];

/** The entries to write for one account, decided on this record. */
export interface EntryWrite {
  readonly record: AccountRecord;
  readonly decide: Decide;
}

export interface Written {
  /** The record after the written entries. */
  readonly record: AccountRecord;
  readonly entries: readonly LedgerEntry[];
}

const PAGE = 500;
const MAX_ROUNDS = 20;

/** Writes entries for many accounts with one append, then stores the derived records. */
export async function writeEntries(deps: WriteDeps, writes: readonly EntryWrite[]): Promise<readonly Written[]> {
  const results = await appendEntries(deps, writes);
  const advanced = results.filter(({ record }) => record.head.seq > 0).map(({ record }) => record);
  if (advanced.length > 0) await deps.records.advance(advanced);
  return results;
}

/** Appends to the organization's own chain. `draft` is called again if another process was faster. */
export async function writeOrganizationEntry(
  { ledger }: Pick<Deps, 'ledger'>,
  draft: () => EntryDraft,
): Promise<LedgerEntry> {
  for (;;) {
    const entry = sealEntry(draft(), await ledger.head(ORGANIZATION_CHAIN));
    const [outcome] = await ledger.append([entry]);
    if (outcome === 'appended') return entry;
  }
}

/**
 * Appends entries to the chains of accounts, without storing the derived records. The ledger accepts an append only at the head of its chain. If
 * the head has moved, the entries of that account are decided again on its current record, never repeated blindly.
 */
export async function appendEntries(deps: WriteDeps, writes: readonly EntryWrite[]): Promise<readonly Written[]> {
  const results: Written[] = writes.map(({ record }) => ({ record, entries: [] }));
  let open = writes.map((item, index) => ({ ...item, index }));
  for (let round = 0; open.length > 0; round += 1) {
    const sealed = open.map((item) => ({ item, entries: sealAll(deps, item) }));
    const outcomes = await deps.ledger.append(sealed.flatMap(({ entries }) => entries));
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
    open = await catchUp(deps, moved, round);
  }
  return results;
}

/** Gives the entries their places in the chain. `DriftDetected` is inserted before the first entry that records a drift, in the same write. */
function sealAll({ newId }: WriteDeps, { record, decide }: EntryWrite): LedgerEntry[] {
  const entries: LedgerEntry[] = [];
  let known = record;
  for (const decided of decide(record)) {
    for (const draft of withDetection(known, decided, newId)) {
      const entry = sealEntry(draft, known.head);
      known = foldEntry(known, entry);
      entries.push(entry);
    }
  }
  return entries;
}

async function catchUp<T extends { readonly record: AccountRecord }>(
  deps: WriteDeps,
  moved: readonly T[],
  round: number,
): Promise<T[]> {
  return Promise.all(
    moved.map(async (item) => {
      const caught = await caughtUp(deps, item.record);
      if (caught.head.seq > item.record.head.seq) return { ...item, record: caught };
      // The append was refused although the chain has no new entry, so the stored record belongs to another chain (a restored file, a lost page).
      if (round >= MAX_ROUNDS) throw new Error(`the chain of account ${item.record.accountId} refuses every append`);
      return { ...item, record: await caughtUp(deps, emptyRecord(item.record.accountId)) };
    }),
  );
}

/** The record, brought up to the end of its chain. It is replayed if it belongs to another history of the chain, as after a restore. */
export async function caughtUp(deps: Pick<Deps, 'ledger'>, record: AccountRecord): Promise<AccountRecord> {
  let caught = record;
  for (;;) {
    const entries = await deps.ledger.read(record.accountId, caught.head.seq, PAGE);
    if (!follows(entries[0], caught)) return caughtUp(deps, emptyRecord(record.accountId));
    caught = entries.reduce(foldEntry, caught);
    if (entries.length < PAGE) return caught;
  }
}

/** Whether the record and the next entry belong to the same history of the chain. If entries in between were pruned, that cannot be checked. */
function follows(next: LedgerEntry | undefined, { head }: AccountRecord): boolean {
  return next === undefined || head.seq === 0 || next.seq !== head.seq + 1 || next.prevHash === head.hash;
}
