import type { ChainHead } from '../../../domain/ledger/entry.ts';

/** An entry and its index in the log. */
export interface Place {
  readonly chain: string;
  readonly seq: number;
  readonly index: number;
}

/** Entries of one chain with consecutive indexes in the log. */
interface Run {
  readonly seq: number;
  readonly index: number;
  count: number;
}

/** The indexes of a period's entries in the log. Consecutive entries share one record, so memory grows with the runs of a chain, not with the entries. */
export class LoggedPlaces {
  /** Of each chain, in order of number. */
  readonly #runs = new Map<string, Run[]>();
  /** Indexes of the entries that were taken. */
  readonly #taken = new Set<number>();

  /** Must be called in the order of the log. */
  add({ chain, seq }: Pick<ChainHead, 'seq'> & { readonly chain: string }, index: number): void {
    const runs = this.#runs.get(chain) ?? [];
    if (runs.length === 0) this.#runs.set(chain, runs);
    const last = runs.at(-1);
    if (last !== undefined && last.seq + last.count === seq && last.index + last.count === index) last.count += 1;
    else runs.push({ seq, index, count: 1 });
  }

  /** The index of the entry, which counts as taken from now on; `null`: it was not added. */
  take(chain: string, seq: number): number | null {
    const run = runOf(this.#runs.get(chain) ?? [], seq);
    if (run === undefined || seq >= run.seq + run.count) return null;
    const index = run.index + (seq - run.seq);
    this.#taken.add(index);
    return index;
  }

  /** The entries from index `from` on and before `to` that were not taken, in the order of the log. */
  missing(from: number, to: number): readonly Place[] {
    const found: Place[] = [];
    for (const [chain, runs] of this.#runs) {
      for (const { seq, index, count } of runs) {
        for (let at = Math.max(0, from - index); at < count && index + at < to; at += 1) {
          if (!this.#taken.has(index + at)) found.push({ chain, seq: seq + at, index: index + at });
        }
      }
    }
    return found.sort((a, b) => a.index - b.index);
  }
}

/** The last run that begins at or before the entry. */
function runOf(runs: readonly Run[], seq: number): Run | undefined {
  let [low, high] = [0, runs.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((runs[middle]?.seq ?? seq) <= seq) low = middle + 1;
    else high = middle;
  }
  return runs[low - 1];
}
