import type { Change } from '../../domain/decision/plan.ts';
import { BATCH_OPERATIONS, batchSizeOf, kindOfBatch, ORGANIZATION_WIDE } from '../../domain/enrollment/kinds/index.ts';
import type { WorkMessage } from '../../domain/work-message.ts';
import type { Deps, OnProgress, RunContext } from '../context.ts';
import type { Plan } from '../plan/plan.ts';
import { workKey } from '../plan/planned-work.ts';

/**
 * Enqueues the due changes: organization-wide calls, batches, single accounts. Opt-outs do not wait behind the others. Follow-ups are enqueued when
 * they become possible.
 */
export async function enqueue(
  deps: Deps,
  run: RunContext,
  { due, followUps, totals, calls }: Pick<Plan, 'due' | 'followUps' | 'totals' | 'calls'>,
  onProgress: OnProgress,
): Promise<void> {
  const [optOuts, others] = [true, false].map((optOut) => due.filter((change) => change.optOut === optOut));
  const urgent = messagesFor(run, optOuts ?? []);
  const bulk = messagesFor(run, others ?? []);
  // A call may change later joiners only.
  if (calls.some(({ scope }) => scope === 'configuration')) bulk.push(configurationsMessage(run));
  if (urgent.length > 0) await deps.queue.send(urgent, { lane: 'urgent' });
  if (bulk.length > 0) await deps.queue.send(bulk, { lane: 'bulk' });
  const messages = urgent.length + bulk.length;
  const keys = new Set([...due, ...followUps].map(({ accountId, enrollment }) => workKey(accountId, enrollment)));
  onProgress({ kind: 'queued', messages, totals, keys });
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
