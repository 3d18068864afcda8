import type { LedgerEntry } from '../../../domain/ledger/entry.ts';

interface Span {
  first: number;
  last: number;
  /** Numbers between them that were not added. */
  readonly holes: Set<number>;
}

/** Finds entries whose time is outside of the period, because a clock was wrong, although their neighbors in the chain belong to it. */
export class ChainSpans {
  readonly #spans = new Map<string, Span>();

  take({ chain, seq }: Pick<LedgerEntry, 'chain' | 'seq'>): void {
    const span = this.#spans.get(chain);
    if (span === undefined) {
      this.#spans.set(chain, { first: seq, last: seq, holes: new Set() });
      return;
    }
    span.holes.delete(seq);
    for (let hole = span.last + 1; hole < seq; hole += 1) span.holes.add(hole);
    for (let hole = seq + 1; hole < span.first; hole += 1) span.holes.add(hole);
    span.first = Math.min(span.first, seq);
    span.last = Math.max(span.last, seq);
  }

  holes(): readonly { readonly chain: string; readonly seq: number }[] {
    return [...this.#spans].flatMap(([chain, { holes }]) =>
      [...holes].sort((a, b) => a - b).map((seq) => ({ chain, seq })),
    );
  }
}
