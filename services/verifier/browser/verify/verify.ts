import { type Change, ChangeFinder } from '../../../../shared/domain/ledger/changes.ts';
import type { LedgerEntry } from '../../../../shared/domain/ledger/entry.ts';
import { parseLogOrigin } from '../../../../shared/domain/ledger/log-origin.ts';
import { Archive } from './archive.ts';
import { Chains } from './chains.ts';
import { checkOthers, type ReadCheckpoint, readCheckpoint, verifySignature } from './checkpoints.ts';
import { checkComplete } from './completeness.ts';
import { checkChanges, checkPolicies } from './derived.ts';
import { EntryVerifier } from './entries.ts';
import { type EvidenceFile, readEvidenceFile } from './evidence-file.ts';
import { CHECKS, type Check, count, EvidenceError, instant, messageOf } from './finding.ts';
import { checkKept } from './kept.ts';
import { type GivenKey, readKey } from './keys.ts';
import { linesOf } from './lines.ts';
import { Log } from './log.ts';
import { checkFiles } from './sums.ts';

const CHECKPOINT = 'log/checkpoint';

/**
 * - `verified`: everything is proved by the key of the auditor.
 * - `ownKey`: everything is consistent, with the key that came with the evidence.
 * - `partly`: nothing is wrong, but something is not shown.
 * - `unproved`: there is no signed checkpoint or no key.
 * - `notComparable`: no check failed, but the checkpoint that the auditor kept is newer than the evidence, so entries may have been removed.
 * - `failed`.
 */
export type Verdict = 'verified' | 'ownKey' | 'partly' | 'unproved' | 'notComparable' | 'failed';

export interface Verification {
  readonly verdict: Verdict;
  readonly checks: readonly Check[];
  /** `null`: evidence.json cannot be read. */
  readonly file: EvidenceFile | null;
  readonly checkpoint: ReadCheckpoint | null;
  /** Entries of the period, and entries that no checkpoint covers, also from outside of it. */
  readonly entries: { readonly period: number; readonly notCovered: number };
  readonly changes: readonly Change[];
  /** Files that the page does not compute again. The maker of the ZIP file could have changed them. */
  readonly notVerified: readonly string[];
}

const NOT_VERIFIED = [
  ...['exemptions.json', 'report.json', 'accounts-at-start.csv', 'accounts-at-end.csv'],
  ...['oscal-assessment-results.json', 'README.txt', 'verify.html'],
];

export interface Progress {
  readonly what: string;
  /** 0 to 1. */
  readonly share: number;
}

export interface VerifyOptions {
  /** A public key that the auditor got elsewhere, as text; empty: the one in the ZIP file. */
  readonly key: string;
  /** A checkpoint that the auditor kept from an earlier time, as text; empty: none. */
  readonly kept: string;
  /** Called often; returns when the page has shown the progress. */
  readonly turn: (progress: Progress) => Promise<void>;
}

/** Verifies a ZIP file that `rollcall evidence` has written. Never throws because of its content. */
export async function verifyEvidence(zip: Uint8Array, options: VerifyOptions): Promise<Verification> {
  const run = new Run(options);
  try {
    return await run.verify(zip);
  } catch (error) {
    if (!(error instanceof EvidenceError)) throw error;
    run.checks.push({ name: 'archive', state: 'failed', message: error.message });
    return run.result();
  }
}

class Run {
  readonly #options: VerifyOptions;
  readonly checks: Check[] = [];
  readonly #changes: Change[] = [];
  /** The entries that record policies, scans and approvals. */
  readonly #policies: LedgerEntry[] = [];
  #names: readonly string[] = [];
  #file: EvidenceFile | null = null;
  #checkpoint: ReadCheckpoint | null = null;
  #entries = { period: 0, notCovered: 0 };
  #ownKey = false;

  constructor(options: VerifyOptions) {
    this.#options = options;
  }

  async verify(zip: Uint8Array): Promise<Verification> {
    await this.#options.turn({ what: 'Unpacking the ZIP file', share: 0 });
    const archive = new Archive(zip);
    this.#names = archive.names;
    const file = readEvidenceFile(archive);
    this.#file = file;
    const key = this.#key(archive);
    const log = await this.#log(archive, file, key);
    const chains = new Chains();
    const entries = await this.#verifyEntries(archive, file, log, chains);
    this.checks.push(chains.check());
    if (log !== null) {
      this.checks.push(
        checkComplete({ archive, file, log, chains, entries }),
        await checkOthers(archive, file, log, key),
      );
      await this.#checkKept(log, key);
    }
    this.checks.push(checkChanges(archive, this.#changes), checkPolicies(archive, this.#policies, file));
    this.checks.push(await checkFiles(archive, () => this.#options.turn({ what: 'Verifying files', share: 0.95 })));
    return this.result();
  }

  result(): Verification {
    const order = (check: Check): number => CHECKS.indexOf(check.name);
    const checks = this.checks.toSorted((a, b) => order(a) - order(b));
    return {
      verdict: this.#verdict(),
      checks,
      file: this.#file,
      checkpoint: this.#checkpoint,
      entries: this.#entries,
      changes: this.#changes,
      notVerified: NOT_VERIFIED.filter((name) => this.#names.includes(name)),
    };
  }

  #verdict(): Verdict {
    const has = (state: Check['state']): boolean => this.checks.some((check) => check.state === state);
    if (has('failed')) return 'failed';
    if (has('notComparable')) return 'notComparable';
    const isSigned = this.checks.some(({ name, state }) => name === 'signature' && state === 'passed');
    if (!isSigned && !this.#ownKey) return 'unproved';
    // The key in the ZIP file is a limit of its own.
    const limits = this.checks.filter(({ name, state }) => state === 'limited' && name !== 'signature');
    if (limits.length > 0) return 'partly';
    return this.#ownKey ? 'ownKey' : 'verified';
  }

  #key(archive: Archive): GivenKey | null {
    const { key } = this.#options;
    if (key.trim() !== '') return readKey(key);
    this.#ownKey = archive.has('verifier-key.txt');
    return this.#ownKey ? readKey(archive.text('verifier-key.txt')) : null;
  }

  /** @returns `null`: there is no checkpoint */
  async #log(archive: Archive, file: EvidenceFile, key: GivenKey | null): Promise<Log | null> {
    const stated = file.checkpoint !== null || archive.names.some((name) => name.startsWith('log/'));
    if (!stated) {
      this.#ownKey = false;
      this.#limit('There is no signed checkpoint, so nothing shows whether the whole audit log was rewritten.');
      return null;
    }
    const checkpoint = readCheckpoint(archive, CHECKPOINT);
    this.#checkpoint = checkpoint;
    this.#verifyCheckpoint(archive, key);
    const log = new Log(archive, checkpoint.size);
    try {
      const tiles = await log.verify(checkpoint, () => this.#options.turn({ what: 'Verifying the log', share: 0.1 }));
      const text = `${count(tiles, 'tile or bundle', 'tiles and bundles')} lead to the root of the checkpoint.`;
      this.checks.push({ name: 'tree', state: 'passed', message: text });
    } catch (error) {
      this.#fail('tree', error);
    }
    return log;
  }

  #verifyCheckpoint(archive: Archive, key: GivenKey | null): void {
    if (key === null) {
      this.#limit('There is no public key: paste the one that the owner of the log sent you.');
      return;
    }
    try {
      verifySignature(archive, CHECKPOINT, key);
      this.#checkOrganization();
      if (this.#ownKey) {
        this.#limit(
          'The signature matches the public key in this ZIP file. That key does not prove who made the evidence: paste the key that the owner of the log sent you.',
        );
      } else
        this.checks.push({
          name: 'signature',
          state: 'passed',
          message: 'The checkpoint is signed by the key that you pasted.',
        });
    } catch (error) {
      this.#fail('signature', error);
    }
  }

  /** A key may sign the logs of several organizations. @throws EvidenceError */
  #checkOrganization(): void {
    const origin = this.#checkpoint?.origin ?? '';
    const signed = parseLogOrigin(origin)?.organizationId;
    const stated = this.#file?.organizationId ?? null;
    if (signed === undefined || stated === null || signed === stated) return;
    throw new EvidenceError(
      `evidence.json is of the organization ${JSON.stringify(stated.slice(0, 60))}, and the checkpoint is of the log ${origin}.`,
    );
  }

  async #verifyEntries(archive: Archive, file: EvidenceFile, log: Log | null, chains: Chains): Promise<EntryVerifier> {
    const { since, until } = file;
    const finder = new ChangeFinder();
    const onChanges = (changes: readonly Change[]): void => {
      for (const change of changes) this.#changes.push(change);
    };
    const onPolicy = (entry: LedgerEntry): void => {
      this.#policies.push(entry);
    };
    const note = log === null ? null : archive.text(CHECKPOINT);
    const verifier = new EntryVerifier({ since, until, log, note, chains, finder, onChanges, onPolicy });
    const bytes = archive.bytes('entries.ndjson');
    const indexes = linesOf(archive.bytes('entries-index.txt'), 'entries-index.txt');
    let read = 0;
    for (const line of linesOf(bytes, 'entries.ndjson')) {
      verifier.take(line, indexes.next().value ?? undefined);
      read += line.length;
      const what = `Verifying entries: ${count(verifier.lines, 'entry', 'entries')}`;
      await this.#options.turn({ what, share: 0.1 + 0.85 * Math.min(1, read / bytes.length) });
    }
    if (indexes.next().done !== true)
      verifier.failures.add('entries-index.txt has more lines than entries.ndjson: entries were removed.');
    onChanges(finder.end());
    this.#entries = { period: verifier.period, notCovered: verifier.notCovered };
    this.checks.push(entriesCheck(verifier, log !== null));
    return verifier;
  }

  async #checkKept(log: Log, key: GivenKey | null): Promise<void> {
    const text = this.#options.kept;
    if (text.trim() === '') return;
    this.checks.push(await checkKept({ text, origin: this.#checkpoint?.origin ?? '', log, key }));
  }

  #limit(message: string): void {
    this.checks.push({ name: 'signature', state: 'limited', message });
  }

  #fail(name: Check['name'], error: unknown): void {
    if (!(error instanceof EvidenceError)) throw error;
    this.checks.push({ name, state: 'failed', message: messageOf(error) });
  }
}

function entriesCheck({ failures, lines, proved, notCovered, firstNotCovered }: EntryVerifier, hasLog: boolean): Check {
  const limit =
    notCovered === 0
      ? null
      : `No checkpoint covers ${count(notCovered, 'entry', 'entries')}, the first of ${instant(firstNotCovered?.at ?? '')}. The others are proved.`;
  const isAll = proved.size === lines;
  // No checkpoint covers the entry that publishes the newest one.
  const others = isAll
    ? ' and its place in the log'
    : `; ${count(proved.size, 'of them is', 'of them are')} in the log that the checkpoint covers`;
  const proof = hasLog ? others : '';
  return failures.check('entries', `Each of ${count(lines, 'entry', 'entries')} matches its hash${proof}.`, limit);
}
