import type { StepType } from '../domain/ledger.ts';
import type { RunOutline, RunStep } from '../ports/ledger.ts';
import type { Records } from '../ports/records.ts';
import type { Stores } from './deps.ts';
import { type ChangeParts, parseKey } from './make-plan.ts';
import { RunStates } from './run-state.ts';

/*
 * How a run's changes are counted. What the run set out to do is stored once, before anything is queued (`run-plan/<id>`); how far each change
 * is, the ledger says (`Ledger.outline`). Nothing is counted while the work goes on: a counter would be one more write for each entry, wrong
 * after a crash between the two, and a register that all workers fight for. So the numbers are right at any moment and any size, and they cost
 * one walk along an index when somebody looks.
 */

/** Adds up to `total`. */
export interface RunCounts {
  readonly total: number;
  /** AWS reports the desired state. */
  readonly confirmed: number;
  /** Begun; AWS has not reported the result yet. */
  readonly inProgress: number;
  readonly failed: number;
  /** Something stands in the way: it waits, or needs attention. */
  readonly blocked: number;
  readonly notStarted: number;
  /** Not part of the total: changes of the run that it did not plan, which an event brought, or a window that opened. */
  readonly unplanned: number;
}

type Ending = 'confirmed' | 'inProgress' | 'failed' | 'blocked' | 'notStarted';

const ENDING: Readonly<Record<StepType, Ending>> = {
  DriftResolved: 'confirmed',
  RemediationStarted: 'inProgress',
  RemediationSucceeded: 'inProgress',
  RemediationFailed: 'failed',
  RemediationBlocked: 'blocked',
  ConvergenceStalled: 'failed',
};

/** One change of a run, planned or not, with the last that the run has recorded of it. */
export interface TracedChange {
  readonly accountId: string;
  readonly enrollment: RunStep['enrollment'];
  /** `null`: the run made it without having planned it. */
  readonly planned: ChangeParts | null;
  readonly step: RunStep | null;
}

export interface TracedRun {
  /** Planned changes and those that were begun, by account, Compute Optimizer first. */
  readonly changes: readonly TracedChange[];
  readonly counts: RunCounts;
  readonly outline: RunOutline;
}

const nameOf = ({ accountId, enrollment }: Pick<RunStep, 'accountId' | 'enrollment'>): string =>
  `${accountId} ${enrollment}`;

/**
 * @param expected how many changes the run planned, for a run that an older version began, or of which the plan is kept no longer: then what it
 * has begun is all that is known of it.
 */
export async function traceRun(
  stores: Pick<Stores, 'ledger' | 'registers' | 'records'>,
  runId: string,
  expected: number,
): Promise<TracedRun> {
  const [keys, outline] = await Promise.all([
    new RunStates(stores.registers).changesOf(runId),
    stores.ledger.outline(runId),
  ]);
  const changes = merge(keys, outline.steps);
  const counts = { confirmed: 0, inProgress: 0, failed: 0, blocked: 0, notStarted: 0 };
  const isPlanned = ({ planned }: TracedChange): boolean => keys === null || planned !== null;
  for (const { step } of changes.filter(isPlanned)) counts[step === null ? 'notStarted' : ENDING[step.type]] += 1;
  const later = await confirmedLater(stores.records, changes.filter(isPlanned));
  counts.confirmed += later;
  counts.inProgress -= later;
  const known = changes.filter(isPlanned).length;
  const missing = keys === null ? Math.max(0, expected - known) : 0;
  counts.notStarted += missing;
  return { changes, outline, counts: { total: known + missing, ...counts, unplanned: changes.length - known } };
}

function merge(keys: readonly string[] | null, steps: readonly RunStep[]): TracedChange[] {
  const merged = new Map<string, TracedChange>();
  for (const key of keys ?? []) {
    const planned = parseKey(key);
    if (planned === null) continue;
    const { accountId, enrollment } = planned;
    merged.set(nameOf(planned), { accountId, enrollment, planned, step: null });
  }
  for (const step of steps) {
    const known = merged.get(nameOf(step));
    if (known !== undefined) merged.set(nameOf(step), { ...known, step });
    // A drift that the run found blocked, or found resolved by somebody else, is no change of the run.
    else if (step.begun) merged.set(nameOf(step), { ...step, planned: null, step });
  }
  return [...merged.values()].sort((a, b) => {
    if (a.accountId !== b.accountId) return a.accountId < b.accountId ? -1 : 1;
    return a.enrollment < b.enrollment ? 1 : -1;
  });
}

/** What the run left in progress, and a later run has seen done. */
async function confirmedLater(records: Records, changes: readonly TracedChange[]): Promise<number> {
  const open = changes.filter(({ step }) => step !== null && ENDING[step.type] === 'inProgress');
  if (open.length === 0) return 0;
  const known = await records.getMany([...new Set(open.map(({ accountId }) => accountId))]);
  return open.filter(({ accountId, enrollment }) => known.get(accountId)?.[enrollment]?.verdict === 'Compliant').length;
}
