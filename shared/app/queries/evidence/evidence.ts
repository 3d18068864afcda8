import type { LedgerEntry } from '../../../domain/ledger/entry.ts';
import { publicKeyPem } from '../../../domain/transparency/public-key.ts';
import { writeVerifierKey } from '../../../domain/transparency/verifier-key.ts';
import type { Ledger } from '../../../ports/ledger.ts';
import type { SnapshotStore } from '../../../ports/snapshot-store.ts';
import { entriesOf, OLDEST_FIRST } from '../audit/all-entries.ts';
import { auditAsOf } from '../audit/as-of.ts';
import { auditReport } from '../audit/report.ts';
import { ChainSpans } from './chain-spans.ts';
import { enrollmentsAsOfCsv } from './enrollments-as-of-csv.ts';
import { EntryFiles } from './entry-files.ts';
import type { EvidenceLog } from './evidence-log.ts';
import { exemptionsOf } from './exemptions.ts';
import { LogExcerpt, logPeriod } from './log-excerpt.ts';
import { assessmentResults } from './oscal/document.ts';
import { Scans } from './oscal/scans.ts';
import {
  approvalOf,
  lastInChain,
  namesPolicy,
  type PolicyInForce,
  policiesInForce,
  policyIndex,
  policyLimit,
} from './policies.ts';
import { readmeText } from './readme-text.ts';
import type { EvidenceRequest } from './request.ts';
import { checkpointFile, type EvidenceSummary, summaryOf } from './summary.ts';
import { ZipWriter } from './zip.ts';

export interface EvidenceStores {
  readonly ledger: Ledger;
  readonly snapshots: Pick<SnapshotStore, 'load'>;
}

export interface Evidence {
  /** The ZIP file in pieces. May be read once. */
  readonly pieces: AsyncIterable<Uint8Array>;
  /** Available after the last piece. */
  summary(): EvidenceSummary | null;
}

/** Packs the evidence of a period. The same store and period give the same bytes. Entries are streamed; one page of them is in memory at a time. */
export function packEvidence(stores: EvidenceStores, log: EvidenceLog, request: EvidenceRequest): Evidence {
  let summary: EvidenceSummary | null = null;
  const packing = new Packing(stores, log, request, (made) => {
    summary = made;
  });
  return { pieces: packing.pieces(), summary: () => summary };
}

class Packing {
  readonly #stores: EvidenceStores;
  readonly #log: EvidenceLog;
  readonly #request: EvidenceRequest;
  readonly #onSummary: (summary: EvidenceSummary) => void;
  readonly #zip = new ZipWriter();
  readonly #spans = new ChainSpans();
  readonly #policies: LedgerEntry[] = [];
  readonly #approvals: LedgerEntry[] = [];
  readonly #scans = new Scans();
  #policyLimit: string | null = null;

  constructor(
    stores: EvidenceStores,
    log: EvidenceLog,
    request: EvidenceRequest,
    onSummary: (summary: EvidenceSummary) => void,
  ) {
    this.#stores = stores;
    this.#log = log;
    this.#request = request;
    this.#onSummary = onSummary;
  }

  async *pieces(): AsyncGenerator<Uint8Array> {
    const zip = this.#zip;
    zip.add('verify.html', this.#request.page);
    const excerpt = await this.#excerpt();
    const files = new EntryFiles(zip, excerpt);
    yield* this.#entries(files, excerpt);
    const policies = policiesInForce(this.#policies, this.#request);
    this.#addPolicies(policies);
    yield* zip.take();
    await this.#addReport(policies, excerpt);
    yield* zip.take();
    if (excerpt !== null) yield* this.#logFiles(excerpt);
    const summary = summaryOf(this.#request, excerpt?.period ?? null, files, this.#policyLimit);
    this.#addJson('evidence.json', summary);
    zip.add('README.txt', readmeText(summary));
    zip.add('SHA256SUMS', zip.files.map(({ name, sha256 }) => `${sha256}  ${name}\n`).join(''));
    zip.end();
    this.#onSummary(summary);
    yield* zip.take();
  }

  async #excerpt(): Promise<LogExcerpt | null> {
    const { since } = this.#request;
    const before = await this.#stores.ledger.query({ until: since }, { limit: 1 });
    const period = await logPeriod(this.#log, this.#request, before.entries.length === 0);
    return period === null ? null : LogExcerpt.read(this.#log, period);
  }

  async *#entries(files: EntryFiles, excerpt: LogExcerpt | null): AsyncGenerator<Uint8Array> {
    const { since, until, onEntries } = this.#request;
    const { ledger } = this.#stores;
    const recent = await ledger.query({ type: 'PolicyChanged', until: since }, { limit: RECENT_POLICIES });
    const inForce = lastInChain(recent.entries);
    if (inForce !== null) this.#policies.push(inForce);
    let first: LedgerEntry | null = null;
    for await (const entry of entriesOf(ledger, { since, until }, OLDEST_FIRST)) {
      this.#spans.take(entry);
      if (entry.type === 'PolicyChanged') this.#policies.push(entry);
      if (entry.type === 'PlanApproved') this.#approvals.push(entry);
      if (namesPolicy(entry) && (first === null || entry.seq < first.seq)) first = entry;
      this.#scans.take(entry);
      await files.add(entry);
      if (files.counts.period % OLDEST_FIRST.limit === 0) {
        onEntries?.(files.counts.period);
        yield* this.#zip.take();
      }
    }
    this.#policyLimit = policyLimit(inForce, first);
    files.endPeriod();
    if (inForce !== null) await files.addAround(inForce);
    await this.#addAround(files, excerpt);
    files.close();
    onEntries?.(files.counts.period);
  }

  /** Entries from outside of the period that are needed to show that none of the period is missing. */
  async #addAround(files: EntryFiles, excerpt: LogExcerpt | null): Promise<void> {
    const { ledger } = this.#stores;
    const pruned = new Set<string>();
    for (const { chain, seq } of [...this.#spans.holes(), ...(excerpt?.missing() ?? [])]) {
      if (files.has(chain, seq)) continue;
      const [entry] = await ledger.read(chain, seq - 1, 1);
      if (entry?.seq === seq) await files.addAround(entry);
      else {
        files.counts.pruned += 1;
        pruned.add(chain);
      }
    }
    const published = excerpt === null ? null : await this.#publicationAfter(excerpt);
    if (published !== null) await files.addAround(published);
    // The entry that replaces the pruned ones says why they are missing.
    for (const chain of pruned) {
      const replacement = await lastPruning(ledger, chain);
      if (replacement !== null) await files.addAround(replacement);
    }
  }

  /** The entry that shows that the checkpoint after the period is younger than it; `null`: no checkpoint covers it. */
  async #publicationAfter({ period: { newest } }: LogExcerpt): Promise<LedgerEntry | null> {
    const query = { type: 'CheckpointPublished', since: this.#request.until } as const;
    const { entries } = await this.#stores.ledger.query(query, { limit: 1, order: 'oldestFirst' });
    for (const entry of entries) {
      const index = await this.#log.indexOf(entry.chain, entry.seq);
      if (index !== null && index < newest.size) return entry;
    }
    return null;
  }

  #addPolicies(policies: readonly PolicyInForce[]): void {
    for (const { entry, file } of policies) {
      const text = entry.detail?.policy?.text;
      if (file !== null && text !== undefined) this.#zip.add(file, text);
    }
    this.#addJson('policies/index.json', { policies: policyIndex(policies) });
    this.#addJson('exemptions.json', { exemptions: exemptionsOf(policies) });
    this.#addJson('approvals.json', { approvals: this.#approvals.map(approvalOf) });
  }

  async #addReport(policies: readonly PolicyInForce[], excerpt: LogExcerpt | null): Promise<void> {
    const { since, until } = this.#request;
    const { ledger, snapshots } = this.#stores;
    const query = { since, until, intervalMs: intervalOf(since, until), top: 100 };
    this.#addJson('report.json', await auditReport(this.#stores, query));
    const snapshot = await snapshots.load();
    this.#zip.add('accounts-at-start.csv', enrollmentsAsOfCsv(await auditAsOf(ledger, since), snapshot));
    // The period ends before `until`.
    const atEnd = await auditAsOf(ledger, new Date(Date.parse(until) - 1).toISOString());
    const { accounts: standings } = atEnd;
    this.#zip.add('accounts-at-end.csv', enrollmentsAsOfCsv(atEnd, snapshot));
    const checkpoint = excerpt?.period.newest ?? null;
    const assessment = { ...this.#request, standings, snapshot, policies, scans: this.#scans, checkpoint };
    this.#addJson('oscal-assessment-results.json', assessmentResults(assessment));
  }

  async *#logFiles(excerpt: LogExcerpt): AsyncGenerator<Uint8Array> {
    for (const checkpoint of excerpt.period.checkpoints) this.#zip.add(checkpointFile(checkpoint), checkpoint.note);
    for await (const { name, content } of excerpt.files()) {
      this.#zip.add(name, content);
      yield* this.#zip.take();
    }
    const { key } = this.#request;
    if (key === null) return;
    this.#zip.add('verifier-key.txt', `${writeVerifierKey(key)}\n`);
    this.#zip.add('public-key.pem', publicKeyPem(key));
  }

  #addJson(name: string, value: unknown): void {
    this.#zip.add(name, `${JSON.stringify(value, null, 2)}\n`);
  }
}

async function lastPruning(ledger: Ledger, chain: string): Promise<LedgerEntry | null> {
  for await (const entry of entriesOf(ledger, { type: 'ChainPruned' }, { limit: 200 })) {
    if (entry.chain === chain) return entry;
  }
  return null;
}

/** Clocks of different writers can put policy changes in the wrong order, but not as many as these. */
const RECENT_POLICIES = 20;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const MOST_POINTS = 750;

/** The time between two points of the report, as in `audit report`, but longer for a period of years. */
function intervalOf(since: string, until: string): number {
  const period = Date.parse(until) - Date.parse(since);
  if (period <= 2 * DAY_MS) return HOUR_MS;
  return [1, 7, 28, 364].map((days) => days * DAY_MS).find((each) => period / each <= MOST_POINTS) ?? period;
}
