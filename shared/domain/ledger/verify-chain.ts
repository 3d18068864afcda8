import { type ChainHead, type Checkpoint, EMPTY_CHAIN, hasOwnHash, headOf, type LedgerEntry } from './entry.ts';

/**
 * `edit`: an entry is not what it was. `gap`: entries are missing between others, or before them without a checkpoint. `fork`: an entry is another's
 * place or follows another predecessor. `truncation`: entries are missing at the end.
 */
export const FAULT_KINDS = ['edit', 'gap', 'fork', 'truncation'] as const;
export type FaultKind = (typeof FAULT_KINDS)[number];

export interface LinkFault {
  readonly kind: FaultKind;
  readonly seq: number;
  readonly message: string;
}

/** In place of the hash of an entry that could not be read. */
const UNREAD = '';

interface Missing {
  readonly from: number;
  readonly to: number;
  /** What the entry behind them names as its predecessor. */
  readonly prevHash: string;
}

/**
 * Follows one chain, entry by entry, in order of number. Entries that are missing are a fault unless a checkpoint further on stands for
 * them, which is known only at the end. Of each kind of fault the first is kept.
 */
export class ChainCheck {
  readonly #faults = new Map<FaultKind, LinkFault>();
  readonly #missing: Missing[] = [];
  #head: ChainHead = EMPTY_CHAIN;
  #checkpoint: Checkpoint | null = null;

  get head(): ChainHead {
    return this.#head;
  }

  /** Up to which entry the chain's latest checkpoint stands for what was there. */
  get replaced(): ChainHead {
    return this.#checkpoint?.through ?? EMPTY_CHAIN;
  }

  fault(kind: FaultKind, seq: number, message: string): void {
    const known = this.#faults.get(kind);
    if (known === undefined || seq < known.seq) this.#faults.set(kind, { kind, seq, message });
  }

  follow(entry: LedgerEntry): void {
    const { seq, prevHash } = entry;
    const before = this.#head;
    const sound = hasOwnHash(entry);
    if (!sound) this.fault('edit', seq, 'its content does not give its hash');
    if (seq <= before.seq) this.fault('fork', seq, `entry ${seq} follows entry ${before.seq}`);
    else if (seq > before.seq + 1) this.#missing.push({ from: before.seq + 1, to: seq - 1, prevHash });
    else if (before.hash !== UNREAD && prevHash !== before.hash)
      this.fault('fork', seq, `its prevHash is not the hash of entry ${before.seq}`);
    const checkpoint = entry.detail?.checkpoint;
    // An edited one stands for nothing.
    if (entry.type === 'ChainPruned' && checkpoint !== undefined && sound) this.#take(checkpoint, entry);
    this.#head = headOf(entry);
  }

  /** An entry is there and cannot be read. */
  skip(seq: number): void {
    this.#head = { seq, hash: UNREAD };
  }

  #take(checkpoint: Checkpoint, { seq }: LedgerEntry): void {
    if (checkpoint.through.seq >= seq) this.fault('fork', seq, 'it stands for entries that come after it');
    else if (checkpoint.through.seq > this.replaced.seq) this.#checkpoint = checkpoint;
  }

  /**
   * After the last entry.
   * @param known the end that the store remembered before the chain was read: entries cut off at the end leave no gap of their own.
   */
  end(known: ChainHead): readonly LinkFault[] {
    for (const { from, to, prevHash } of this.#missing) {
      const { seq, hash } = this.replaced;
      if (to > seq)
        this.fault(
          'gap',
          to + 1,
          `${range(from, to)} missing, and no checkpoint stands for ${to === from ? 'it' : 'them'}`,
        );
      else if (to === seq && prevHash !== hash) {
        this.fault('fork', to + 1, `its prevHash is not the hash of entry ${to}, which a checkpoint names`);
      }
    }
    if (known.seq > this.#head.seq) {
      const end = `the chain ends at entry ${this.#head.seq}, but entry ${known.seq} was written`;
      this.fault('truncation', known.seq, end);
    }
    return [...this.#faults.values()];
  }
}

function range(from: number, to: number): string {
  return from === to ? `entry ${from} is` : `entries ${from} to ${to} are`;
}
