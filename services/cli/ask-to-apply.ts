import type { Plan } from '../../shared/app/plan/plan.ts';
import type { SavedPlan } from '../../shared/app/plan/saved-plan.ts';
import { totalChanges } from '../../shared/domain/decision/plan-totals.ts';
import { kindOf } from '../../shared/domain/enrollment/kinds/index.ts';
import { dryRun } from './commands/plan.ts';
import type { CliContext } from './context.ts';
import { EXIT } from './exit-codes.ts';
import { confirm, confirmByTyping } from './prompt.ts';
import { noteOtherProcesses } from './run-warnings.ts';
import type { ReadPlan } from './saved-plans.ts';
import type { LoadedPolicy } from './session.ts';
import { haltedBy } from './ui/guardrail-text.ts';
import { PIPED_WIDTH } from './ui/output.ts';
import { planText } from './ui/plan-text.ts';
import { ago, count, number, planCounts, shortHash } from './ui/words.ts';
import { hang, wrap } from './ui/wrap.ts';

/**
 * Shows the plan and asks for confirmation. Does not ask if there is nothing to confirm: no changes, or a guardrail stops them.
 * @returns the exit code if the run must not begin, otherwise `null`
 */
export async function askToApply(
  context: CliContext,
  loaded: LoadedPolicy,
  saved: ReadPlan | null,
): Promise<number | null> {
  const { output, config, clock } = context;
  const { plan, halted, others } = await dryRun(context, loaded, saved);
  const { noteWidth: width, noteStyle: style } = output;
  if (halted !== null && !output.json) {
    const stopped = `${style('red', 'Stopped')}: ${haltedBy(halted)}.`;
    for (const line of hang('', stopped, width, 2)) output.print(line);
    output.print(`  Nothing was changed. To allow changes: ${config.program} resume`);
    return EXIT.stopped;
  }
  noteOtherProcesses(output, others);
  const total = totalChanges(plan.underApproval ?? plan.totals);
  if (total === 0 || (plan.trip !== null && plan.underApproval === undefined)) return null;
  const { policy, file } = loaded;
  const shown = { ...plan, policy, file, halted, program: config.program, policyFlag: '', savedAs: null };
  const options = { style, width, layoutWidth: width ?? PIPED_WIDTH, list: false, now: clock.now() };
  const lines = saved === null ? planText(shown, options) : savedLines(saved, plan, options.now, width);
  for (const line of lines) output.note(line);
  if (await isConfirmed(context, plan, total)) return null;
  output.note('Nothing was changed.');
  return EXIT.error;
}

/** Whether the saved plan still matches, and what is left of it. */
function savedLines(saved: SavedPlan, plan: Plan, now: number, width: number | null): string[] {
  const { totals, due, followUps } = plan;
  const since = saved.createdAt === null ? '' : `, saved ${ago(saved.createdAt, now)},`;
  const gone = (saved.total ?? 0) - totalChanges(totals);
  const drifting = new Set(plan.changes.map(({ accountId, enrollment }) => `${accountId} ${enrollment}`));
  const settled = saved.keys.filter((key) => !drifting.has(key.split(' ').slice(0, 2).join(' '))).length;
  const held = Math.max(0, gone - settled);
  const of = `of the ${count(saved.total ?? 0, 'change')} in this plan`;
  const state =
    gone <= 0
      ? `Plan ${shortHash(saved.planHash)}${since} still matches the organization.`
      : [
          `Plan ${shortHash(saved.planHash)}${since.replace(/,$/, '')}.`,
          ...(settled === 0 ? [] : [`${number(settled)} ${of} ${settled === 1 ? 'is' : 'are'} no longer needed.`]),
          ...(held === 0 ? [] : [`${number(held)} ${of} cannot be made now.`]),
        ].join(' ');
  const accounts = new Set([...due, ...followUps].map(({ accountId }) => accountId)).size;
  return [...wrap(state, width), ...wrap(`${planCounts(totals, accounts)}.`, width)];
}

/** `y` does not accept opt-outs, because they delete data: their number must be typed. */
function isConfirmed(context: CliContext, plan: Plan, total: number): Promise<boolean> {
  if (plan.underApproval !== undefined) {
    const hash = plan.approval === null ? '' : ` ${shortHash(plan.approval.planHash)}`;
    return confirm(context, `Make ${count(total, 'change')} of the approved plan${hash}?`);
  }
  const made = [...plan.due, ...plan.followUps];
  const optOuts = made.filter(({ optOut }) => optOut);
  const accounts = new Set(optOuts.map(({ accountId }) => accountId)).size;
  if (accounts === 0) {
    const all = new Set(made.map(({ accountId }) => accountId)).size;
    return confirm(context, `Make ${count(total, 'change')} to ${count(all, 'account')}?`);
  }
  const [deleted] = optOuts.flatMap(({ enrollment }) => kindOf(enrollment).optOutDeletes ?? []);
  const effect = deleted === undefined ? '' : ` and deletes ${accounts === 1 ? 'its' : 'their'} ${deleted}`;
  const question = `This plan opts ${count(accounts, 'account')} out${effect}. Type ${accounts} to continue:`;
  return confirmByTyping(context, question, String(accounts));
}
