import type * as z from 'zod';
import type { Condition } from '../../domain/enrollment/condition.ts';
import type { StepType } from '../../domain/ledger/entry-types.ts';
import type { RunOutline, RunStep } from '../../ports/ledger.ts';
import type { Records } from '../../ports/records.ts';
import type { Stores } from '../context.ts';
import { RunStore } from '../coordination/run-store.ts';
import { type ChangeParts, parseKey } from '../plan/change-keys.ts';
import { mayBePlanned } from '../work-queue/planned-drift.ts';
import type { run } from './answers/runs.ts';

/*
 * Counts a run's changes. The planned changes are stored before anything is queued; the progress of each comes from the audit log
 * (`Ledger.outline`). A separate counter would be wrong after a crash between its write and that of the entry.
 */

type RunCounts = z.infer<typeof run>['changes'];

type Ending = 'confirmed' | 'inProgress' | 'failed' | 'blocked' | 'notStarted';

const ENDING: Readonly<Record<StepType, Ending>> = {
  DriftResolved: 'confirmed',
  RemediationStarted: 'inProgress',
  RemediationSucceeded: 'inProgress',
  RemediationFailed: 'failed',
  RemediationBlocked: 'blocked',
  ConvergenceStalled: 'failed',
};

/** One change of a run, planned or not, with its last recorded step. */
export interface TracedChange {
  readonly accountId: string;
  readonly enrollment: RunStep['enrollment'];
  /** `null`: the run did not plan it. */
  readonly planned: ChangeParts | null;
  /** The last step. If the run resolved the planned drift, this is the step that resolved it first, whatever happened to the account afterwards. */
  readonly step: RunStep | null;
}

/** Which drift the run planned to fix. */
export type PlannedDrift = Parameters<typeof mayBePlanned>[0];

export interface TracedRun {
  /** The changes that were planned or begun, sorted by account, Compute Optimizer first. */
  readonly changes: readonly TracedChange[];
  readonly counts: RunCounts;
  readonly outline: RunOutline;
  /** Whether the change counts for the total of the run. */
  readonly isPlanned: (change: TracedChange | undefined) => boolean;
  /** Planned changes that are not listed, because the plan is no longer stored and they were not begun. */
  readonly missing: number;
}

export const nameOf = ({ accountId, enrollment }: Pick<RunStep, 'accountId' | 'enrollment'>): string =>
  `${accountId} ${enrollment}`;

interface OutlinedRun {
  readonly runId: string;
  readonly outline: RunOutline;
  /** The number of planned changes, used if they are not stored: none was planned, or the plan has expired. `null`: not known. */
  readonly expected: number | null;
  readonly drift: PlannedDrift;
}

export async function traceRun(
  stores: Pick<Stores, 'registers' | 'records'>,
  { runId, outline, expected, drift }: OutlinedRun,
): Promise<TracedRun> {
  const stored = await new RunStore(stores.registers).changesOf(runId);
  // A run without planned changes stores no plan. All its changes were made after later events.
  const keys = stored ?? (expected === 0 ? [] : null);
  const changes = merge(keys, outline.steps);
  const counts = { confirmed: 0, inProgress: 0, failed: 0, blocked: 0, notStarted: 0 };
  const isPlanned = (change: TracedChange | undefined): boolean =>
    change !== undefined && (keys === null || change.planned !== null);
  for (const { step } of changes.filter(isPlanned)) counts[step === null ? 'notStarted' : ENDING[step.type]] += 1;
  const later = await confirmedLater(stores.records, changes.filter(isPlanned), drift);
  counts.confirmed += later;
  counts.inProgress -= later;
  const known = changes.filter(isPlanned).length;
  const missing = keys === null ? Math.max(0, (expected ?? 0) - known) : 0;
  counts.notStarted += missing;
  const all = {
    total: known + missing,
    ...counts,
    unplanned: changes.length - known,
    driftedAgain: countDriftedAgain(changes.filter(isPlanned), outline.steps),
  };
  return { changes, outline, counts: all, isPlanned, missing };
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
    if (known !== undefined) merged.set(nameOf(step), { ...known, step: decisive(step) });
    // An unplanned drift that the run only found blocked, or resolved by somebody else, is not a change of this run.
    else if (step.begun) {
      const { accountId, enrollment } = step;
      merged.set(nameOf(step), { accountId, enrollment, planned: null, step: keys === null ? decisive(step) : step });
    }
  }
  return [...merged.values()].sort((a, b) => {
    if (a.accountId !== b.accountId) return a.accountId < b.accountId ? -1 : 1;
    return a.enrollment < b.enrollment ? 1 : -1;
  });
}

/** Counts the changes that have steps after their drift was resolved, because the account drifted again. */
function countDriftedAgain(changes: readonly TracedChange[], steps: readonly RunStep[]): number {
  const again = steps.filter(({ seq, resolvedSeq }) => resolvedSeq !== null && seq > resolvedSeq);
  const names = new Set(again.map(nameOf));
  return changes.filter((change) => names.has(nameOf(change))).length;
}

/** A planned change is done when its drift is first resolved. The steps after that belong to other drift. */
function decisive(step: RunStep): RunStep {
  return step.resolvedSeq === null ? step : { ...step, type: 'DriftResolved', seq: step.resolvedSeq };
}

/**
 * Whether the open drift of the account began after the run was planned, which means that the planned drift was resolved before. The step of the run
 * does not show it if another run recorded the resolution.
 */
export function isLaterDrift({ planned }: TracedChange, drift: PlannedDrift, condition: Condition | null): boolean {
  return planned !== null && condition !== null && !mayBePlanned(drift, condition);
}

/** Counts the changes that the run left in progress and that were observed as done later. */
async function confirmedLater(
  records: Pick<Records, 'getMany'>,
  changes: readonly TracedChange[],
  drift: PlannedDrift,
): Promise<number> {
  const open = changes.filter(({ step }) => step !== null && ENDING[step.type] === 'inProgress');
  if (open.length === 0) return 0;
  const known = await records.getMany([...new Set(open.map(({ accountId }) => accountId))]);
  return open.filter((change) => {
    const condition = known.get(change.accountId)?.conditions[change.enrollment] ?? null;
    return condition?.verdict === 'Compliant' || isLaterDrift(change, drift, condition);
  }).length;
}
