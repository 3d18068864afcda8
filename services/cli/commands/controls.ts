import { untilArgument } from '../../../shared/config/arguments.ts';
import type { OperatorSelector } from '../../../shared/domain/policy/index.ts';
import type { CliContext } from '../context.ts';
import { CommandError } from '../errors.ts';
import { EXIT } from '../exit-codes.ts';
import { reasonArgument, withOperator } from '../operator.ts';
import { count, instant } from '../ui/words.ts';

export interface SuspendFlags {
  readonly reason?: string;
  readonly until?: string;
}

type OperatorDeps = Parameters<Parameters<typeof withOperator>[1]>[0];

/** Runs a command, then applies it to the recorded accounts and to the queue. A `ControlsError` is reported as the command's error. */
async function control<T>(context: CliContext, command: (deps: OperatorDeps) => Promise<T>): Promise<T> {
  const [{ ControlsError }, { settleControls }] = await Promise.all([
    import('../../../shared/app/guardrails/controls.ts'),
    import('../../../shared/app/operator/apply-controls.ts'),
  ]);
  return withOperator(context, async (deps) => {
    const result = await command(deps).catch((error: unknown) => {
      throw error instanceof ControlsError ? new CommandError(error.code, error.message) : error;
    });
    await settleControls(deps);
    return result;
  });
}

async function selectorOf(command: string, words: readonly string[]): Promise<OperatorSelector> {
  const { parseOperatorSelector } = await import('../../../shared/domain/policy/index.ts');
  const parsed = parseOperatorSelector(words.join(' '));
  if (parsed.ok) return parsed.selector;
  throw new CommandError('Usage', `${command}: ${parsed.message}. ${parsed.hint}`);
}

export async function runSuspend(context: CliContext, words: readonly string[], flags: SuspendFlags): Promise<number> {
  const { output, clock } = context;
  const selector = await selectorOf('suspend', words);
  const reason = reasonArgument(flags.reason);
  const until = flags.until === undefined ? null : untilArgument('--until', flags.until, clock.now());
  const { suspend } = await import('../../../shared/app/guardrails/controls.ts');
  const { matched, unseen, by } = await control(context, async (deps) => {
    const found = await preview(deps, selector);
    await suspend(deps, { selector, until, reason });
    return { ...found, by: deps.actor };
  });
  if (unseen.length > 0) {
    output.note(`warning: suspended although not in the last scan: ${unseen.join(', ')}`);
  }
  if (matched === null) {
    output.note('warning: there is no scan yet; the suspension applies to every account that the selector will match');
  }
  const ends = until === null ? null : new Date(until).toISOString();
  const document = { selector: selector.text, reason, until: ends, by, accounts: matched, unseen };
  const how = ends === null ? 'until `rollcall resume`' : `until ${instant(ends)}`;
  const scope = matched === null ? '' : ` (${count(matched, 'account')} now)`;
  output.result(document, () => [
    `${selector.text} suspended ${how}${scope}. Calls already sent will finish; no more are made.`,
  ]);
  return EXIT.ok;
}

/** @throws CommandError if no account of the snapshot matches */
async function preview({ snapshots }: OperatorDeps, selector: OperatorSelector) {
  const { EmptySelectorError, previewSelector } = await import('../../../shared/app/guardrails/selector-preview.ts');
  try {
    return await previewSelector(snapshots, selector);
  } catch (error) {
    if (!(error instanceof EmptySelectorError)) throw error;
    throw new CommandError('SelectorMatchesNothing', `suspend ${error.message}`);
  }
}

export async function runResume(context: CliContext, words: readonly string[]): Promise<number> {
  const { output } = context;
  const selector = await selectorOf('resume', words);
  const [{ ControlsError, resume }, { resumeContested }] = await Promise.all([
    import('../../../shared/app/guardrails/controls.ts'),
    import('../../../shared/app/operator/resume-contested.ts'),
  ]);
  const { ended, left, by } = await control(context, async (deps) => {
    const contested = await resumeContested(deps, selector);
    const resumption = await resume(deps, selector).catch((error: unknown) => {
      // No account was suspended, but contested accounts were resumed, so the command had an effect.
      if (error instanceof ControlsError && contested.length > 0) return { ended: [], left: selector.accounts };
      throw error;
    });
    return {
      ended: [...new Set([...resumption.ended, ...contested])],
      left: resumption.left.filter((id) => !contested.includes(id)),
      by: deps.actor,
    };
  });
  if (left.length > 0) output.note(`warning: not suspended by id: ${left.join(', ')}`);
  output.result({ resumed: ended, left, by }, () => [
    `Resumed: ${ended.join(' · ')}. serve, the functions or the next apply will remediate drift there.`,
  ]);
  return EXIT.ok;
}

export async function runHalt(context: CliContext, why: string | undefined): Promise<number> {
  const { output } = context;
  const reason = reasonArgument(why);
  const { halt } = await import('../../../shared/app/guardrails/controls.ts');
  const { changed, controls } = await control(context, (deps) => halt(deps, reason));
  const { halt: set } = controls;
  if (set === null) throw new Error('halt succeeded, but the halt is not set');
  const at = new Date(set.at).toISOString();
  const because = set.reason === null ? '' : `: ${set.reason}`;
  output.result({ halted: true, changed, at, by: set.by, reason: set.reason }, () => [
    changed
      ? 'Halted. Calls already sent will finish; no more are made until `rollcall unhalt`.'
      : `Already halted since ${instant(at)} by ${set.by}${because}.`,
  ]);
  return EXIT.ok;
}

export async function runUnhalt(context: CliContext): Promise<number> {
  const { unhalt } = await import('../../../shared/app/guardrails/controls.ts');
  const changed = await control(context, unhalt);
  context.output.result({ halted: false, changed }, () => [
    changed ? 'Changes are allowed again.' : 'Changes were not halted.',
  ]);
  return EXIT.ok;
}
