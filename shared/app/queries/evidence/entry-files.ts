import { ChangeFinder } from '../../../domain/ledger/changes.ts';
import { changesCsvHeader, changesCsvLine } from '../../../domain/ledger/changes-csv.ts';
import type { LedgerEntry } from '../../../domain/ledger/entry.ts';
import type { LogExcerpt } from './log-excerpt.ts';
import type { EntryCounts } from './summary.ts';
import type { FileWriter, ZipWriter } from './zip.ts';

/** The three files that grow with each entry: the entries, their indexes in the log, and the changes. */
export class EntryFiles {
  readonly #excerpt: LogExcerpt | null;
  readonly #entries: FileWriter;
  readonly #index: FileWriter;
  readonly #changes: FileWriter;
  readonly #finder = new ChangeFinder();
  /** Entries from outside of the period. */
  readonly #around = new Set<string>();
  /** When the latest entry was written that a checkpoint covers, ISO 8601; empty: none yet. */
  latestCovered = '';
  readonly counts: EntryCounts = {
    period: 0,
    around: 0,
    notCovered: 0,
    notCoveredFrom: null,
    publications: 0,
    pruned: 0,
  };

  constructor(zip: ZipWriter, excerpt: LogExcerpt | null) {
    this.#excerpt = excerpt;
    this.#entries = zip.open('entries.ndjson');
    this.#index = zip.open('entries-index.txt');
    this.#changes = zip.open('changes.csv');
    this.#changes.write(changesCsvHeader());
  }

  /** Adds an entry of the period. Must be called in the order of time. */
  async add(entry: LedgerEntry): Promise<void> {
    const index = await this.#write(entry);
    this.counts.period += 1;
    if (this.#excerpt !== null && index === null) this.#countUncovered(entry, this.#excerpt);
    for (const change of this.#finder.take(entry)) this.#changes.write(changesCsvLine(change));
  }

  #countUncovered(entry: LedgerEntry, excerpt: LogExcerpt): void {
    if (excerpt.isPublication(entry)) {
      this.counts.publications += 1;
      return;
    }
    this.counts.notCovered += 1;
    this.counts.notCoveredFrom ??= entry.at;
  }

  /** Must be called after the last entry of the period. */
  endPeriod(): void {
    for (const change of this.#finder.end()) this.#changes.write(changesCsvLine(change));
  }

  /** Adds an entry from outside of the period, once. */
  async addAround(entry: LedgerEntry): Promise<void> {
    if (this.has(entry.chain, entry.seq)) return;
    await this.#write(entry);
    this.counts.around += 1;
    this.#around.add(nameOf(entry));
  }

  /** Whether this entry from outside of the period was added. */
  has(chain: string, seq: number): boolean {
    return this.#around.has(nameOf({ chain, seq }));
  }

  close(): void {
    for (const file of [this.#entries, this.#index, this.#changes]) file.close();
  }

  async #write(entry: LedgerEntry): Promise<number | null> {
    const index = (await this.#excerpt?.take(entry.chain, entry.seq)) ?? null;
    this.#entries.write(`${JSON.stringify(entry)}\n`);
    this.#index.write(`${index ?? ''}\n`);
    if (index !== null && entry.at > this.latestCovered) this.latestCovered = entry.at;
    return index;
  }
}

function nameOf({ chain, seq }: Pick<LedgerEntry, 'chain' | 'seq'>): string {
  return `${chain}#${seq}`;
}
