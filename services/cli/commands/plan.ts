import { existsSync } from 'node:fs';
import type { Plan } from '../../../shared/app/plan/plan.ts';
import type { HaltView } from '../../../shared/app/queries/enforcement-view.ts';
import type { PlanDocument } from '../../../shared/app/queries/plan-document.ts';
import { FileError } from '../../../shared/config/file-error.ts';
import { isSpecial, writeTextFile } from '../../../shared/config/text-file.ts';
import { quoted } from '../../../shared/domain/check-result.ts';
import { ENROLLMENT_IDS } from '../../../shared/domain/enrollment/kinds/index.ts';
import { DRIFT_VERDICTS } from '../../../shared/domain/enrollment/verdict.ts';
import type { Finding } from '../../../shared/domain/policy/file/findings.ts';
import type { CliContext } from '../context.ts';
import { EXIT } from '../exit-codes.ts';
import {
  noteDeniedRoles,
  noteOtherProcesses,
  noteWarnings,
  type OtherProcess,
  otherProcesses,
} from '../run-warnings.ts';
import { type ReadPlan, requireUsable } from '../saved-plans.ts';
import { type LoadedPolicy, loadPolicy } from '../session.ts';
import { warningsFor } from '../snapshot.ts';
import { PIPED_WIDTH } from '../ui/output.ts';
import { callLines } from '../ui/plan-calls.ts';
import { planCsv } from '../ui/plan-csv.ts';
import type { ShownPlan } from '../ui/plan-shape.ts';
import { planText } from '../ui/plan-text.ts';
import { policyFlag } from '../ui/suggested-commands.ts';
import { shortHash } from '../ui/words.ts';
import { readWithProgress } from '../watch.ts';

export interface PlanOptions {
  readonly policy?: string;
  readonly out?: string;
  readonly force?: boolean;
  readonly all?: boolean;
}

export async function runPlan(context: CliContext, options: PlanOptions): Promise<number> {
  const { output, config } = context;
  const { out, all = false, force = false } = options;
  // Check this before reading the organization, which takes minutes if it is large.
  if (out !== undefined && !force && existsSync(out) && !isSpecial(out))
    throw new FileError(out, `${out} already exists; name another file with --out, or replace it with --force`);
  const loaded = await loadPolicy(context, options.policy);
  const { plan, document, warnings, halted, others } = await dryRun(context, loaded);
  if (out !== undefined)
    writeTextFile(out, `${JSON.stringify(document, null, 2)}\n`, document.runId, force ? 'replace' : 'refuse');
  noteWarnings(output, warnings);
  noteOtherProcesses(output, others);
  noteDeniedRoles(output, plan, loaded.policy);
  if (config.verbose) for (const line of callLines(plan.calls)) output.note(line);
  const flag = policyFlag(options.policy);
  // A spreadsheet has only rows.
  const silent = out === undefined || config.format === 'csv';
  const saved = silent ? [] : [`Saved plan ${shortHash(plan.planHash)}.`];
  const next = silent ? [] : [`Next: ${config.program} apply${flag} --plan ${quoted(out)}`];
  const { policy, file } = loaded;
  const shown = { ...plan, policy, file, halted, program: config.program, policyFlag: flag, savedAs: out ?? null };
  output.result({ ...document, warnings }, () => [...planLines(context, shown, all), ...saved, ...next]);
  return planExit(plan, document);
}

/** The plan in the format that was chosen. `wide` ignores the width of the terminal. */
function planLines({ output, config, clock }: CliContext, shown: ShownPlan, all: boolean): string[] {
  if (config.format === 'csv') return planCsv(shown);
  const wide = config.format === 'wide';
  const { style } = output;
  const width = wide ? null : output.width;
  const layoutWidth = wide ? PIPED_WIDTH : output.layoutWidth;
  const list = all || wide || !output.outIsTerminal;
  return planText(shown, { style, width, layoutWidth, list, now: clock.now() });
}

/** A plan, its document, and the warnings about the policy for this organization. */
export interface DryRun {
  readonly plan: Plan;
  readonly document: PlanDocument;
  readonly warnings: readonly Finding[];
  /** `null`: changes are not halted. */
  readonly halted: HaltView;
  /** Other processes that make changes on the same store. */
  readonly others: readonly OtherProcess[];
}

/**
 * Reads the organization and makes a plan; writes nothing.
 * @param saved the saved plan that limits the changes; `null`: all changes
 * @throws PolicyError if the policy manages no account; CommandError if the saved plan cannot be applied
 */
export async function dryRun(
  context: CliContext,
  loaded: LoadedPolicy,
  saved: ReadPlan | null = null,
): Promise<DryRun> {
  const { policy } = loaded;
  const [{ plan: makePlan }, { planDocument }, { controlsNow, haltView }] = await Promise.all([
    import('../../../shared/app/scan/scan.ts'),
    import('../../../shared/app/queries/plan-document.ts'),
    import('../../../shared/app/queries/enforcement-view.ts'),
  ]);
  return readWithProgress(context, policy, async (app, onProgress) => {
    const { deps, settings, retrying } = app;
    await requireUsable(app, saved, loaded.file);
    const run = { runId: deps.newId(), policy, planHash: null, ...(saved !== null && { savedPlan: saved.id }) };
    const onlyThese = saved === null ? null : new Set(saved.keys);
    const plan = await makePlan(deps, settings, retrying, run, onProgress, onlyThese);
    const now = context.clock.now();
    const warnings = await warningsFor(loaded, plan.snapshot, now);
    const halted = haltView(await controlsNow(deps.registers));
    const others = await otherProcesses(deps);
    return { plan, document: planDocument(plan, run.runId, now), warnings, halted, others };
  });
}

/** Drift counts even if no fix is due yet, for example outside a change window. */
export function planExit(plan: Plan, { summary }: Pick<PlanDocument, 'summary'>): number {
  const drift = ENROLLMENT_IDS.some((id) => DRIFT_VERDICTS.some((verdict) => summary[id][verdict] > 0));
  if (drift) return EXIT.drift;
  return plan.coverage.unknown > 0 || plan.broken.length > 0 ? EXIT.partly : EXIT.ok;
}
