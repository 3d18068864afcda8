import { namesPolicy } from '../../../../shared/app/queries/evidence/policies.ts';
import type { ChangeFinder } from '../../../../shared/domain/ledger/changes.ts';
import { hasOwnHash, headOf, type LedgerEntry, ORGANIZATION_CHAIN } from '../../../../shared/domain/ledger/entry.ts';
import { logEntry } from '../../../../shared/domain/ledger/log-entry.ts';
import { equalBytes, leafHash } from '../../../../shared/domain/transparency/hash.ts';
import type { Chains } from './chains.ts';
import { readEntry } from './entry-line.ts';
import { EvidenceError, Failures } from './finding.ts';
import type { Log } from './log.ts';

export interface EntryTargets {
  readonly since: string;
  readonly until: string;
  /** `null`: there is no log. */
  readonly log: Log | null;
  /** The signed note of the newest checkpoint. */
  readonly note: string | null;
  readonly chains: Chains;
  readonly finder: ChangeFinder;
  readonly onChanges: (changes: ReturnType<ChangeFinder['take']>) => void;
  readonly onPolicy: (entry: LedgerEntry) => void;
}

/** Verifies entries one by one: content, place in the log. Passes them on to the checks of chains, changes and policies. */
export class EntryVerifier {
  readonly #targets: EntryTargets;
  readonly failures = new Failures();
  /** Indexes in the log of the entries that are proved. */
  readonly proved = new Set<number>();
  /** Entries of the period. */
  period = 0;
  /** Entries that no checkpoint covers, and the first of them. */
  notCovered = 0;
  firstNotCovered: LedgerEntry | null = null;
  /** When the log says that checkpoints were published, by their notes. */
  readonly published = new Map<string, string>();
  /** The lowest index of a proved entry that was written after the period. */
  firstAfter = Number.POSITIVE_INFINITY;
  /** When the latest proved entry was written, ISO 8601. */
  latestProved = '';
  #line = 0;
  #latest = '';
  #hasPublication = false;

  constructor(targets: EntryTargets) {
    this.#targets = targets;
  }

  get lines(): number {
    return this.#line;
  }

  /** @param index the line of entries-index.txt; `undefined`: there is none */
  take(line: string, index: string | undefined): void {
    this.#line += 1;
    const where = `Line ${this.#line} of entries.ndjson`;
    try {
      const entry = readEntry(line, where);
      const at = this.#verify(entry, index);
      if (at !== null) this.#notice(entry, at);
      this.#pass(entry, where, at !== null);
    } catch (error) {
      // The hash of a value that is nested too deeply cannot be computed.
      if (!(error instanceof EvidenceError || error instanceof RangeError)) throw error;
      this.failures.add(error instanceof EvidenceError ? error.message : `${where} is nested too deeply.`);
    }
  }

  /** @returns where the log has the entry; `null`: it does not prove the entry */
  #verify(entry: LedgerEntry, index: string | undefined): number | null {
    const { log } = this.#targets;
    const name = nameOf(entry);
    if (!hasOwnHash(entry)) {
      throw new EvidenceError(
        `${name} (line ${this.#line} of entries.ndjson) was edited: its content does not match its hash.`,
      );
    }
    if (log === null) return null;
    if (index === undefined) throw new EvidenceError(`entries-index.txt has no line ${this.#line}.`);
    if (index === '') return null;
    const at = /^(?:0|[1-9]\d{0,15})$/.test(index) ? Number(index) : Number.NaN;
    const leaf = Number.isNaN(at) ? null : log.leaf(at);
    if (leaf === null) {
      throw new EvidenceError(
        `${name}: the ZIP file has no tile for index ${index.slice(0, 20)} of the log (line ${this.#line} of entries-index.txt).`,
      );
    }
    if (!equalBytes(leafHash(logEntry(entry.chain, headOf(entry))), leaf)) {
      throw new EvidenceError(
        `${name} is not the entry that the log has at index ${at}: it was replaced after the checkpoint was signed.`,
      );
    }
    if (this.proved.has(at)) throw new EvidenceError(`${name} is in entries.ndjson twice.`);
    this.proved.add(at);
    return at;
  }

  /** Keeps what shows when checkpoints were made. */
  #notice({ type, at, detail }: LedgerEntry, index: number): void {
    const note = detail?.treeHead?.note;
    if (type === 'CheckpointPublished' && note !== undefined) this.published.set(note, at);
    if (at >= this.#targets.until) this.firstAfter = Math.min(this.firstAfter, index);
    if (at > this.latestProved) this.latestProved = at;
  }

  #pass(entry: LedgerEntry, where: string, isProved: boolean): void {
    const { since, until, chains, finder, onChanges, onPolicy, log } = this.#targets;
    const isOfPeriod = entry.at >= since && entry.at < until;
    chains.take(entry, isOfPeriod);
    if (namesPolicy(entry) || entry.type === 'PlanApproved') onPolicy(entry);
    if (log !== null && !isProved && !this.#isPublication(entry)) {
      this.notCovered += 1;
      this.firstNotCovered ??= entry;
    }
    if (!isOfPeriod) return;
    if (entry.at < this.#latest) throw new EvidenceError(`${where} is older than the line before it.`);
    this.#latest = entry.at;
    this.period += 1;
    onChanges(finder.take(entry));
  }

  /** Whether the entry publishes the newest checkpoint, which cannot cover it. Nothing proves it, so it may say nothing else. */
  #isPublication(entry: LedgerEntry): boolean {
    const { type, chain, detail, accountId, enrollment, before, after, api } = entry;
    const { note } = this.#targets;
    const isOther = note === null || type !== 'CheckpointPublished' || detail?.treeHead?.note !== note;
    if (isOther || this.#hasPublication || chain !== ORGANIZATION_CHAIN) return false;
    const saysMore = [accountId, enrollment, before, after, api].some((value) => value !== null);
    if (saysMore || Object.keys(detail).some((field) => field !== 'message' && field !== 'treeHead')) return false;
    this.#hasPublication = true;
    return true;
  }
}

/** `Entry 14 of 190816439781`. */
function nameOf({ chain, seq }: Pick<LedgerEntry, 'chain' | 'seq'>): string {
  return `Entry ${seq} of ${chain}`;
}
