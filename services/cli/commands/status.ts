import { fullSummary } from '../../../shared/app/queries/plan-document.ts';
import type { Status } from '../../../shared/app/queries/status.ts';
import type { OpenStore } from '../../../shared/compose/stores/profile.ts';
import { DRIFT_VERDICTS } from '../../../shared/domain/enrollment/verdict.ts';
import type { CliContext } from '../context.ts';
import { EXIT } from '../exit-codes.ts';
import { loadPolicyIfAny, withStore } from '../session.ts';
import { statusText } from '../ui/status-text.ts';

export interface StatusFlags {
  readonly policy?: string;
  readonly watch?: boolean;
}

export async function runStatus(context: CliContext, flags: StatusFlags): Promise<number> {
  const { output, clock, config } = context;
  const loaded = await loadPolicyIfAny(context, flags.policy);
  const [{ status }, { busOf }, deployedBus] = await Promise.all([
    import('../../../shared/app/queries/status.ts'),
    import('../../../shared/app/notifications/outbox-state.ts'),
    context.store.eventBus(),
  ]);
  const policy = loaded?.policy ?? null;
  const bus = busOf(policy, deployedBus);
  const read = (store: OpenStore): Promise<Status> => status(store, { policy, now: clock.now(), bus });
  const view = { output, policyFile: loaded?.file ?? null, verbose: config.verbose };
  if (flags.watch === true) {
    const { watchStatus } = await import('./status-watch.ts');
    const last = await watchStatus(context, { read, view });
    return context.interrupt.signal.aborted ? context.interrupt.exitCode : statusExit(last);
  }
  const found = await withStore(context, true, read);
  const now = clock.now();
  output.result({ ...found, summary: fullSummary(found.summary) }, () => statusText(found, { ...view, now }));
  return statusExit(found);
}

/**
 * As for `plan`: 2 for drift, whatever delays its fix; 3 for dead letters, and for accounts whose status is unknown although these
 * credentials could read it, which are all accounts until a scan has completed.
 */
function statusExit({ open, queue, lastScan }: Status): number {
  const has = (...verdicts: readonly string[]): boolean =>
    open.some(({ verdict, reason }) => verdicts.includes(verdict) && reason !== 'callerCannotRead');
  if (has(...DRIFT_VERDICTS)) return EXIT.drift;
  return has('Unknown') || queue.dead > 0 || lastScan.completedAt === null ? EXIT.partly : EXIT.ok;
}
