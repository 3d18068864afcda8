import type { Plan } from '../../../shared/app/plan/plan.ts';
import type { PlanDocument } from '../../../shared/app/queries/plan-document.ts';
import { writeTextFile } from '../../../shared/config/text-file.ts';
import { ENROLLMENT_IDS } from '../../../shared/domain/enrollment/kinds/index.ts';
import { DRIFT_VERDICTS } from '../../../shared/domain/enrollment/verdict.ts';
import { type Finding, formatFinding } from '../../../shared/domain/policy/file/findings.ts';
import type { CliContext } from '../context.ts';
import { EXIT } from '../exit-codes.ts';
import { type LoadedPolicy, loadPolicy } from '../session.ts';
import { warningsFor } from '../snapshot.ts';
import { planText } from '../ui/plan-text.ts';
import { readWithProgress } from '../watch.ts';

export interface PlanOptions {
  readonly policy?: string;
  readonly out?: string;
  readonly all?: boolean;
}

export async function runPlan(context: CliContext, options: PlanOptions): Promise<number> {
  const { output } = context;
  const { out } = options;
  const loaded = await loadPolicy(context, options.policy);
  const { plan, document, warnings } = await dryRun(context, loaded);
  if (out !== undefined) writeTextFile(out, `${JSON.stringify(document, null, 2)}\n`, document.runId, 'replace');
  if (!output.json) for (const warning of warnings) output.note(formatFinding(warning));
  const flag = options.policy === undefined ? '' : ` --policy ${options.policy}`;
  output.result({ ...document, warnings }, () => [
    ...planText(document, { style: output.style, width: output.width, all: options.all ?? false }),
    ...(out === undefined ? [] : [`Saved as ${out}: ${context.config.program} apply${flag} --plan ${out}`]),
  ]);
  return planExit(plan, document);
}

/** A plan, its document, and the warnings about the policy for this organization. */
export interface DryRun {
  readonly plan: Plan;
  readonly document: PlanDocument;
  readonly warnings: readonly Finding[];
}

/**
 * Reads the organization and makes a plan; writes nothing.
 * @param onlyThese the accounts and enrollments that a saved plan changes; all other changes are left out
 * @throws PolicyError if the policy manages no account
 */
export async function dryRun(
  context: CliContext,
  loaded: LoadedPolicy,
  onlyThese: ReadonlySet<string> | null = null,
): Promise<DryRun> {
  const { policy } = loaded;
  const [{ plan: makePlan }, { planDocument }] = await Promise.all([
    import('../../../shared/app/scan/scan.ts'),
    import('../../../shared/app/queries/plan-document.ts'),
  ]);
  return readWithProgress(context, policy, async ({ deps, settings, retrying }, onProgress) => {
    const run = { runId: deps.newId(), policy, planHash: null };
    const plan = await makePlan(deps, settings, retrying, run, onProgress, onlyThese);
    const warnings = await warningsFor(loaded, plan.snapshot, context.clock.now());
    return { plan, document: planDocument(plan, run.runId), warnings };
  });
}

/** Drift counts even if no fix is due yet, for example outside a change window. */
export function planExit(plan: Plan, { summary }: Pick<PlanDocument, 'summary'>): number {
  const drift = ENROLLMENT_IDS.some((id) => DRIFT_VERDICTS.some((verdict) => summary[id][verdict] > 0));
  if (drift) return EXIT.drift;
  return plan.coverage.unknown > 0 || plan.broken.length > 0 ? EXIT.partly : EXIT.ok;
}
