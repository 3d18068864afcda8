import { parseNote, signaturesBy } from '../../../domain/transparency/signed-note.ts';
import { type VerifierKey, verifierKey, writeVerifierKey } from '../../../domain/transparency/verifier-key.ts';
import type { KnownCheckpoint } from './evidence-log.ts';
import type { LogPeriod } from './log-excerpt.ts';
import type { EvidenceRequest } from './request.ts';
import { count, instant } from './words.ts';

/** What `evidence.json` says. */
export interface EvidenceSummary {
  readonly format: 'rollcall-evidence/v1';
  /** The version of Rollcall. */
  readonly version: string;
  readonly organizationId: string | null;
  readonly since: string;
  readonly until: string;
  readonly entries: {
    /** Entries of the period. */
    readonly period: number;
    /** Entries from outside of it that completeness or the policy needs. */
    readonly around: number;
    /** Entries of the period that no checkpoint covers. */
    readonly notCovered: number;
    /** When the first of these was written, ISO 8601. */
    readonly notCoveredFrom: string | null;
    /** 1 if the period has the entry that publishes the newest checkpoint, otherwise 0. No checkpoint covers this entry, and it is not in `notCovered`. */
    readonly publications: number;
    /** Entries that were added to the log during the period, and that retention has removed. */
    readonly pruned: number;
  };
  /** The checkpoint that proves all entries; `null`: the store has none. */
  readonly checkpoint: ShownCheckpoint | null;
  readonly checkpoints: readonly ShownCheckpoint[];
  /** See {@link LogPeriod}. */
  readonly complete: LogPeriod['complete'];
  readonly verifierKey: string | null;
  /** What the evidence does not show, in sentences. */
  readonly limits: readonly string[];
}

interface ShownCheckpoint {
  readonly file: string;
  readonly at: string;
  readonly origin: string;
  readonly size: number;
}

export interface EntryCounts {
  period: number;
  around: number;
  notCovered: number;
  notCoveredFrom: string | null;
  publications: number;
  pruned: number;
}

export function checkpointFile({ at, size }: KnownCheckpoint): string {
  return `checkpoints/${at.replaceAll(/[-:]|\.\d+/g, '')}-${size}.txt`;
}

interface Packed {
  readonly counts: EntryCounts;
  /** See `EntryFiles`. */
  readonly latestCovered: string;
}

/** @param policyLimit see `policyLimit` in policies.ts */
export function summaryOf(
  request: EvidenceRequest,
  period: LogPeriod | null,
  packed: Packed,
  policyLimit: string | null,
): EvidenceSummary {
  const entries = packed.counts;
  const { organizationId, version, since, until, key } = request;
  const shown = (each: KnownCheckpoint): ShownCheckpoint => {
    return { file: checkpointFile(each), at: each.at, origin: each.origin, size: each.size };
  };
  return {
    format: 'rollcall-evidence/v1',
    version,
    organizationId,
    since,
    until,
    entries,
    checkpoint: period === null ? null : shown(period.newest),
    checkpoints: period?.checkpoints.map(shown) ?? [],
    complete: period?.complete ?? null,
    verifierKey: key === null ? null : writeVerifierKey(key),
    limits: [...limitsOf(request, period, packed), ...(policyLimit === null ? [] : [policyLimit])],
  };
}

/** Shown in the terminal, in README.txt and on the page. */
function limitsOf({ key, until }: EvidenceRequest, period: LogPeriod | null, packed: Packed): string[] {
  const { latestCovered, counts } = packed;
  const { notCovered, notCoveredFrom, pruned } = counts;
  if (period === null) {
    return [
      'The store has no signed checkpoint, so the evidence does not show whether the whole audit log was rewritten. ' +
        'To sign one: rollcall scan with ROLLCALL_CHECKPOINT_KEY set; rollcall audit checkpoint --new-key FILE creates a key. Then make the evidence again.',
    ];
  }
  const { newest, complete, checkpoints } = period;
  const found: string[] = [];
  if (notCovered > 0) {
    found.push(
      `The newest checkpoint is of ${instant(newest.at)}. It does not cover ${count(notCovered, 'entry', 'entries')} written since ${instant(notCoveredFrom ?? newest.at)}. ` +
        `To sign a newer one, run rollcall scan with ROLLCALL_CHECKPOINT_KEY set; then pack the evidence again with --until ${until}.`,
    );
  }
  // As the page judges it (services/verifier, `endLimit`).
  if (notCovered === 0 && latestCovered < until && newest.at < until) {
    found.push(
      `No checkpoint is newer than the period, so entries at its end may be missing. To sign a newer one, run rollcall scan with ROLLCALL_CHECKPOINT_KEY set; then pack the evidence again with --until ${until}.`,
    );
  }
  if (complete === null) {
    found.push(
      'No checkpoint is older than the period, so the log does not show whether entries at its beginning are missing.',
    );
  }
  if (pruned > 0) {
    found.push(
      `Retention has removed ${count(pruned, 'entry', 'entries')} of the period. The log still has their hashes.`,
    );
  }
  return [...found, ...keyLimits(key, checkpoints)];
}

function keyLimits(key: VerifierKey | null, checkpoints: readonly KnownCheckpoint[]): string[] {
  if (key === null) {
    return [
      'No public key is included: get it from the owner of the log (rollcall audit checkpoint --key). The page cannot verify signatures without it.',
    ];
  }
  const others = checkpoints.filter((each) => !isSignedBy(key, each)).length;
  if (others === 0) return [];
  return [
    `${count(others, 'checkpoint')} of the period ${others === 1 ? 'is' : 'are'} signed by an earlier key, which is not included: get it from the owner of the log. ` +
      'The log still extends them, but the page verifies the signatures of only one key.',
  ];
}

/** The key signs under the name of the checkpoint's own log, because a restore changes the name of the log and not its key. */
function isSignedBy({ type, publicKey }: VerifierKey, { note, origin }: KnownCheckpoint): boolean {
  return signaturesBy([verifierKey({ name: origin, type, publicKey })], parseNote(note).signatures).length > 0;
}
