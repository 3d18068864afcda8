import { type ChainHead, EMPTY_CHAIN, type LedgerEntry, ORGANIZATION_CHAIN } from '../../domain/ledger/entry.ts';
import type { EntryType } from '../../domain/ledger/entry-types.ts';
import { hasHashedText, type StoredEntry } from '../../domain/ledger/stored-entry.ts';
import { mapParallel } from '../../domain/map-parallel.ts';
import { type Ledger, TamperedError } from '../../ports/ledger.ts';
import type { Registers } from '../../ports/registers.ts';
import type { Typed } from '../coordination/typed-register.ts';
import type { LoggedEntry } from './bundle.ts';
import { readChain } from './chain-places.ts';
import type { BrokenChain, ChainState } from './log-documents.ts';

/** An entry that is not in the log yet. */
export interface NewEntry extends LoggedEntry {
  /** `null`: it was pruned, and only its number and hash are known. */
  readonly type: EntryType | null;
}

/** New entries of one chain, which follow those in the log. */
export interface NewEntries {
  readonly chain: string;
  readonly known: Typed<ChainState> | null;
  readonly entries: readonly NewEntry[];
  /** Whether the chain may have more of them. */
  readonly more: boolean;
  /** Why the entry after these is not appended; `null`: there is none, or it was not read. */
  readonly broken: BrokenChain | null;
}

interface Source {
  readonly ledger: Pick<Ledger, 'readStored' | 'query'>;
  readonly registers: Pick<Registers, 'read'>;
}

/** Reads from each chain at most this many entries at a time. */
const ENTRIES = 256;
const PARALLEL = 16;

/** The next entries of each chain after those that the log has. */
export function newEntriesOf(source: Source, chains: readonly string[]): Promise<readonly NewEntries[]> {
  return mapParallel(chains, PARALLEL, (chain) => newEntries(source, chain));
}

async function newEntries(source: Source, chain: string): Promise<NewEntries> {
  const known = await readChain(source.registers, chain);
  const head: ChainHead = known?.value ?? EMPTY_CHAIN;
  const read = await readSafely(source.ledger, chain, head.seq);
  if (!Array.isArray(read)) return { chain, known, entries: [], more: false, broken: read };
  const first = read[0]?.entry;
  const pruned = head.seq === 0 && first !== undefined && first.seq > 1 ? await lastPruned(source.ledger, first) : null;
  const begin: readonly NewEntry[] = pruned === null ? [] : [{ chain, ...pruned, type: null }];
  const following = pruned === null ? read : read.filter(({ entry }) => entry.seq > pruned.seq);
  const { entries, broken } = linked(chain, pruned ?? head, following);
  return { chain, known, entries: [...begin, ...entries], more: read.length === ENTRIES && broken === null, broken };
}

async function readSafely(
  ledger: Pick<Ledger, 'readStored'>,
  chain: string,
  after: number,
): Promise<StoredEntry[] | BrokenChain> {
  try {
    return [...(await ledger.readStored(chain, after, ENTRIES))];
  } catch (error) {
    if (!(error instanceof TamperedError)) throw error;
    return { chain, seq: error.seq, problem: error.message };
  }
}

/** The entries up to the first that does not follow the one before. */
function linked(chain: string, head: ChainHead, read: readonly StoredEntry[]) {
  const entries: NewEntry[] = [];
  let last = head;
  for (const stored of read) {
    const { entry } = stored;
    const problem = problemOf(last, stored);
    if (problem !== null) return { entries, broken: { chain, seq: entry.seq, problem } };
    const { seq, hash, type } = entry;
    entries.push({ chain, seq, hash, type });
    last = entry;
  }
  return { entries, broken: null };
}

function problemOf(last: ChainHead, stored: StoredEntry): string | null {
  const { entry } = stored;
  if (entry.seq !== last.seq + 1) return `entry ${entry.seq} follows entry ${last.seq}`;
  if (entry.prevHash !== last.hash) return `its prevHash is not the hash of entry ${last.seq}`;
  return hasHashedText(stored) ? null : 'its content does not match its hash';
}

/** The last pruned entry of a chain, which the latest `ChainPruned` names; `null`: no `ChainPruned` explains the missing entries. */
async function lastPruned(ledger: Pick<Ledger, 'query'>, first: LedgerEntry): Promise<ChainHead | null> {
  const { chain } = first;
  const filter = { type: 'ChainPruned', ...(chain !== ORGANIZATION_CHAIN && { accountId: chain }) } as const;
  for (let cursor: string | null = null; ; ) {
    const page: Awaited<ReturnType<Ledger['query']>> = await ledger.query(filter, { limit: 100, cursor });
    const through = page.entries.find((entry) => entry.chain === chain)?.detail?.checkpoint?.through;
    if (through !== undefined) return through.seq >= first.seq - 1 ? through : null;
    if (page.next === null) return null;
    cursor = page.next;
  }
}
