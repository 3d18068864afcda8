import {
  type ChainFault,
  type ChainHead,
  checkLink,
  EMPTY_CHAIN,
  headOf,
  type LedgerEntry,
  ORGANIZATION_CHAIN,
} from '../../../domain/ledger/entry.ts';
import { type Ledger, type LedgerPage, TamperedError } from '../../../ports/ledger.ts';
import { entriesOf } from './all-entries.ts';

type Read = Pick<Ledger, 'head' | 'read' | 'query'>;

/** The shape of `audit show --json`. */
export interface ShownEntry {
  readonly entry: LedgerEntry;
  readonly verification: {
    readonly ok: boolean;
    /** The entry before it in its chain; `null` for the first. */
    readonly previous: Neighbour | null;
    /** The entry after it in its chain; `null` for the last. */
    readonly next: Neighbour | null;
    readonly faults: readonly ChainFault[];
  };
}

interface Neighbour {
  readonly id: string;
  readonly seq: number;
  readonly type: LedgerEntry['type'];
  readonly at: string;
}

/**
 * One entry, and whether its links to the previous and the next entry of its chain are intact; `null` if it does not exist.
 * @param reference the entry's id, or its position as `CHAIN#SEQ`
 */
export async function showEntry(ledger: Read, reference: string): Promise<ShownEntry | null> {
  const found = await findEntry(ledger, reference);
  if (found === null) return null;
  const { chain, seq } = found;
  const faults: ChainFault[] = [];
  const around = await readAround(ledger, chain, seq, faults);
  const previous = around.find((each) => each.seq === seq - 1) ?? null;
  const next = around.find((each) => each.seq === seq + 1) ?? null;
  const alone = seq > 1 && previous === null && faults.length === 0;
  const replaced = alone ? await replacedBefore(ledger, found) : null;
  if (alone && replaced === null) {
    faults.push({ kind: 'gap', seq: seq - 1, message: `entry ${seq - 1} is missing` });
  } else if (replaced !== null) {
    const own = checkLink(replaced, found);
    if (own !== null) faults.push(own);
  } else if (faults.length === 0) {
    const own = checkLink(previous === null ? EMPTY_CHAIN : headOf(previous), found);
    if (own !== null) faults.push(own);
  }
  const after = next === null ? await missingEnd(ledger, found) : checkLink(headOf(found), next);
  if (after !== null) faults.push(after);
  return {
    entry: found,
    verification: { ok: faults.length === 0, previous: neighbour(previous), next: neighbour(next), faults },
  };
}

/** The previous entry as recorded by the checkpoint that replaced it; `null`: no checkpoint replaced it. */
async function replacedBefore(ledger: Read, { chain, seq, prevHash }: LedgerEntry): Promise<ChainHead | null> {
  const account = chain === ORGANIZATION_CHAIN ? {} : { accountId: chain };
  for (let cursor: string | null = null; ; ) {
    const filter = { ...account, type: 'ChainPruned' } as const;
    const page: LedgerPage = await ledger.query(filter, { limit: 100, cursor });
    const through = page.entries.find((entry) => entry.chain === chain)?.detail?.checkpoint?.through;
    // The latest checkpoint decides: if it covers this entry too, the entry is about to be removed.
    if (through !== undefined && through.seq >= seq) return { seq: seq - 1, hash: prevHash };
    if (through !== undefined) return through.seq === seq - 1 ? through : null;
    if (page.next === null) return null;
    cursor = page.next;
  }
}

/** One entry; `null`: it does not exist. @param reference the entry's id, or its position as `CHAIN#SEQ` */
export async function findEntry(
  ledger: Pick<Ledger, 'read' | 'query'>,
  reference: string,
): Promise<LedgerEntry | null> {
  const [, chain, place] = /^(.+)#(\d{1,12})$/.exec(reference) ?? [];
  if (chain !== undefined && place !== undefined) {
    const seq = Number(place);
    const [entry] = seq === 0 ? [] : await ledger.read(chain, seq - 1, 1);
    return entry?.seq === seq ? entry : null;
  }
  const at = timeOf(reference);
  const near = at === null ? null : await search(ledger, reference, at);
  return near ?? search(ledger, reference, null);
}

/** An id contains the time of its entry, up to clock differences, so entries around that time are searched first. */
const NEAR_MS = 5 * 60_000;
const PAGE = 1_000;

async function search(ledger: Pick<Ledger, 'query'>, id: string, at: number | null): Promise<LedgerEntry | null> {
  const filter =
    at === null
      ? {}
      : { since: new Date(Math.max(0, at - NEAR_MS)).toISOString(), until: new Date(at + NEAR_MS).toISOString() };
  for await (const entry of entriesOf(ledger, filter, { limit: PAGE })) if (entry.id === id) return entry;
  return null;
}

/** Crockford's base 32. The first ten characters of an id encode its creation time, epoch ms. */
const DIGITS = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const LATEST = Date.UTC(9999, 0);

function timeOf(id: string): number | null {
  if (!/^[0-9A-Z]{26}$/.test(id)) return null;
  let time = 0;
  for (const digit of id.slice(0, 10)) time = time * 32 + DIGITS.indexOf(digit);
  return time >= 0 && time < LATEST ? time : null;
}

async function readAround(
  ledger: Read,
  chain: string,
  seq: number,
  faults: ChainFault[],
): Promise<readonly LedgerEntry[]> {
  try {
    return await ledger.read(chain, Math.max(0, seq - 2), seq === 1 ? 2 : 3);
  } catch (error) {
    if (!(error instanceof TamperedError)) throw error;
    faults.push({ kind: 'edit', seq: error.seq, message: error.message });
    return [];
  }
}

/** The last entry must be the one that the store records as the end of the chain. */
async function missingEnd(ledger: Read, entry: LedgerEntry): Promise<ChainFault | null> {
  const head = await ledger.head(entry.chain);
  if (head.seq <= entry.seq) return null;
  const [further] = await ledger.read(entry.chain, entry.seq, 1);
  // An entry may have been appended since.
  if (further?.seq === entry.seq + 1) return null;
  return {
    kind: 'gap',
    seq: entry.seq + 1,
    message: `entry ${entry.seq + 1} is missing; the chain ends at ${head.seq}`,
  };
}

function neighbour(entry: LedgerEntry | null): Neighbour | null {
  if (entry === null) return null;
  const { id, seq, type, at } = entry;
  return { id, seq, type, at };
}
