import { type ChainHead, EMPTY_CHAIN, headOf, type LedgerEntry, type PrunedPart } from './entry.ts';
import { hasHashedText, type StoredEntry } from './stored-entry.ts';

/**
 * `edit`: the content of an entry was changed. `gap`: entries are missing, and no `ChainPruned` replaces them. `fork`: an entry has
 * the number of another, or names the wrong predecessor. `truncation`: entries are missing at the end.
 */
export const FAULT_KINDS = ['edit', 'gap', 'fork', 'truncation'] as const;
export type FaultKind = (typeof FAULT_KINDS)[number];

export interface LinkFault {
  readonly kind: FaultKind;
  readonly seq: number;
  readonly message: string;
}

/** Replaces the hash of an entry that could not be read. */
const UNREAD = '';

interface Missing {
  readonly from: number;
  readonly to: number;
  /** `prevHash` of the first entry after the missing ones. */
  readonly prevHash: string;
}

/** Checks one chain, entry by entry, in order of number, and keeps the first fault of each kind. */
export class ChainCheck {
  readonly #faults = new Map<FaultKind, LinkFault>();
  /** Missing entries are a fault only if no later `ChainPruned` replaces them, so they are judged after the last entry. */
  readonly #missing: Missing[] = [];
  #head: ChainHead = EMPTY_CHAIN;
  #checkpoint: PrunedPart | null = null;

  get head(): ChainHead {
    return this.#head;
  }

  /** The last entry that a `ChainPruned` replaces. */
  get replaced(): ChainHead {
    return this.#checkpoint?.through ?? EMPTY_CHAIN;
  }

  fault(kind: FaultKind, seq: number, message: string): void {
    const known = this.#faults.get(kind);
    if (known === undefined || seq < known.seq) this.#faults.set(kind, { kind, seq, message });
  }

  follow(stored: StoredEntry): void {
    const { entry } = stored;
    const { seq, prevHash } = entry;
    const before = this.#head;
    const intact = hasHashedText(stored);
    if (!intact) this.fault('edit', seq, 'its content does not match its hash');
    if (seq <= before.seq) this.fault('fork', seq, `entry ${seq} follows entry ${before.seq}`);
    else if (seq > before.seq + 1) this.#missing.push({ from: before.seq + 1, to: seq - 1, prevHash });
    else if (before.hash !== UNREAD && prevHash !== before.hash)
      this.fault('fork', seq, `its prevHash is not the hash of entry ${before.seq}`);
    const checkpoint = entry.detail?.checkpoint;
    // An edited `ChainPruned` is not trusted.
    if (entry.type === 'ChainPruned' && checkpoint !== undefined && intact) this.#take(checkpoint, entry);
    this.#head = headOf(entry);
  }

  /** Records an entry that exists but cannot be read. */
  skip(seq: number): void {
    this.#head = { seq, hash: UNREAD };
  }

  #take(checkpoint: PrunedPart, { seq }: LedgerEntry): void {
    if (checkpoint.through.seq >= seq) this.fault('fork', seq, 'it replaces later entries');
    else if (checkpoint.through.seq > this.replaced.seq) this.#checkpoint = checkpoint;
  }

  /** Must be called after the last entry. @param known the end that the store recorded, to notice entries missing at the end */
  end(known: ChainHead): readonly LinkFault[] {
    for (const { from, to, prevHash } of this.#missing) {
      const { seq, hash } = this.replaced;
      if (to > seq)
        this.fault(
          'gap',
          to + 1,
          `${range(from, to)} missing, and no ChainPruned replaces ${to === from ? 'it' : 'them'}`,
        );
      else if (to === seq && prevHash !== hash) {
        this.fault('fork', to + 1, `its prevHash is not the hash of entry ${to} that ChainPruned has`);
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
