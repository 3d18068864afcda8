import type * as z from 'zod';
import type { applySchema } from '../../../shared/app/queries/answers/apply.ts';
import { guardrailOf } from '../../../shared/app/queries/plan-document.ts';
import type { ApplyResult } from '../../../shared/app/runtime/conclude-run.ts';
import type { Announced } from '../../../shared/app/runtime/running-applies.ts';
import type { Runtime } from '../../../shared/compose/runtime.ts';
import { durationArgument } from '../../../shared/config/arguments.ts';
import { quoted } from '../../../shared/domain/check-result.ts';
import { APPLIED } from '../../../shared/domain/ledger/run-trigger.ts';
import type { CompiledPolicy } from '../../../shared/domain/policy/index.ts';
import { toIso } from '../../../shared/domain/time.ts';
import type { OrganizationSnapshot } from '../../../shared/ports/cloud.ts';
import type { CliContext } from '../context.ts';
import { CommandError } from '../errors.ts';
import { EXIT } from '../exit-codes.ts';
import type { FinishedRun } from '../run-once.ts';
import { noteDeniedRoles, noteOtherProcesses, otherProcesses } from '../run-warnings.ts';
import { type ReadPlan, readPlan, requireUsable } from '../saved-plans.ts';
import { type LoadedPolicy, loadPolicy, withApp } from '../session.ts';
import { warningsFor } from '../snapshot.ts';
import { callsTable, runText } from '../ui/run-text.ts';
import { withProgress } from '../watch.ts';

export interface ApplyFlags {
  readonly policy?: string;
  readonly plan?: string;
  readonly yes?: boolean;
  readonly wait: string;
}

export async function runApply(context: CliContext, flags: ApplyFlags): Promise<number> {
  const waitMs = durationArgument('--wait', flags.wait);
  const loaded = await loadPolicy(context, flags.policy);
  const saved = flags.plan === undefined ? null : await readPlan(flags.plan, loaded);
  if (flags.yes !== true && context.input().isTTY !== true) {
    throw new CommandError(
      'ConfirmationMissing',
      'apply asks for confirmation before it changes accounts, and this is not a terminal. Check `rollcall plan`, then run apply with --yes.',
    );
  }
  await context.store.upgrade(context.clock);
  let snapshot: OrganizationSnapshot | null = null;
  if (flags.yes === true)
    snapshot = await withApp(context, loaded.policy, true, (app) => checkedSnapshot(context, app, loaded, saved));
  else {
    const { askToApply } = await import('../ask-to-apply.ts');
    const refusal = await askToApply(context, loaded, saved);
    if (refusal !== null) return refusal;
  }
  const { interrupt, output } = context;
  interrupt.finishGracefully(() =>
    output.note('Stopping: changes in progress will finish. Ctrl-C again quits immediately.'),
  );
  const { result: finished, warning } = await withApp(context, loaded.policy, false, (app) =>
    perform(context, app, loaded, saved, snapshot, waitMs),
  );
  report(context, finished, loaded.policy, againText(context, flags));
  if (warning !== null) output.note(warning);
  return applyExit(finished, saved !== null, interrupt.exitCode);
}

/** The command that continues the run. */
function againText({ config }: CliContext, { policy, plan }: ApplyFlags): string {
  const words = [
    ...(policy === undefined ? [] : ['--policy', quoted(policy)]),
    ...(plan === undefined ? [] : ['--plan', quoted(plan)]),
  ];
  return [config.program, 'apply', ...words].join(' ');
}

/**
 * With `--yes` no plan is shown, so this checks before anything is written that the policy manages at least one account, and that a saved plan
 * is for this organization.
 * @throws PolicyError, CommandError
 */
async function checkedSnapshot(
  { clock, output }: CliContext,
  app: Runtime,
  loaded: LoadedPolicy,
  saved: ReadPlan | null,
): Promise<OrganizationSnapshot> {
  await requireUsable(app, saved, loaded.file);
  const { takeSnapshot } = await import('../../../shared/app/survey/organization-snapshot.ts');
  const { deps, settings, retrying } = app;
  const silent = () => undefined;
  const snapshot = await takeSnapshot(deps, settings.snapshotMaxAgeMs, retrying, loaded.policy, false, silent);
  await warningsFor(loaded, snapshot, clock.now());
  noteOtherProcesses(output, await otherProcesses(deps));
  return snapshot;
}

async function perform(
  context: CliContext,
  app: Runtime,
  loaded: LoadedPolicy,
  saved: ReadPlan | null,
  snapshot: OrganizationSnapshot | null,
  waitMs: number,
): Promise<Announced<FinishedRun>> {
  // Another process may have applied the plan while this one asked.
  await requireUsable(app, saved, loaded.file);
  const { policy } = loaded;
  // Save the snapshot now, so that the scan does not read the organization a second time.
  if (snapshot !== null && (await app.deps.snapshots.meta())?.takenAt !== snapshot.takenAt) {
    const { saveMerged } = await import('../../../shared/app/survey/account-overrides.ts');
    await saveMerged(app.deps, snapshot);
  }
  if (saved !== null) {
    const { RunStore } = await import('../../../shared/app/coordination/run-store.ts');
    await new RunStore(app.deps.registers).storeSavedPlan(saved, context.clock.now());
  }
  const run = {
    runId: app.deps.newId(),
    policy,
    planHash: saved?.planHash ?? null,
    trigger: APPLIED,
    ...(saved !== null && { savedPlan: saved.id }),
  };
  const [{ withMaintenance }, { runOnce }, { asRunningApply }] = await Promise.all([
    import('../maintenance.ts'),
    import('../run-once.ts'),
    import('../../../shared/app/runtime/running-applies.ts'),
  ]);
  const ended = await asRunningApply(app.deps, run.runId, () =>
    withProgress(context, app.calls, (onProgress) =>
      withMaintenance(context, app, policy, () =>
        runOnce(app, run, {
          waitMs,
          stop: context.interrupt.signal,
          onProgress,
          onPlan: (plan) => noteDeniedRoles(context.output, plan, policy),
        }),
      ),
    ),
  );
  await warningsFor(loaded, ended.result.result.plan.snapshot, context.clock.now());
  return ended;
}

function report({ output, config }: CliContext, finished: FinishedRun, policy: CompiledPolicy, again: string): void {
  const { result, before, after, statusesBefore, statusesAfter, calls, durationMs } = finished;
  const { plan, runId, changes, planned, open, stopped, interrupted, rollout } = result;
  const { approval, planHash, policyHash, organizationId, coverage, broken, totals } = plan;
  const { claimed, deadLetters } = finished;
  // The order of the members is part of the output.
  const document: z.infer<typeof applySchema> = {
    runId,
    organizationId,
    policyHash,
    planHash,
    approval: approval === null ? null : { planHash: approval.planHash, actor: approval.actor },
    totals,
    planned,
    changes,
    calls,
    durationMs,
    coverage,
    summary: after,
    summaryBefore: before,
    statuses: statusesAfter,
    statusesBefore,
    guardrail: guardrailOf(plan),
    stopped,
    rollout,
    interrupted,
    unreachable: finished.unreachable && {
      since: toIso(finished.unreachable.since),
      message: finished.unreachable.message,
    },
    claimed,
    deadLetters,
    open,
    broken,
  };
  if (config.verbose) for (const line of callsTable(calls)) output.note(line);
  const { style, width } = output;
  output.result(document, () => runText(finished, { style, width, policy, program: config.program, again }));
}

/** The parts of a finished run that the exit code depends on. */
type Ending = Pick<FinishedRun, 'claimed' | 'deadLetters' | 'unreachable'> & {
  readonly result: Pick<ApplyResult, 'stopped' | 'interrupted' | 'changes' | 'open'> & {
    readonly planned: Pick<ApplyResult['planned'], 'notStarted'>;
    readonly plan: Pick<ApplyResult['plan'], 'trip' | 'coverage' | 'broken'>;
  };
};

/**
 * If several exit codes apply, the first of 130, 4, 1 (AWS unreachable) and 3 wins. Changes that only wait for confirmation give 0.
 * @param isLimited whether the run was limited to a saved plan
 */
export function applyExit(
  { result, claimed, deadLetters, unreachable }: Ending,
  isLimited: boolean,
  interruptedCode: number,
): number {
  const { plan, planned, stopped, interrupted, changes, open } = result;
  if (interrupted) return interruptedCode;
  if (plan.trip !== null || stopped !== null) return EXIT.stopped;
  // While AWS is unreachable, the outcome of open changes is unknown. Without open changes, an outage does not matter.
  if (unreachable !== null && (open.length > 0 || claimed.length > 0)) return EXIT.error;
  const stalled = open.some(({ verdict }) => verdict === 'Stalled');
  const incomplete = plan.coverage.unknown > 0 || plan.broken.length > 0 || claimed.length > 0;
  // A saved plan says what to change, so other drift does not count.
  const isLeft = !isLimited && open.some(({ verdict, reason }) => verdict === 'Drifted' && reason !== 'alertOnly');
  const unfinished = changes.failed > 0 || changes.blocked > 0 || planned.notStarted > 0 || isLeft;
  return unfinished || stalled || incomplete || deadLetters > 0 ? EXIT.partly : EXIT.ok;
}
