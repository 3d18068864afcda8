import type { WorkMessage } from '../../domain/work-message.ts';
import type { Delivery } from '../../ports/queue.ts';
import type { SpanAttributes, SpanStart } from '../../ports/tracer.ts';
import type { WorkResult } from './worker-context.ts';

/** The span in which a message is processed, in the trace of its run. */
export function spanOf({ message, receives }: Delivery): SpanStart<Pick<WorkResult, 'outcomes'>> {
  const { runId } = message;
  return {
    name: message.kind === 'account' ? 'reconcile' : `reconcile ${message.kind}`,
    kind: 'consumer',
    attributes: { 'rollcall.run.id': runId, 'rollcall.receives': receives, ...about(message) },
    run: { id: runId, begins: false },
    done: ({ outcomes }) => outcomesOf(outcomes),
  };
}

function about(message: WorkMessage): SpanAttributes {
  switch (message.kind) {
    case 'account':
      return { 'rollcall.account.id': message.accountId, 'rollcall.enrollment': message.enrollment };
    case 'batch':
      return { 'rollcall.operation': message.operation, 'rollcall.accounts': message.accountIds.length };
    case 'configurations':
      return {};
    case 'organization':
      return { 'rollcall.enrollment': message.enrollment };
  }
}

/** The outcome of one account, or how many accounts had each outcome. */
function outcomesOf(outcomes: WorkResult['outcomes']): SpanAttributes {
  const [only, ...others] = outcomes;
  if (only !== undefined && others.length === 0) return { 'rollcall.outcome': only.outcome };
  const groups = Map.groupBy(outcomes, ({ outcome }) => outcome);
  return Object.fromEntries([...groups].map(([outcome, each]) => [`rollcall.outcomes.${outcome}`, each.length]));
}
