import * as z from 'zod';
import type { ChainHead, Digest, LedgerEntry } from '../../../domain/ledger/entry.ts';
import type { StoredEntry } from '../../../domain/ledger/stored-entry.ts';
import { ChainCheck, FAULT_KINDS, type FaultKind, type LinkFault } from '../../../domain/ledger/verify-chain.ts';
import { type ChainEnd, type Ledger, TamperedError } from '../../../ports/ledger.ts';
import type { Records } from '../../../ports/records.ts';
import { DigestCheck, digestResultSchema } from '../../ledger/verify-digests.ts';
import { LogComparison, logResultSchema } from '../../transparency/log-comparison.ts';
import type { LogContent } from '../../transparency/log-content.ts';

const faultSchema = z.object({ chain: z.string(), kind: z.enum(FAULT_KINDS), seq: z.number(), message: z.string() });

/** The shape of `audit verify --json`. */
export const verifySchema = z.object({
  ok: z.boolean(),
  chains: z.number(),
  entries: z.number(),
  /** The first element of `faults`. */
  fault: faultSchema.nullable(),
  /** The first broken link of each kind, in order of chain. */
  faults: z.array(faultSchema),
  /** Number of entries that retention has removed, according to `ChainPruned` entries. */
  pruned: z.number(),
  digests: z.array(digestResultSchema),
  /** `null`: the store has no transparency log, or it was not compared. */
  log: logResultSchema.nullable().default(null),
});

type VerifyFault = z.infer<typeof faultSchema>;
export type VerifyResult = z.infer<typeof verifySchema>;

const ENTRIES = 1_000;

/** Additional evidence to check the store against. */
export interface VerifyAgainst {
  /** Digests that were kept outside the store. */
  readonly digests?: readonly Digest[];
  /** Reads the list of chains that a digest covers. */
  readonly listOf?: (digest: Digest) => Promise<Readonly<Record<string, number>> | null>;
  /** A digest that cannot be compared counts as a fault (default). */
  readonly strict?: boolean;
  /** The transparency log of the store, read before. Each entry is compared with it. */
  readonly log?: LogContent | null;
}

/**
 * Checks every link of every chain (invariant 7), that each chain ends where the store says, that the last entry in each account's
 * record exists (so the removal of a whole chain is detected), that the digests match the store, and that the transparency log has the same entries.
 */
export async function verifyLedger(
  ledger: Ledger,
  records: Pick<Records, 'all'>,
  against: VerifyAgainst = {},
): Promise<VerifyResult> {
  // Read before the chains, which must then contain everything that the records refer to, even if other processes append.
  const folded = await foldedHeads(records);
  const digests = await DigestCheck.make(against.digests ?? [], against.listOf ?? (async () => null));
  const log = against.log === undefined || against.log === null ? null : new LogComparison(against.log);
  const findings = new Findings();
  let chains = 0;
  let entries = 0;
  let pruned = 0;
  for await (const page of ledger.ends()) {
    for (const end of page) {
      const check = new ChainCheck();
      entries += await followChain(ledger, end, check, watched({ record: folded.get(end.chain), digests, log, check }));
      folded.delete(end.chain);
      chains += 1;
      pruned += check.replaced.seq;
      findings.add(end.chain, check.end(end));
      digests.ended(end.chain, check);
    }
  }
  for (const [chain, { seq }] of folded) {
    const message = `the account's record was folded from entry ${seq}, and the whole chain is gone`;
    findings.add(chain, [{ kind: 'truncation', seq, message }]);
  }
  const results = digests.results((chain, fault) => findings.add(chain, [fault]));
  const logged = log?.result((chain, fault) => findings.add(chain, [fault])) ?? null;
  const faults = findings.first();
  const fits = new Set<string>(['matches', 'pruned', ...(against.strict === false ? ['unknown'] : [])]);
  const ok =
    faults.length === 0 && results.every(({ outcome }) => fits.has(outcome)) && (logged?.problems.length ?? 0) === 0;
  return { ok, chains, entries, fault: faults[0] ?? null, faults, pruned, digests: [...results], log: logged };
}

/** The first fault of each kind, in the order in which chains are checked. */
class Findings {
  readonly #first = new Map<FaultKind, VerifyFault>();

  add(chain: string, faults: readonly LinkFault[]): void {
    for (const fault of faults) {
      if (!this.#first.has(fault.kind)) this.#first.set(fault.kind, { chain, ...fault });
    }
  }

  first(): VerifyFault[] {
    return [...this.#first.values()].sort((a, b) => (a.chain === b.chain ? a.seq - b.seq : a.chain < b.chain ? -1 : 1));
  }
}

async function foldedHeads(records: Pick<Records, 'all'>): Promise<Map<string, ChainHead>> {
  const heads = new Map<string, ChainHead>();
  for await (const page of records.all()) {
    for (const { accountId, head } of page) if (head.seq > 0) heads.set(accountId, head);
  }
  return heads;
}

/** Compares each entry of a chain with the records and chain ends that refer to it. */
interface Watch {
  entry(entry: LedgerEntry): void;
  end(chain: string): void;
}

interface Watched {
  readonly record: ChainHead | undefined;
  readonly digests: DigestCheck;
  readonly log: LogComparison | null;
  readonly check: ChainCheck;
}

function watched({ record, digests, log, check }: Watched): Watch {
  return {
    entry(entry) {
      digests.entry(entry);
      log?.entry(entry, check);
      if (record === undefined || entry.seq !== record.seq || entry.hash === record.hash) return;
      check.fault('fork', entry.seq, `the account's record was folded from another entry ${entry.seq}`);
    },
    end(chain) {
      log?.ended(chain, check);
      if (record === undefined || record.seq <= check.head.seq) return;
      const message = `the account's record was folded from entry ${record.seq}, which is not in the chain`;
      check.fault('truncation', record.seq, message);
    },
  };
}

async function followChain(ledger: Ledger, end: ChainEnd, check: ChainCheck, watch: Watch): Promise<number> {
  let count = 0;
  for (let after = 0; ; ) {
    const { entries, next } = await readOn(ledger, end.chain, after, check);
    for (const stored of entries) {
      const { entry } = stored;
      check.follow(stored);
      watch.entry(entry);
      if (entry.seq === end.seq && entry.hash !== end.hash) {
        check.fault('fork', entry.seq, 'the store has another entry as the end of the chain');
      }
    }
    count += entries.length;
    if (next === null) break;
    // The entry after an unreadable one cannot be compared with it.
    if (next > (entries.at(-1)?.entry.seq ?? after)) check.skip(next);
    after = next;
  }
  watch.end(end.chain);
  return count;
}

interface Stretch {
  readonly entries: readonly StoredEntry[];
  /** The entry after which to continue; `null`: the chain is complete. */
  readonly next: number | null;
}

/** The next entries of a chain, up to an entry whose key disagrees with its content; that entry is skipped. */
async function readOn(ledger: Ledger, chain: string, after: number, check: ChainCheck): Promise<Stretch> {
  try {
    const entries = await ledger.readStored(chain, after, ENTRIES);
    return { entries, next: entries.length < ENTRIES ? null : (entries.at(-1)?.entry.seq ?? null) };
  } catch (error) {
    if (!(error instanceof TamperedError)) throw error;
    const { seq, message } = error;
    check.fault('edit', seq, message);
    // The entry's own number differs from the number under which it is stored.
    if (seq <= after) return { entries: [], next: null };
    const entries = seq - after === 1 ? [] : await readUpTo(ledger, chain, after, seq);
    return { entries, next: seq };
  }
}

async function readUpTo(ledger: Ledger, chain: string, after: number, seq: number): Promise<readonly StoredEntry[]> {
  try {
    return (await ledger.readStored(chain, after, seq - after - 1)).filter(({ entry }) => entry.seq < seq);
  } catch (error) {
    if (!(error instanceof TamperedError)) throw error;
    return [];
  }
}
