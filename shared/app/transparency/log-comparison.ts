import * as z from 'zod';
import type { LedgerEntry } from '../../domain/ledger/entry.ts';
import { parseLogOrigin } from '../../domain/ledger/log-origin.ts';
import type { ChainCheck, LinkFault } from '../../domain/ledger/verify-chain.ts';
import { checkpointInNote, type LogCheckpoint } from '../../domain/transparency/checkpoint.ts';
import { toBase64 } from '../../domain/transparency/encoding.ts';
import { MalformedError } from '../../domain/transparency/errors.ts';
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
  #restored = false;

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
    if (entry.type === 'StoreRestored') this.#restored = true;
    if (entry.type === 'CheckpointPublished') this.#checkpoint(entry, check);
  }

  /** Called after the last entry of a chain. */
  ended(chain: string, check: ChainCheck): void {
    this.#seen.add(chain);
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
    return { id, size, root: toBase64(this.#content.root()), ...counts, problems: [...problems] };
  }

  #checkpoint({ seq, detail }: LedgerEntry, check: ChainCheck): void {
    const head = headIn(detail?.treeHead?.note ?? '');
    if (head === null) {
      check.fault('edit', seq, 'its checkpoint cannot be read');
      return;
    }
    // It was published after the log was read.
    if (!this.#content.knowsRootAt(head.size)) return;
    const root = this.#content.rootAt(head.size);
    if (root !== null && equalBytes(root, head.root)) {
      this.#checkpoints += 1;
      return;
    }
    // A process may have published a checkpoint of the replaced log during the restore.
    if (this.#restored && parseLogOrigin(head.origin)?.logId !== this.#content.id) return;
    const found = root === null ? `only ${this.#content.size} entries` : 'other entries';
    check.fault('fork', seq, `its checkpoint covers ${head.size} entries, but the transparency log has ${found}`);
  }
}

function missing(logged: number, end: number): string {
  return `the transparency log has entry ${logged}, but the chain ends at entry ${end}`;
}

/** The tree head of a note, unverified; `null`: it is not a checkpoint. */
function headIn(note: string): LogCheckpoint | null {
  try {
    return checkpointInNote(note);
  } catch (error) {
    if (error instanceof MalformedError) return null;
    throw error;
  }
}
