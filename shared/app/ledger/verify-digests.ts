import * as z from 'zod';
import { type ChainList, listHash, rootOf } from '../../domain/ledger/digest.ts';
import type { ChainHead, Digest, LedgerEntry } from '../../domain/ledger/entry.ts';
import type { ChainCheck, LinkFault } from '../../domain/ledger/verify-chain.ts';

/**
 * `matches`: the store still has exactly the entries that the digest covers. `differs`: some are missing or different. `pruned`: retention has removed
 * some, so only the chains' lengths were compared. `unknown`: the store does not have the list of chains that the digest covers.
 */
const DIGEST_OUTCOMES = ['matches', 'differs', 'pruned', 'unknown'] as const;

export const digestResultSchema = z.object({
  day: z.string(),
  root: z.string(),
  outcome: z.enum(DIGEST_OUTCOMES),
  message: z.string().nullable(),
});
export type DigestResult = Readonly<z.infer<typeof digestResultSchema>>;

interface Kept {
  readonly digest: Digest;
  /** `null`: the store has no list for this digest. */
  readonly list: ChainList | null;
  /** The chain ends that the digest covers and the store still has. */
  readonly found: Map<string, ChainHead>;
  /** The chains of the list that the store still has. */
  readonly seen: Set<string>;
  pruned: boolean;
  missing: { readonly chain: string; readonly seq: number; readonly has: number } | null;
}

/** Compares digests with a ledger while it is read from end to end. */
export class DigestCheck {
  readonly #kept: readonly Kept[];

  private constructor(kept: readonly Kept[]) {
    this.#kept = kept;
  }

  static async make(
    digests: readonly Digest[],
    listOf: (digest: Digest) => Promise<ChainList | null>,
  ): Promise<DigestCheck> {
    const unique = [...new Map(digests.map((digest) => [`${digest.root} ${digest.list}`, digest])).values()];
    return new DigestCheck(
      await Promise.all(
        unique.map(async (digest): Promise<Kept> => {
          const list = await listOf(digest);
          const own = list !== null && listHash(list) === digest.list ? list : null;
          return { digest, list: own, found: new Map(), seen: new Set(), pruned: false, missing: null };
        }),
      ),
    );
  }

  entry({ chain, seq, hash }: LedgerEntry): void {
    for (const { list, found } of this.#kept) if (list?.[chain] === seq) found.set(chain, { seq, hash });
  }

  /** Called after the last entry of a chain. */
  ended(chain: string, { head, replaced }: ChainCheck): void {
    for (const kept of this.#kept) {
      const seq = kept.list?.[chain];
      if (seq === undefined) continue;
      kept.seen.add(chain);
      if (kept.found.has(chain)) continue;
      if (seq === replaced.seq) kept.found.set(chain, replaced);
      else if (seq < replaced.seq) kept.pruned = true;
      else kept.missing ??= { chain, seq, has: head.seq };
    }
  }

  /** @param report called with the first missing entry of each digest */
  results(report: (chain: string, fault: LinkFault) => void): readonly DigestResult[] {
    return this.#kept.map((kept) => {
      const gone = kept.missing ?? wholeChain(kept);
      if (gone !== null) {
        const { chain, seq, has } = gone;
        const message = `the digest of ${kept.digest.day} knew entry ${seq}, and the chain ends at entry ${has}`;
        report(chain, { kind: 'truncation', seq, message });
      }
      return resultOf(kept, gone !== null);
    });
  }
}

/** A chain of the list that the store does not have at all. */
function wholeChain({ list, seen }: Kept): Kept['missing'] {
  if (list === null) return null;
  const chain = Object.keys(list).find((name) => !seen.has(name));
  return chain === undefined ? null : { chain, seq: list[chain] ?? 0, has: 0 };
}

function resultOf({ digest, list, found, pruned }: Kept, gone: boolean): DigestResult {
  const { day, root } = digest;
  const result = (outcome: DigestResult['outcome'], message: string | null): DigestResult => ({
    day,
    root,
    outcome,
    message,
  });
  if (list === null) return result('unknown', 'the store does not have the list of chains that this digest is over');
  if (gone) return result('differs', 'the store has lost entries that this digest is over');
  if (pruned) return result('pruned', 'entries that it is over were pruned since; the lengths of all chains fit');
  if (rootOf(found) === root) return result('matches', null);
  return result('differs', 'the entries that this digest is over are not those that the store has');
}
