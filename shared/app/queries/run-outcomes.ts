import type { AccountRecord } from '../../domain/account/record.ts';
import type { Status } from '../../domain/enrollment/status.ts';
import type { StepType } from '../../domain/ledger/entry-types.ts';
import type { Records } from '../../ports/records.ts';
import { CHANGE_OUTCOMES, type ChangeOutcome, type RunOutcomeWord } from './answers/runs.ts';
import { isLaterDrift, type PlannedDrift, type TracedChange } from './run-changes.ts';
import { shownOfRecord } from './shown-record.ts';

/* How the changes of a run have ended, in the words that people see. A change that is still open is judged by the present record of its account. */

/** What is known of a run beside its changes. */
export interface RunFacts {
  /** Why the run makes no changes; `null`: it may. */
  readonly stoppedBy: string | null;
  /** No later run has begun. */
  readonly isLatest: boolean;
}

interface JudgedChange {
  readonly outcome: ChangeOutcome;
  /** AWS has accepted the change and is still processing it. This continues even if no process of Rollcall runs. */
  readonly isProcessing: boolean;
}

/** The outcome of every change, in the order of `changes`. */
export async function outcomesOf(
  records: Pick<Records, 'getMany'>,
  changes: readonly TracedChange[],
  facts: RunFacts & { readonly drift: PlannedDrift },
): Promise<readonly JudgedChange[]> {
  const open = changes.filter((change) => certainOutcome(change, facts) === null);
  const ids = [...new Set(open.map(({ accountId }) => accountId))];
  const known = ids.length === 0 ? new Map<string, AccountRecord>() : await records.getMany(ids);
  return changes.map((change) => {
    const certain = certainOutcome(change, facts);
    if (certain !== null) return { outcome: certain, isProcessing: false };
    const condition = known.get(change.accountId)?.conditions[change.enrollment] ?? null;
    // The later drift has a status of its own, which says nothing about the change.
    const isOver = isLaterDrift(change, facts.drift, condition);
    const status = isOver ? 'Compliant' : statusIn(known, change);
    return { outcome: judged(change, status, facts), isProcessing: status === 'In progress' };
  });
}

/** The outcome that does not depend on the present state of the account; `null`: it depends. */
function certainOutcome({ step }: TracedChange, { stoppedBy, isLatest }: RunFacts): ChangeOutcome | null {
  if (step?.type === 'DriftResolved') return 'Succeeded';
  // A stopped run records why it does not make a change, too.
  if (stoppedBy !== null && step?.begun !== true) return 'Not started';
  return step === null && isLatest ? 'Not started' : null;
}

function statusIn(known: ReadonlyMap<string, AccountRecord>, { accountId, enrollment }: TracedChange): Status | null {
  const record = known.get(accountId);
  if (record === undefined) return null;
  return shownOfRecord(record)[enrollment]?.status ?? null;
}

/** `accepted`: AWS has accepted the change, or the call is in progress. */
const ACCEPTED: ReadonlySet<StepType> = new Set<StepType>(['RemediationStarted', 'RemediationSucceeded']);

function judged({ step }: TracedChange, status: Status | null, { isLatest }: RunFacts): ChangeOutcome {
  const accepted = step !== null && ACCEPTED.has(step.type);
  switch (status) {
    case 'Needs attention':
    case 'In progress':
      return status;
    case 'Waiting':
      return isLatest ? 'Waiting' : 'Superseded';
    case 'Compliant':
      return accepted ? 'Succeeded' : 'Superseded';
    case 'Drifted':
      return isLatest ? 'In progress' : 'Superseded';
    case 'Unknown':
    case null:
      if (step === null) return 'Not started';
      return accepted ? 'In progress' : 'Needs attention';
    default:
      return 'Superseded';
  }
}

type OutcomeCounts = Readonly<Record<ChangeOutcome, number>>;

export function countOutcomes(outcomes: Iterable<ChangeOutcome>): Record<ChangeOutcome, number> {
  const counts: Record<ChangeOutcome, number> = {
    'Needs attention': 0,
    'In progress': 0,
    Waiting: 0,
    'Not started': 0,
    Superseded: 0,
    Succeeded: 0,
  };
  for (const outcome of outcomes) counts[outcome] += 1;
  return counts;
}

/** The order in which changes are listed: what needs attention first. */
export const rankOf = (outcome: ChangeOutcome): number => CHANGE_OUTCOMES.indexOf(outcome);

interface RunEnd extends RunFacts {
  readonly isScanned: boolean;
  /** A process scans, or will continue the scan. */
  readonly isScanning: boolean;
  readonly isHalted: boolean;
  /** Its last entry is so old that nobody works on it any more. */
  readonly isQuiet: boolean;
  readonly counts: OutcomeCounts;
  /** How many of the changes in progress only wait for AWS. */
  readonly processing: number;
  readonly total: number;
}

/** One word for the whole run. */
export function runOutcomeWord(run: RunEnd): RunOutcomeWord {
  const { counts, isLatest, stoppedBy } = run;
  if (!run.isScanned) return isLatest && run.isScanning ? 'In progress' : 'Interrupted';
  if (stoppedBy === 'halted') return 'Stopped by halt';
  if (stoppedBy !== null) return 'Stopped by guardrail';
  if (run.total === 0) return 'Nothing planned';
  const unfinished = counts['In progress'] + counts['Not started'];
  if (unfinished + counts.Waiting > 0 && isLatest && run.isHalted) return 'Stopped by halt';
  if (unfinished > 0 && isLatest && !run.isQuiet) return 'In progress';
  if (counts['Needs attention'] > 0) return 'Needs attention';
  if (unfinished > run.processing) return 'Interrupted';
  if (unfinished > 0) return 'In progress';
  return counts.Waiting > 0 ? 'Waiting' : 'Completed';
}
