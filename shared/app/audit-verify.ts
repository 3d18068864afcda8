import { type ChainFault, type ChainHead, checkLink, EMPTY_CHAIN, headOf, type LedgerEntry } from '../domain/ledger.ts';
import { type Ledger, TamperedError } from '../ports/ledger.ts';
import type { Records } from '../ports/records.ts';

/** The shape of `audit verify --json`. */
export interface VerifyResult {
  readonly ok: boolean;
  readonly chains: number;
  readonly entries: number;
  /** The first link that does not hold. */
  readonly fault: (ChainFault & { readonly chain: string }) | null;
}

const CHAINS = 500;
const ENTRIES = 1_000;

/**
 * Checks every link of every chain (invariant 7) up to the first that does not hold, and then that each account's record still finds the
 * entry it was folded from: a chain that was removed as a whole, or cut short together with its end, shows there.
 */
export async function verifyLedger(ledger: Ledger, records: Pick<Records, 'all'>): Promise<VerifyResult> {
  const links = await verifyLinks(ledger);
  if (!links.ok) return links;
  for await (const page of records.all()) {
    for (const { accountId, head } of page) {
      const [entry] = head.seq === 0 ? [] : await ledger.read(accountId, head.seq - 1, 1);
      if (head.seq === 0 || (entry?.seq === head.seq && entry.hash === head.hash)) continue;
      const message = `the account's record was folded from entry ${head.seq}, which the chain ${entry === undefined ? 'does not have' : 'has with another hash'}`;
      return {
        ...links,
        ok: false,
        fault: { kind: entry === undefined ? 'gap' : 'fork', seq: head.seq, message, chain: accountId },
      };
    }
  }
  return links;
}

async function verifyLinks(ledger: Ledger): Promise<VerifyResult> {
  let chains = 0;
  let entries = 0;
  let after: string | null = null;
  for (;;) {
    const names: readonly string[] = await ledger.chains(after, CHAINS);
    for (const chain of names) {
      const result = await verifyChain(ledger, chain);
      chains += 1;
      entries += result.entries;
      if (result.fault !== null) return { ok: false, chains, entries, fault: { ...result.fault, chain } };
    }
    after = names.at(-1) ?? null;
    if (names.length < CHAINS) return { ok: true, chains, entries, fault: null };
  }
}

async function verifyChain(
  ledger: Ledger,
  chain: string,
): Promise<{ readonly entries: number; readonly fault: ChainFault | null }> {
  let head: ChainHead = EMPTY_CHAIN;
  let count = 0;
  for (;;) {
    const entries = await readOrFault(ledger, chain, head.seq);
    if ('kind' in entries) return { entries: count, fault: entries };
    for (const entry of entries) {
      const fault = checkLink(head, entry);
      if (fault !== null) return { entries: count, fault };
      head = headOf(entry);
      count += 1;
    }
    if (entries.length < ENTRIES) break;
  }
  return { entries: count, fault: await missingEnd(ledger, chain, head) };
}

/** Entries of a chain, or that what they are found by no longer says what they say. */
async function readOrFault(
  ledger: Ledger,
  chain: string,
  afterSeq: number,
): Promise<readonly LedgerEntry[] | ChainFault> {
  try {
    return await ledger.read(chain, afterSeq, ENTRIES);
  } catch (error) {
    if (!(error instanceof TamperedError)) throw error;
    return { kind: 'edit', seq: error.seq, message: error.message };
  }
}

/** The end that the store remembers against the end that was read: entries cut off at the end leave no gap of their own. */
async function missingEnd(ledger: Ledger, chain: string, head: ChainHead): Promise<ChainFault | null> {
  const said = await ledger.head(chain);
  // Someone may have appended since; only a remembered end that lies behind what was read, or differs at it, is a fault.
  if (said.seq > head.seq) {
    const further = await ledger.read(chain, head.seq, 1);
    if (further.length > 0) return null;
    return {
      kind: 'gap',
      seq: said.seq,
      message: `the chain ends at entry ${head.seq}, but entry ${said.seq} was written`,
    };
  }
  return null;
}
