import { fullSummary } from '../../../shared/app/queries/plan-document.ts';
import type { Status } from '../../../shared/app/queries/status.ts';
import { DRIFT_VERDICTS } from '../../../shared/domain/enrollment/verdict.ts';
import type { CliContext } from '../context.ts';
import { EXIT } from '../exit-codes.ts';
import { loadPolicyIfAny, withStore } from '../session.ts';
import { statusText } from '../ui/status-text.ts';

export async function runStatus(context: CliContext, file: string | undefined): Promise<number> {
  const { output, clock, config } = context;
  const loaded = await loadPolicyIfAny(context, file);
  const [{ status }, { busOf }, deployedBus] = await Promise.all([
    import('../../../shared/app/queries/status.ts'),
    import('../../../shared/app/notifications/outbox-state.ts'),
    context.store.eventBus(),
  ]);
  const policy = loaded?.policy ?? null;
  const bus = busOf(policy, deployedBus);
  const now = clock.now();
  const found = await withStore(context, true, (store) => status(store, { policy, now, bus }));
  const view = { output, now, policyFile: loaded?.file ?? null, verbose: config.verbose };
  output.result({ ...found, summary: fullSummary(found.summary) }, () => statusText(found, view));
  return statusExit(found);
}

/**
 * As for `plan`: 2 for drift, whatever delays its fix; 3 for dead letters, and for accounts whose status is unknown although these
 * credentials could read it.
 */
function statusExit({ open, queue }: Status): number {
  const has = (...verdicts: readonly string[]): boolean =>
    open.some(({ verdict, reason }) => verdicts.includes(verdict) && reason !== 'callerCannotRead');
  if (has(...DRIFT_VERDICTS)) return EXIT.drift;
  return has('Unknown') || queue.dead > 0 ? EXIT.partly : EXIT.ok;
}
