import { isUnlocked } from '../../domain/account/prerequisites.ts';
import type { AccountRecord } from '../../domain/account/record.ts';
import type { Condition } from '../../domain/enrollment/condition.ts';
import {
  actionFor,
  batchSizeOf,
  ENROLLMENT_IDS,
  type EnrollmentId,
  kindOf,
  kindOfBatch,
} from '../../domain/enrollment/kinds/index.ts';
import type { Lane } from '../../domain/work-lane.ts';
import type { WorkMessage } from '../../domain/work-message.ts';
import type { WorkQueue } from '../../ports/queue.ts';
import type { RunState, RunStore } from '../coordination/run-store.ts';
import type { WaitingRunOf } from '../guardrails/window-run.ts';
import { mayBePlanned } from './planned-drift.ts';

type Operation = Extract<WorkMessage, { kind: 'batch' }>['operation'];
type Common = Pick<WorkMessage, 'v' | 'policyHash' | 'runId' | 'planHash'>;

/** An enrollment of an account that is due to be reconciled. */
export interface DueKey {
  readonly common: Common;
  readonly condition: Condition;
  readonly key: { readonly accountId: string; readonly enrollment: EnrollmentId };
}

/** Whether a condition waits for something: the end of a claim, a time, or a result from AWS. */
function waits(condition: Condition | null): condition is Condition {
  if (condition === null) return false;
  // Held back by the kill switch; ending the halt makes it due.
  if (condition.reason === 'halted') return true;
  return (
    condition.claim !== null ||
    condition.notBefore !== null ||
    condition.verdict === 'Converging' ||
    condition.verdict === 'Stalled'
  );
}

/** An enrollment that a prerequisite unlocked belongs to the run that changed the prerequisite, not to the run that once found it blocked. */
function runOf(record: AccountRecord, enrollment: EnrollmentId, condition: Condition): string | null {
  const unlocked = condition.reason === 'prerequisite' && condition.notBefore === null;
  return (unlocked ? unlockingRun(record, enrollment) : null) ?? condition.runId;
}

function unlockingRun({ conditions }: AccountRecord, enrollment: EnrollmentId): string | null {
  const known = kindOf(enrollment).prerequisites.flatMap((id) => conditions[id] ?? []);
  return known.toSorted((a, b) => Date.parse(b.changedAt) - Date.parse(a.changedAt))[0]?.runId ?? null;
}

/** Whether any enrollment waits for something, or its prerequisite has been met. */
export function hasPendingWork(record: AccountRecord): boolean {
  return ENROLLMENT_IDS.some((enrollment) => waits(record.conditions[enrollment]) || isUnlocked(record, enrollment));
}

/** Whether a condition waits for a change window, which may just have opened. */
export function waitsForWindow(condition: Condition | null): condition is Condition {
  return condition?.verdict === 'Blocked' && condition.reason === 'window';
}

/**
 * Whether a change waited for a time when its scan recorded it, and `minCoverage` stopped the plan of that scan. Only a scan with enough coverage may
 * make the change. What a worker recorded later, for example after an event, is based on a read of the account, to which `minCoverage` does not apply.
 */
function isUncovered({ uncovered, startedAt }: RunState, condition: Condition): boolean {
  const { claim, verdict, notBefore, changedAt } = condition;
  const isChange = claim === null && notBefore !== null && (verdict === 'Blocked' || verdict === 'Drifted');
  // A change that waits for a window is queued: its run is stopped, and the worker records that.
  return uncovered && isChange && !waitsForWindow(condition) && Date.parse(changedAt) <= startedAt;
}

/** The due enrollments of an account. Each key has the run that last changed the enrollment or, if it waits for a window, that last planned it. */
export async function dueKeys(
  record: AccountRecord,
  runs: Pick<RunStore, 'get'>,
  policyHash: string,
  waitingRunOf: WaitingRunOf,
): Promise<DueKey[]> {
  const { accountId } = record;
  const found: DueKey[] = [];
  for (const enrollment of ENROLLMENT_IDS) {
    const condition = record.conditions[enrollment];
    if (condition === null || !(waits(condition) || isUnlocked(record, enrollment))) continue;
    const plannedBy = waitsForWindow(condition) ? await waitingRunOf({ accountId, enrollment, condition }) : null;
    const runId = plannedBy ?? runOf(record, enrollment, condition);
    const run = runId === null ? null : await runs.get(runId);
    if (run !== null && isUncovered(run, condition)) continue;
    const planHash = run !== null && mayBePlanned(run, condition) ? run.planHash : null;
    const common = { v: 1, policyHash, runId: runId ?? 'none', planHash } as const;
    found.push({ common, condition, key: { accountId, enrollment } });
  }
  return found;
}

/** The batch call that the stored condition suggests, or `null`. The worker assesses the account again. */
function batchOf({ condition, key }: DueKey): Operation | null {
  // The outcome of an intent is determined for each account individually.
  if (!kindOf(key.enrollment).hasRuleMode || condition.claim !== null) return null;
  if (condition.desiredRuleMode === 'AnyAllowed') return actionFor(key.enrollment, 'associate').operation;
  const leaving = condition.desired === 'Inactive' || condition.desiredRuleMode === 'NoneAllowed';
  return leaving && condition.ruleMode === 'AnyAllowed' ? actionFor(key.enrollment, 'disassociate').operation : null;
}

/** Whether the change that the stored condition suggests is an opt-out. */
export function optsOut({ desired, desiredRuleMode, ruleMode }: Condition): boolean {
  return desired === 'Inactive' || (desiredRuleMode === 'NoneAllowed' && ruleMode === 'AnyAllowed');
}

/** If more changes than this are to be confirmed, their keys are sent in bulk, so that one listing confirms them together. */
export const FEW_POLLS = 10;

/** Enqueues due keys. Opt-outs are always urgent. @param lane of all other keys, except the confirmations of many changes */
export async function sendDue(queue: WorkQueue, due: readonly DueKey[], lane: Lane): Promise<void> {
  const isPoll = ({ verdict }: Condition): boolean => verdict === 'Converging';
  const isBulk = due.filter(({ condition }) => isPoll(condition)).length > FEW_POLLS;
  const isUrgent = (condition: Condition): boolean => lane === 'urgent' && !(isBulk && isPoll(condition));
  const urgent = due.filter(({ condition }) => isUrgent(condition) || optsOut(condition));
  const bulk = due.filter((key) => !urgent.includes(key));
  if (urgent.length > 0) await queue.send(dueMessages(urgent), { lane: 'urgent' });
  if (bulk.length > 0) await queue.send(dueMessages(bulk), { lane: 'bulk' });
}

/** Messages for due keys. Accounts of the same run that one batch call can change share a message, up to the batch size. */
function dueMessages(due: readonly DueKey[]): WorkMessage[] {
  const groups = Map.groupBy(due, (dueKey) => {
    const operation = batchOf(dueKey);
    return operation === null ? null : [operation, dueKey.common.runId, dueKey.common.planHash].join(' ');
  });
  const messages: WorkMessage[] = [];
  for (const [name, group] of groups) {
    const [first] = group;
    const operation = first === undefined || name === null ? null : batchOf(first);
    const size = operation === null ? 1 : batchSizeOf(kindOfBatch(operation), operation);
    for (let at = 0; at < group.length; at += size) {
      const part = group.slice(at, at + size);
      if (operation === null || first === undefined || part.length === 1) {
        for (const { common, key } of part) messages.push({ ...common, kind: 'account', ...key });
      } else {
        const accountIds = part.map(({ key }) => key.accountId);
        messages.push({ ...first.common, kind: 'batch', operation, accountIds });
      }
    }
  }
  return messages;
}
