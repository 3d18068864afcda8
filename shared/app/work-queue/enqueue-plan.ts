import type { Change } from '../../domain/decision/plan.ts';
import {
  BATCH_OPERATIONS,
  batchSizeOf,
  type EnrollmentId,
  kindOfBatch,
  ORGANIZATION_WIDE,
} from '../../domain/enrollment/kinds/index.ts';
import type { WorkMessage } from '../../domain/work-message.ts';
import type { Deps, OnProgress, RunContext } from '../context.ts';
import type { RunState } from '../coordination/run-store.ts';
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
  if (changesConfigurations(calls)) bulk.push(configurationsMessage(commonOf(run)));
  if (urgent.length > 0) await deps.queue.send(urgent, { lane: 'urgent' });
  if (bulk.length > 0) await deps.queue.send(bulk, { lane: 'bulk' });
  const messages = urgent.length + bulk.length;
  const keys = new Set([...due, ...followUps].map(({ accountId, enrollment }) => workKey(accountId, enrollment)));
  onProgress({ kind: 'queued', messages, totals, keys });
}

function commonOf({ runId, policy, planHash }: RunContext) {
  return { v: 1 as const, policyHash: policy.hash, runId, planHash };
}

type Common = ReturnType<typeof commonOf>;

function configurationsMessage(common: Common): WorkMessage {
  return { ...common, kind: 'configurations' };
}

/** Asks the calls, not the changes: a call for a configuration may only affect accounts that join later. */
function changesConfigurations(calls: Plan['calls']): boolean {
  return calls.some(({ scope }) => scope === 'configuration');
}

const CONFIGURATIONS = 'configurations';

/** The calls of a plan that are not for accounts or batches, as the state of its run names them (`RunState.calls`). A stopped plan makes no calls. */
export function wideCallsOf({ due, calls, trip }: Pick<Plan, 'due' | 'calls' | 'trip'>): string[] {
  if (trip !== null) return [];
  const kinds = ORGANIZATION_WIDE.filter((id) => isSwept(due, id));
  return [...kinds, ...(changesConfigurations(calls) ? [CONFIGURATIONS] : [])];
}

/** The messages for these calls of a run (`RunState.calls`). */
export function wideCallMessages({ calls, runId, policyHash, planHash }: RunState): WorkMessage[] {
  const common = { v: 1, policyHash, runId, planHash } as const;
  const messages = ORGANIZATION_WIDE.filter((id) => calls.includes(id)).map(
    (enrollment): WorkMessage => ({ ...common, kind: 'organization', enrollment }),
  );
  return calls.includes(CONFIGURATIONS) ? [...messages, configurationsMessage(common)] : messages;
}

function isSwept(changes: readonly Change[], enrollment: EnrollmentId): boolean {
  return changes.some((change) => change.scope === 'organization' && change.enrollment === enrollment);
}

/** Messages for all changes except those that calls for configurations make. */
export function messagesFor(run: RunContext, changes: readonly Change[]): WorkMessage[] {
  const common = commonOf(run);
  const messages: WorkMessage[] = [];
  for (const enrollment of ORGANIZATION_WIDE) {
    if (isSwept(changes, enrollment)) messages.push({ ...common, kind: 'organization', enrollment });
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
