import type { AccountRecord } from '../../domain/account/record.ts';
import type { Condition } from '../../domain/enrollment/condition.ts';
import { ENROLLMENT_IDS } from '../../domain/enrollment/kinds/index.ts';
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
  readonly key: { readonly accountId: string; readonly enrollment: (typeof ENROLLMENT_IDS)[number] };
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

/** What came free with Compute Optimizer belongs to the run that brought that about, not to the one that once found it blocked. */
function runOf({ computeOptimizer }: AccountRecord, enrollment: DueKey['key']['enrollment'], condition: Condition) {
  const unlocked = enrollment === 'automation' && condition.reason === 'prerequisite' && condition.notBefore === null;
  return (unlocked ? computeOptimizer?.runId : null) ?? condition.runId;
}

/** Automation that waited for Compute Optimizer, which is Active now. */
function isUnlocked({ computeOptimizer, automation }: AccountRecord, enrollment: DueKey['key']['enrollment']): boolean {
  if (enrollment !== 'automation' || computeOptimizer?.status !== 'Active') return false;
  return automation?.verdict === 'Blocked' && automation.reason === 'prerequisite';
}

/** Whether somebody has to look at the account at a time that only a hint may say, which each entry about it makes forgotten. */
export function needsLook(record: AccountRecord): boolean {
  return ENROLLMENT_IDS.some((enrollment) => waits(record[enrollment]) || isUnlocked(record, enrollment));
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
    const condition = record[enrollment];
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
  if (key.enrollment !== 'automation' || condition.claim !== null) return null;
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
