import * as z from 'zod';
import { type LedgerEntry, ORGANIZATION_CHAIN } from '../../domain/ledger/entry.ts';
import { parseLogOrigin } from '../../domain/ledger/log-origin.ts';
import type { ChainCheck, LinkFault } from '../../domain/ledger/verify-chain.ts';
import { checkpointOrNull, type LogCheckpoint } from '../../domain/transparency/checkpoint.ts';
import { toBase64 } from '../../domain/transparency/encoding.ts';
import { equalBytes } from '../../domain/transparency/hash.ts';
import type { LogContent } from './log-content.ts';

/** The transparency log in the result of a verification. */
export const logResultSchema = z.object({
  id: z.string(),
  size: z.number(),
  /** The root over all entries of the log, Base64. */
  root: z.string(),
  /** Number of entries of the store that were compared with the log. */
  compared: z.number(),
  /** Number of entries that the log does not have yet. */
  waiting: z.number(),
  /** Number of the store’s own checkpoints that the log extends. Their signatures were not verified. */
  checkpoints: z.number(),
  /** The last of the store’s own checkpoints; `null`: it has none, or they were published after the log was read. */
  newest: z
    .object({
      at: z.string(),
      origin: z.string(),
      size: z.number(),
      /** `null`: the log extends it. Otherwise it belongs to the log from before a restore, and this is how many entries the log is behind it. */
      lacks: z.number().nullable(),
    })
    .nullable()
    .default(null),
  /** What is wrong with the stored log itself. */
  problems: z.array(z.string()),
});
export type LogResult = Readonly<z.infer<typeof logResultSchema>>;

/** Compares the chains of a store with its log while they are read from end to end. */
export class LogComparison {
  readonly #content: LogContent;
  readonly #seen = new Set<string>();
  #compared = 0;
  #waiting = 0;
  #checkpoints = 0;
  /** The id of the last `StoreRestored` read so far. */
  #restoredBy: string | null = null;
  /** Checkpoints of a log with another name. */
  readonly #otherNames: { readonly seq: number; readonly origin: string }[] = [];
  #newest: LogResult['newest'] = null;

  constructor(content: LogContent) {
    this.#content = content;
  }

  entry(entry: LedgerEntry, check: ChainCheck): void {
    const { chain, seq, hash } = entry;
    const logged = this.#content.hashOf(chain, seq);
    if (logged === null) {
      // Entries before the first logged one of a chain had been pruned before the log existed.
      if (seq > (this.#content.lastOf(chain)?.seq ?? 0)) this.#waiting += 1;
    } else {
      this.#compared += 1;
      if (logged !== hash) check.fault('fork', seq, `the transparency log has another entry ${seq} of this chain`);
    }
    if (entry.type === 'StoreRestored') this.#restoredBy = entry.id;
    if (entry.type === 'CheckpointPublished') this.#checkpoint(entry, check);
  }

  /** Called after the last entry of a chain. */
  ended(chain: string, check: ChainCheck): void {
    this.#seen.add(chain);
    if (chain === ORGANIZATION_CHAIN) this.#checkNames(check);
    const last = this.#content.lastOf(chain);
    if (last === null) return;
    const { head, replaced } = check;
    if (last.seq > Math.max(head.seq, replaced.seq)) check.fault('truncation', last.seq, missing(last.seq, head.seq));
    const logged = this.#content.hashOf(chain, replaced.seq);
    if (logged !== null && logged !== replaced.hash) {
      const message = `ChainPruned replaces entry ${replaced.seq}, but the transparency log has another entry there`;
      check.fault('fork', replaced.seq, message);
    }
  }

  /** @param report called for each chain that the store does not have at all */
  result(report: (chain: string, fault: LinkFault) => void): LogResult {
    for (const { chain, seq } of this.#content.lasts()) {
      if (this.#seen.has(chain)) continue;
      const message = `the transparency log has entries up to ${seq}, but the whole chain is missing`;
      report(chain, { kind: 'truncation', seq, message });
    }
    const { id, size, problems } = this.#content;
    const counts = { compared: this.#compared, waiting: this.#waiting, checkpoints: this.#checkpoints };
    return { id, size, root: toBase64(this.#content.root()), ...counts, newest: this.#newest, problems: [...problems] };
  }

  #checkpoint({ seq, at, detail }: LedgerEntry, check: ChainCheck): void {
    const head = checkpointOrNull(detail?.treeHead?.note ?? '');
    if (head === null) {
      check.fault('edit', seq, 'its checkpoint cannot be read');
      return;
    }
    const problem = this.#foreign(head);
    if (problem !== null) {
      check.fault('fork', seq, problem);
      return;
    }
    const isOther = parseLogOrigin(head.origin)?.logId !== this.#content.id;
    if (isOther) this.#otherNames.push({ seq, origin: head.origin });
    // The checkpoint was published after the log was read.
    if (!this.#content.knowsRootAt(head.size)) return;
    const { origin, size } = head;
    const root = this.#content.rootAt(size);
    if (root !== null && equalBytes(root, head.root)) {
      this.#checkpoints += 1;
      this.#newest = { at, origin, size, lacks: null };
      return;
    }
    // A restored log keeps its name until its first checkpoint. Before that, a process may still publish a checkpoint of the replaced log.
    const isReplaced = this.#restoredBy !== null && (isOther || this.#content.restoredBy !== this.#restoredBy);
    if (isReplaced) {
      this.#newest = { at, origin, size, lacks: Math.max(0, size - this.#content.size) };
      return;
    }
    const found = root === null ? `only ${this.#content.size} entries` : 'other entries';
    check.fault('fork', seq, `its checkpoint covers ${size} entries, but the transparency log has ${found}`);
  }

  /** Why the checkpoint cannot belong to this store; `null`: it can. */
  #foreign({ origin, size }: LogCheckpoint): string | null {
    if (size === 0) return 'its checkpoint covers no entries, and Rollcall never signs such a checkpoint';
    const name = parseLogOrigin(origin);
    if (name === null) return `its checkpoint belongs to the log ${origin}, which is not a log of Rollcall`;
    const { organizationId } = this.#content;
    if (organizationId === null || name.organizationId === organizationId) return null;
    return `its checkpoint belongs to organization ${name.organizationId}, but the store belongs to ${organizationId}`;
  }

  /** Only a restore gives the log another name, and `StoreRestored` comes after the checkpoints under the earlier name. */
  #checkNames(check: ChainCheck): void {
    const [first] = this.#otherNames;
    if (first === undefined || this.#restoredBy !== null) return;
    const message = `its checkpoint belongs to the log ${first.origin}, but the store has the log ${this.#content.id} and was never restored`;
    check.fault('fork', first.seq, message);
  }
}

function missing(logged: number, end: number): string {
  return `the transparency log has entry ${logged}, but the chain ends at entry ${end}`;
}
