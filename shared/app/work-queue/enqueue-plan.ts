import type { Change } from '../../domain/decision/plan.ts';
import { BATCH_OPERATIONS, batchSizeOf, kindOfBatch, ORGANIZATION_WIDE } from '../../domain/enrollment/kinds/index.ts';
import type { WorkMessage } from '../../domain/work-message.ts';
import type { Deps, OnProgress, RunContext } from '../context.ts';
import type { Plan } from '../plan/plan.ts';
import { workKey } from '../plan/planned-work.ts';

/** Enqueues the due changes: organization-wide calls, batches, single accounts. Follow-ups are enqueued when they become possible. */
export async function enqueue(
  deps: Deps,
  run: RunContext,
  { due, followUps, totals, calls }: Pick<Plan, 'due' | 'followUps' | 'totals' | 'calls'>,
  onProgress: OnProgress,
): Promise<void> {
  const messages = messagesFor(run, due);
  // A call may change later joiners only.
  if (calls.some(({ scope }) => scope === 'configuration')) messages.push(configurationsMessage(run));
  if (messages.length > 0) await deps.queue.send(messages);
  const keys = new Set([...due, ...followUps].map(({ accountId, enrollment }) => workKey(accountId, enrollment)));
  onProgress({ kind: 'queued', messages: messages.length, totals, keys });
}

function commonOf({ runId, policy, planHash }: RunContext) {
  return { v: 1 as const, policyHash: policy.hash, runId, planHash };
}

function configurationsMessage(run: RunContext): WorkMessage {
  return { ...commonOf(run), kind: 'configurations' };
}

/** Messages for all changes except those that calls for configurations make. */
export function messagesFor(run: RunContext, changes: readonly Change[]): WorkMessage[] {
  const common = commonOf(run);
  const messages: WorkMessage[] = [];
  for (const enrollment of ORGANIZATION_WIDE) {
    const isSwept = changes.some((change) => change.scope === 'organization' && change.enrollment === enrollment);
    if (isSwept) messages.push({ ...common, kind: 'organization', enrollment });
  }
  for (const operation of BATCH_OPERATIONS) {
    const enrollment = kindOfBatch(operation);
    const batched = changes.filter((change) => change.enrollment === enrollment && change.action === operation);
    const ids = batched.map((change) => change.accountId);
    const size = batchSizeOf(enrollment, operation);
    for (let at = 0; at < ids.length; at += size) {
      messages.push({ ...common, kind: 'batch', operation, accountIds: ids.slice(at, at + size) });
    }
  }
  for (const { scope, accountId, enrollment } of changes) {
    if (scope === 'member' || scope === 'own') messages.push({ ...common, kind: 'account', accountId, enrollment });
  }
  return messages;
}
