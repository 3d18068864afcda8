import type { EpochMs } from '../../domain/enrollment/model.ts';
import { type ChainHead, type EntryDraft, ORGANIZATION_CHAIN } from '../../domain/ledger/entry.ts';
import { toIso } from '../../domain/time.ts';
import type { LostEntries, Replaced } from '../../ports/restore.ts';
import { organizationEntry } from '../ledger/organization-entry.ts';

export interface RestoreRequest {
  /** The backup's path, as the operator gave it. */
  readonly file: string;
  readonly actor: string;
  readonly now: EpochMs;
  readonly newId: () => string;
}

/** What a restore has kept and lost, reported to the operator. */
export interface RestoreReport {
  readonly replaced: Replaced['kind'];
  /** Whether the replaced store could be read, so that its halt, suspensions and counts are in force. */
  readonly merged: boolean;
  readonly lost: LostEntries | null;
  /** Selectors of suspensions that the backup lacks, or has with an earlier end. */
  readonly suspensions: readonly string[];
  /** Accounts that stay contested although the backup does not say so. */
  readonly contested: number;
  /** Accounts that count as changed in the last 24 hours, and those of them that count as opted out. */
  readonly changed: number;
  readonly optedOut: number;
  /** Number of changes in progress in the replaced store. */
  readonly underWay: number;
  /** Number of usable approvals that the restore has ended. */
  readonly approvalsEnded: number;
  /** Registers of the replaced store that could not be read. */
  readonly unreadable: readonly string[];
}

/**
 * The entry that records which backup replaced which store.
 * @param head the end of the organization's chain that was replaced, if it could be read
 */
export function storeRestored(
  { file, actor, newId, now }: RestoreRequest,
  { replaced, lost, suspensions }: RestoreReport,
  head: ChainHead | null,
): EntryDraft {
  const missing =
    lost === null
      ? 'what it replaced could not be compared'
      : `${lost.entries} ${lost.entries === 1 ? 'entry' : 'entries'} of the replaced store are not in it`;
  const detail = {
    message: `restored from ${file} by ${actor}; ${missing}; enforcement is halted`,
    restore: {
      file,
      replaced: head === null || head.seq === 0 ? null : { chain: ORGANIZATION_CHAIN, ...head },
      lost: lost === null ? null : lostDetail(lost),
    },
    summary: { replaced, suspensionsKept: suspensions.slice(0, 100) },
  };
  const context = { newId, now, actor, runId: null, policyHash: null };
  return organizationEntry(context, 'StoreRestored', { reason: 'operator', detail });
}

function lostDetail({ entries, runs, from, to }: LostEntries) {
  return { entries, runs, from: from === null ? null : toIso(from), to: to === null ? null : toIso(to) };
}
