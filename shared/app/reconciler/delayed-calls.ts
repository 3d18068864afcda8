import type { EpochMs } from '../../domain/enrollment/model.ts';
import type { WorkMessage } from '../../domain/work-message.ts';
import { CONTINUED_MS } from '../plan/applied-plans.ts';
import type { WorkContext } from './worker-context.ts';

/** SQS hides a message for at most 12 hours after it was received [API_ChangeMessageVisibility]. */
const MAX_HIDDEN_MS = 11 * 60 * 60_000;

/**
 * How long a message for the calls of a stored plan waits for a change window, ms; `null`: it does not wait. If its approval is already used, no scan
 * plans such a call again. Single accounts and batches need no message: their records say when the window opens.
 */
export async function waitForWindow(
  { policy, runs, deps }: Pick<WorkContext, 'policy' | 'runs' | 'deps'>,
  { kind, planHash, policyHash, runId }: WorkMessage,
): Promise<number | null> {
  if (planHash === null || policyHash !== policy.hash || (kind !== 'configurations' && kind !== 'organization'))
    return null;
  const now = deps.clock.now();
  const opensAt = policy.windows.isOpen(now) ? null : policy.windows.nextOpening(now);
  const run = opensAt === null ? null : await runs.get(runId);
  if (opensAt === null || run === null || run.stopped !== null) return null;
  return opensAt < lastsUntil(run) ? Math.min(opensAt - now, MAX_HIDDEN_MS) : null;
}

/** Until when the plan of a run may be carried out: an approval and a saved plan both last a day. */
function lastsUntil({ approvedUntil, startedAt }: { approvedUntil: EpochMs | null; startedAt: EpochMs }): EpochMs {
  return approvedUntil ?? startedAt + CONTINUED_MS;
}
