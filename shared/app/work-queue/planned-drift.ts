import { beginsDrift } from '../../domain/account/drift-detection.ts';
import type { AccountRecord } from '../../domain/account/record.ts';
import type { Condition } from '../../domain/enrollment/condition.ts';
import type { Assessment } from '../../domain/enrollment/verdict.ts';
import type { WorkMessage } from '../../domain/work-message.ts';
import type { RunState, RunStore } from '../coordination/run-store.ts';

/**
 * Whether the plan of a run may contain the fix of this drift. A drift that began after the run was planned is a new one: the plan may name the same
 * change, but somebody has reverted it since, and nobody has approved that it is made again.
 */
export function mayBePlanned(
  { startedAt, driftsUntil = null }: Pick<RunState, 'startedAt'> & Partial<Pick<RunState, 'driftsUntil'>>,
  { driftSince, setBacks = [] }: Condition,
): boolean {
  if (driftSince === null) return true;
  // A reversion that is seen before the change was confirmed leaves the drift open.
  const revertedAt = setBacks.at(-1)?.at ?? driftSince;
  return Math.max(Date.parse(driftSince), Date.parse(revertedAt)) <= (driftsUntil ?? startedAt);
}

interface Found {
  readonly record: AccountRecord;
  readonly assessment: Assessment;
}

/**
 * Whether a message may change these accounts under the plan that it names. A duplicate or a redriven dead letter may be much older than their drifts.
 * Always true if it names no plan, and if its run is no longer stored, because no change of such a run is made.
 */
export async function fitPlan(
  runs: RunStore,
  { runId, planHash }: Pick<WorkMessage, 'runId' | 'planHash'>,
  found: readonly Found[],
): Promise<boolean> {
  if (planHash === null) return true;
  const run = await runs.get(runId);
  if (run === null) return true;
  return found.every(({ record, assessment }) => {
    const condition = record.conditions[assessment.enrollment];
    // The scan that made the plan recorded every drift in it.
    return !beginsDrift(condition, assessment) && (condition === null || mayBePlanned(run, condition));
  });
}
