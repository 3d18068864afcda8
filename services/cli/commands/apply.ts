import type { Command } from 'commander';
import type { SavedPlan } from '../../../shared/app/plan/saved-plan.ts';
import type { ApplyResult } from '../../../shared/app/runtime/apply.ts';
import type { Runtime } from '../../../shared/compose/runtime.ts';
import { durationArgument } from '../../../shared/config/arguments.ts';
import { readJsonFile } from '../../../shared/config/text-file.ts';
import { totalChanges } from '../../../shared/domain/decision/plan-totals.ts';
import type { OrganizationSnapshot } from '../../../shared/ports/cloud.ts';
import type { CliContext, Select } from '../context.ts';
import { CommandError } from '../errors.ts';
import { EXIT } from '../exit-codes.ts';
import { withMaintenance } from '../maintenance.ts';
import { confirm } from '../prompt.ts';
import { type FinishedRun, runOnce } from '../run-once.ts';
import { type LoadedPolicy, loadPolicy, withApp } from '../session.ts';
import { planText } from '../ui/plan-text.ts';
import { runText } from '../ui/run-text.ts';
import { count } from '../ui/words.ts';
import { watchRun } from '../watch.ts';
import { checkAgainst, dryRun } from './plan.ts';

interface ApplyFlags {
  readonly policy?: string;
  readonly plan?: string;
  readonly yes?: boolean;
  readonly wait: string;
}

export function defineApply(program: Command, select: Select): void {
  program
    .command('apply')
    .description('one full run: scan, queue, remediate, until nothing is due within --wait')
    .option('--policy <file>', 'the policy, or - for stdin (default: rollcall.yaml)')
    .option('--plan <file>', 'make only the changes of this saved plan; lifts maxChanges for them')
    .option('--yes', 'do not ask')
    .option('--wait <duration>', 'end when nothing is due within this time', '60s')
    .action((flags: ApplyFlags) => select((context) => runApply(context, flags)));
}

async function runApply(context: CliContext, flags: ApplyFlags): Promise<number> {
  const waitMs = durationArgument('--wait', flags.wait);
  const loaded = await loadPolicy(context, flags.policy);
  const saved = flags.plan === undefined ? null : await readPlan(flags.plan, loaded);
  if (flags.yes !== true && !process.stdin.isTTY) {
    throw new CommandError(
      'ConfirmationMissing',
      'apply changes accounts, and without a terminal nobody can be asked. Look at `rollcall plan`, then repeat with --yes.',
    );
  }
  await context.store.upgrade(context.clock);
  let snapshot: OrganizationSnapshot | null = null;
  if (flags.yes === true)
    snapshot = await withApp(context, loaded.policy, true, (app) => sound(context, app, loaded, saved));
  else if (!(await agreed(context, loaded, saved))) {
    context.output.note('Nothing was changed.');
    return EXIT.error;
  }
  const { interrupt, output } = context;
  interrupt.finishGracefully(() =>
    output.note('Stopping: what is in flight is finished and recorded. Ctrl-C again stops at once.'),
  );
  const finished = await withApp(context, loaded.policy, false, (app) =>
    perform(context, app, loaded, saved, snapshot, waitMs),
  );
  report(context, finished);
  return applyExit(finished, interrupt.exitCode);
}

/**
 * What nobody is asked about is checked before anything is written: a policy that manages no account at all, a plan of another organization.
 * @throws PolicyError, CommandError
 */
async function sound(
  { clock }: CliContext,
  app: Runtime,
  loaded: LoadedPolicy,
  saved: SavedPlan | null,
): Promise<OrganizationSnapshot> {
  refuseOther(app, saved);
  const { takeSnapshot } = await import('../../../shared/app/survey/organization-snapshot.ts');
  const { deps, settings, retrying } = app;
  const silent = () => undefined;
  const snapshot = await takeSnapshot(deps, settings.snapshotMaxAgeMs, retrying, loaded.policy, false, silent);
  await checkAgainst(loaded, { snapshot }, clock.now());
  return snapshot;
}

async function perform(
  context: CliContext,
  app: Runtime,
  loaded: LoadedPolicy,
  saved: SavedPlan | null,
  snapshot: OrganizationSnapshot | null,
  waitMs: number,
): Promise<FinishedRun> {
  refuseOther(app, saved);
  const { policy } = loaded;
  // Read already, for the check: the scan need not read it again.
  if (snapshot !== null && (await app.deps.snapshots.meta())?.takenAt !== snapshot.takenAt)
    await app.deps.snapshots.save(snapshot);
  if (saved !== null) {
    const { RunStore } = await import('../../../shared/app/coordination/run-store.ts');
    const { planHash, policyHash, keys } = saved;
    await new RunStore(app.deps.registers).storePlan(planHash, policyHash, keys, context.clock.now());
  }
  const run = { runId: app.deps.newId(), policy, planHash: saved?.planHash ?? null };
  const watch = watchRun(context, app.calls);
  try {
    const { signal } = context.interrupt;
    const finished = await withMaintenance(context, app, policy, () =>
      runOnce(app, run, { waitMs, stop: signal, onProgress: watch.take }),
    );
    await checkAgainst(loaded, finished.result.plan, context.clock.now());
    return finished;
  } finally {
    watch.end();
  }
}

/** Shows what would be done and asks. Nothing to do, or a guardrail in the way, is nothing to ask about. */
async function agreed(context: CliContext, loaded: LoadedPolicy, saved: SavedPlan | null): Promise<boolean> {
  const { output } = context;
  const { plan, document } = await dryRun(context, loaded, saved === null ? null : new Set(saved.keys));
  if (saved !== null && saved.organizationId !== plan.organizationId)
    throw otherOrganization(saved, plan.organizationId);
  const total = totalChanges(plan.underApproval ?? plan.totals);
  if (total === 0 || (plan.trip !== null && plan.underApproval === undefined)) return true;
  const width = output.notesAreTerminal ? (process.stderr.columns ?? 80) : null;
  for (const line of planText(document, { style: output.noteStyle, width, all: false })) output.note(line);
  const bound = saved?.planHash ?? plan.approval?.planHash;
  const only = bound === undefined ? '' : ` of plan ${bound.slice(0, 12)}`;
  return confirm(context, `Make ${count(total, 'change')}${only}?`);
}

async function readPlan(path: string, { file, policy }: LoadedPolicy): Promise<SavedPlan> {
  const { readSavedPlan } = await import('../../../shared/app/plan/saved-plan.ts');
  const result = readSavedPlan(readJsonFile(path));
  if (!result.ok) throw new CommandError('PlanInvalid', `${path} cannot be used: ${result.problem}. Make a new plan.`);
  if (result.plan.policyHash !== policy.hash) {
    const made = `${path} was made for another policy (${result.plan.policyHash.slice(0, 12)})`;
    const now = `${file} is ${policy.hash.slice(0, 12)}`;
    throw new CommandError(
      'PlanOutdated',
      `${made}; ${now}. Make a new plan: rollcall plan --policy ${file} --out ${path}`,
    );
  }
  return result.plan;
}

function refuseOther(app: Runtime, saved: SavedPlan | null): void {
  const { organizationId } = app.caller;
  if (saved !== null && saved.organizationId !== organizationId) throw otherOrganization(saved, organizationId);
}

function otherOrganization(saved: SavedPlan, actual: string): CommandError {
  return new CommandError(
    'PlanOutdated',
    `The plan was made for the organization ${saved.organizationId}; these credentials belong to ${actual}. ` +
      'Use the credentials that the plan was made with, or make a new plan.',
  );
}

function report({ output }: CliContext, finished: FinishedRun): void {
  const { result, before, after, statusesBefore, statusesAfter, calls, durationMs } = finished;
  const { plan, runId, changes, planned, open, stopped, interrupted, rollout } = result;
  if (!output.json) {
    const { style, width } = output;
    for (const line of runText(finished, { style, width })) output.print(line);
    return;
  }
  const guardrail = {
    tripped: plan.trip !== null,
    reason: plan.trip?.reason ?? null,
    message: plan.trip?.message ?? null,
  };
  const { planHash, policyHash, organizationId, coverage, broken } = plan;
  const ids = { runId, organizationId, policyHash, planHash };
  const { approval } = plan;
  const approved = approval === null ? null : { planHash: approval.planHash, actor: approval.actor };
  const { claimed, deadLetters } = finished;
  const unreachable = finished.unreachable && {
    since: new Date(finished.unreachable.since).toISOString(),
    message: finished.unreachable.message,
  };
  const state = { stopped, rollout, interrupted, unreachable, claimed, deadLetters };
  const statuses = { statuses: statusesAfter, statusesBefore };
  const more = { coverage, summary: after, summaryBefore: before, ...statuses, guardrail, ...state, open, broken };
  output.document({ ...ids, approval: approved, totals: plan.totals, planned, changes, calls, durationMs, ...more });
}

/** What an exit code depends on. */
type Ending = Pick<FinishedRun, 'claimed' | 'deadLetters' | 'unreachable'> & {
  readonly result: Pick<ApplyResult, 'stopped' | 'interrupted' | 'changes' | 'open'> & {
    readonly planned: Pick<ApplyResult['planned'], 'notStarted'>;
    readonly plan: Pick<ApplyResult['plan'], 'trip' | 'coverage' | 'broken'>;
  };
};

/** Precedence: 130, 4, 1 (AWS unreachable), 3, 0. Changes that only wait for confirmation give 0. Dead letters of earlier runs give 3. */
export function applyExit({ result, claimed, deadLetters, unreachable }: Ending, interruptedCode: number): number {
  const { plan, planned, stopped, interrupted, changes, open } = result;
  if (interrupted) return interruptedCode;
  if (plan.trip !== null || stopped !== null) return EXIT.stopped;
  // What was in order before stays so; what is open will not be known of before AWS answers again.
  if (unreachable !== null && (open.length > 0 || claimed.length > 0)) return EXIT.error;
  const stalled = open.some(({ verdict }) => verdict === 'Stalled');
  const untold = plan.coverage.unknown > 0 || plan.broken.length > 0 || claimed.length > 0;
  const unfinished = changes.failed > 0 || changes.blocked > 0 || planned.notStarted > 0;
  return unfinished || stalled || untold || deadLetters > 0 ? EXIT.partly : EXIT.ok;
}
