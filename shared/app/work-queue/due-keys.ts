import { isUnlocked } from '../../domain/account/prerequisites.ts';
import type { AccountRecord } from '../../domain/account/record.ts';
import type { Condition } from '../../domain/enrollment/condition.ts';
import { ENROLLMENT_IDS, type EnrollmentId, kindOf } from '../../domain/enrollment/kinds/index.ts';
import type { WorkMessage } from '../../domain/work-message.ts';
import { MAX_BATCH } from '../../ports/cloud.ts';
import type { RunStore } from '../coordination/run-store.ts';
import type { WaitingRunOf } from '../guardrails/window-run.ts';

type Operation = Extract<WorkMessage, { kind: 'batch' }>['operation'];
type Common = Pick<WorkMessage, 'v' | 'policyHash' | 'runId' | 'planHash'>;

/** One enrollment that is due for a look. */
export interface DueKey {
  readonly common: Common;
  readonly condition: Condition;
  readonly key: { readonly accountId: string; readonly enrollment: EnrollmentId };
}

/** What in a record can be waiting: everything with a claim, a time, or a result to come. */
function waits(condition: Condition | null): condition is Condition {
  if (condition === null) return false;
  // The kill switch held it back; whoever ends that makes it due.
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

/** Whether somebody has to look at the account at a time that only a hint may say, which each entry about it makes forgotten. */
export function needsLook(record: AccountRecord): boolean {
  return ENROLLMENT_IDS.some((enrollment) => waits(record.conditions[enrollment]) || isUnlocked(record, enrollment));
}

/** Waits for a window, or did until a moment ago. */
export function waitsForWindow(condition: Condition | null): condition is Condition {
  return condition?.verdict === 'Blocked' && condition.reason === 'window';
}

/** The enrollments of a record that are due; each belongs to the run that last touched it, or last judged what waits for a window. */
export async function dueKeys(
  record: AccountRecord,
  runs: RunStore,
  policyHash: string,
  waitingRunOf: WaitingRunOf,
): Promise<DueKey[]> {
  const { accountId } = record;
  const found: DueKey[] = [];
  for (const enrollment of ENROLLMENT_IDS) {
    const condition = record.conditions[enrollment];
    if (condition === null || !(waits(condition) || isUnlocked(record, enrollment))) continue;
    const judgedBy = waitsForWindow(condition) ? await waitingRunOf({ accountId, enrollment, condition }) : null;
    const runId = judgedBy ?? runOf(record, enrollment, condition);
    const run = runId === null ? null : await runs.get(runId);
    const common = { v: 1, policyHash, runId: runId ?? 'none', planHash: run?.planHash ?? null } as const;
    found.push({ common, condition, key: { accountId, enrollment } });
  }
  return found;
}

/** The batch call that the condition, as it is remembered, is waiting for, if it is one; the worker judges anew. */
function batchOf({ condition, key }: DueKey): Operation | null {
  // What became of an intent is found out account by account.
  if (!kindOf(key.enrollment).hasRuleMode || condition.claim !== null) return null;
  if (condition.desiredRuleMode === 'AnyAllowed') return 'AssociateAccounts';
  const leaving = condition.desired === 'Inactive' || condition.desiredRuleMode === 'NoneAllowed';
  return leaving && condition.ruleMode === 'AnyAllowed' ? 'DisassociateAccounts' : null;
}

/** Messages for what is due: what one batch call can do goes into one message, up to 50 accounts of the same run. */
export function dueMessages(due: readonly DueKey[]): WorkMessage[] {
  const groups = Map.groupBy(due, (one) => {
    const operation = batchOf(one);
    return operation === null ? null : [operation, one.common.runId, one.common.planHash].join(' ');
  });
  const messages: WorkMessage[] = [];
  for (const [name, group] of groups) {
    const [first] = group;
    const operation = first === undefined || name === null ? null : batchOf(first);
    for (let at = 0; at < group.length; at += MAX_BATCH) {
      const part = group.slice(at, at + MAX_BATCH);
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
