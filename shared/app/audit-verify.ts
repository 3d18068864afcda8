import { type ChainFault, type ChainHead, checkLink, EMPTY_CHAIN, headOf } from '../domain/ledger.ts';
import type { Ledger } from '../ports/ledger.ts';

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

/** Checks every link of every chain (invariant 7) up to the first that does not hold. */
export async function verifyLedger(ledger: Ledger): Promise<VerifyResult> {
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
    const entries = await ledger.read(chain, head.seq, ENTRIES);
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
