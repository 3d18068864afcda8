import type { Runtime } from '../../../shared/compose/runtime.ts';
import type { CliContext } from '../context.ts';
import { noteDeniedRoles, noteWarnings } from '../run-warnings.ts';
import { type LoadedPolicy, loadPolicy, withApp } from '../session.ts';
import { warningsFor } from '../snapshot.ts';
import { type FinishedScan, scanText } from '../ui/scan-text.ts';
import { policyFlag } from '../ui/suggested-commands.ts';
import { withProgress } from '../watch.ts';
import { planExit } from './plan.ts';

export interface ScanFlags {
  readonly policy?: string;
}

/** Reads every account, records what has changed, and changes nothing in AWS. */
export async function runScan(context: CliContext, flags: ScanFlags): Promise<number> {
  const { output, clock, interrupt } = context;
  const loaded = await loadPolicy(context, flags.policy);
  await context.store.upgrade(clock);
  interrupt.finishGracefully(() =>
    output.note('Stopping: what was recorded so far stays. Ctrl-C again quits immediately.'),
  );
  const startedAt = clock.now();
  const [{ planDocument }, finished] = await Promise.all([
    import('../../../shared/app/queries/plan-document.ts'),
    withApp(context, loaded.policy, false, (app) => observe(context, app, loaded, startedAt)),
  ]);
  const { plan, runId, status, newDrifts, durationMs } = finished;
  const warnings = await warningsFor(loaded, plan.snapshot, clock.now());
  noteWarnings(output, warnings);
  noteDeniedRoles(output, plan, loaded.policy);
  const document = {
    ...planDocument(plan, runId, startedAt),
    openDrift: status.openDrift,
    newDrifts,
    durationMs,
    warnings,
  };
  output.result(document, () => scanText(finished, output, policyFlag(flags.policy)));
  return planExit(plan, document);
}

async function observe(
  context: CliContext,
  app: Runtime,
  { policy }: LoadedPolicy,
  startedAt: number,
): Promise<FinishedScan & { readonly runId: string }> {
  const { deps, settings, retrying } = app;
  const { clock, interrupt } = context;
  const [{ withMaintenance }, { interruptible }, { scanUnderLease }, { status }, { newDriftsOf }] = await Promise.all([
    import('../maintenance.ts'),
    import('../run-once.ts'),
    import('../../../shared/app/scan/leased-scan.ts'),
    import('../../../shared/app/queries/status.ts'),
    import('../../../shared/app/queries/new-drifts.ts'),
  ]);
  const trigger = { kind: 'scan', actor: deps.actor, reason: null } as const;
  const run = { runId: deps.newId(), policy, planHash: null, observeOnly: true, trigger };
  const stoppable = interruptible(interrupt.signal, retrying);
  const plan = await withProgress(context, app.calls, (onProgress) =>
    withMaintenance(context, app, policy, () =>
      scanUnderLease(deps, settings, stoppable.retrying, run, {
        stop: interrupt.signal,
        onProgress: stoppable.watching(onProgress),
      }),
    ),
  );
  const now = clock.now();
  return {
    plan,
    runId: run.runId,
    status: await status(deps, { policy, now }),
    newDrifts: await newDriftsOf(deps.ledger, run.runId),
    durationMs: now - startedAt,
  };
}
