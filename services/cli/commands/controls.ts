import { untilArgument } from '../../../shared/config/arguments.ts';
import { FileError } from '../../../shared/config/file-error.ts';
import type { CompiledPolicy, OperatorSelector } from '../../../shared/domain/policy/index.ts';
import { toIso } from '../../../shared/domain/time.ts';
import type { CliContext } from '../context.ts';
import { CommandError, PolicyError } from '../errors.ts';
import { EXIT } from '../exit-codes.ts';
import { reasonArgument, withOperator } from '../operator.ts';
import { confirm } from '../prompt.ts';
import { loadPolicyIfAny, noteUnusedPolicy, withStore } from '../session.ts';
import { allowedLines, dueText, haltedNow, haltedSince, resumedText, suspendedText } from '../ui/controls-text.ts';

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
  const [{ suspend }, { replacedView }] = await Promise.all([
    import('../../../shared/app/guardrails/controls.ts'),
    import('../../../shared/app/queries/enforcement-view.ts'),
  ]);
  const { matched, unseen, by, replaced } = await control(context, async (deps) => {
    const found = await preview(deps, selector);
    const { replaced: other } = await suspend(deps, { selector, until, reason });
    return { ...found, by: deps.actor, replaced: other === null ? null : replacedView(other) };
  });
  if (unseen.length > 0) {
    output.note(`warning: suspended although not in the last scan: ${unseen.join(', ')}`);
  }
  if (matched === null) {
    output.note('warning: there is no scan yet; the suspension applies to every account that the selector will match');
  }
  const ends = until === null ? null : toIso(until);
  const document = { selector: selector.text, reason, until: ends, by, accounts: matched, unseen, replaced };
  output.result(document, () => suspendedText({ selector: selector.text, until: ends, matched, replaced }, output));
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

export interface ResumeFlags {
  readonly yes?: boolean;
  readonly policy?: string;
}

/** With a selector: ends suspensions and settles contested accounts. Without one: ends the halt, after a question. */
export async function runResume(context: CliContext, words: readonly string[], flags: ResumeFlags): Promise<number> {
  if (words.length === 0) return endHalt(context, flags.yes === true);
  const { output } = context;
  const selector = await selectorOf('resume', words);
  const policy = await policyIfReadable(context, flags.policy);
  const [{ ControlsError, readControls, resume }, { resumeContested }, { resumedAccounts }] = await Promise.all([
    import('../../../shared/app/guardrails/controls.ts'),
    import('../../../shared/app/operator/resume-contested.ts'),
    import('../../../shared/app/queries/resumed-accounts.ts'),
  ]);
  const { ended, settled, left, by, resumed, isHalted } = await control(context, async (deps) => {
    const contested = await resumeContested(deps, selector);
    const resumption = await resume(deps, selector).catch((error: unknown) => {
      // No account was suspended, but contested accounts were resumed, so the command had an effect.
      if (error instanceof ControlsError && contested.length > 0) return { ended: [], left: selector.accounts };
      throw error;
    });
    const { ended: texts } = resumption;
    return {
      ended: texts,
      settled: contested,
      by: deps.actor,
      left: resumption.left.filter((id) => !contested.includes(id)),
      resumed: await resumedAccounts(deps, { ended: texts, policy, now: context.clock.now() }),
      isHalted: (await readControls(deps.registers)).halt !== null,
    };
  });
  if (left.length > 0) output.note(`warning: not suspended by id: ${left.join(', ')}`);
  const document = { resumed: [...new Set([...ended, ...settled])], settled, left, by, ...resumed };
  output.result(document, () => resumedText({ selector: selector.text, ended, settled, resumed, isHalted }, output));
  return EXIT.ok;
}

/** The policy only shows which of the drift will be fixed, so a problem with its file must not stop the command. */
async function policyIfReadable(context: CliContext, named: string | undefined): Promise<CompiledPolicy | null> {
  try {
    return (await loadPolicyIfAny(context, named))?.policy ?? null;
  } catch (error) {
    if (!(error instanceof FileError || error instanceof PolicyError)) throw error;
    noteUnusedPolicy(context, error);
    return null;
  }
}

/** Ends the halt. @throws CommandError if nothing is halted, or if there is nobody to ask */
async function endHalt(context: CliContext, yes: boolean): Promise<number> {
  const { output, input } = context;
  const [{ controlsNow, haltView, suspensionViews }, { heldChanges }, { unhalt }] = await Promise.all([
    import('../../../shared/app/queries/enforcement-view.ts'),
    import('../../../shared/app/queries/held-changes.ts'),
    import('../../../shared/app/guardrails/controls.ts'),
  ]);
  const { halted, held, suspended } = await withStore(context, true, async ({ registers, records }) => {
    const controls = await controlsNow(registers);
    const [first] = suspensionViews(controls, null, context.clock.now());
    return { halted: haltView(controls), held: await heldChanges(records), suspended: first?.selector ?? 'ou:/Canary' };
  });
  if (halted === null) {
    const hint = `To end a suspension, name it: ${output.program} resume ${suspended}`;
    throw new CommandError('NotHalted', 'changes are not halted', { hints: [hint] });
  }
  if (!yes && input().isTTY !== true) {
    const hint = `To allow changes again without confirmation: ${output.program} resume --yes`;
    throw new CommandError(
      'ConfirmationMissing',
      'resume asks before it allows changes again, and this is not a terminal',
      {
        hints: [hint],
      },
    );
  }
  if (!output.json) for (const line of haltedSince(halted, output.width)) output.print(line);
  if (!yes && !(await confirm(context, `Allow changes again? ${dueText(held)}`))) {
    output.note('Nothing was changed.');
    return EXIT.error;
  }
  const changed = await control(context, unhalt);
  output.result({ halted: false, changed, ...held }, () => allowedLines(changed, output));
  return EXIT.ok;
}

export async function runHalt(context: CliContext, why: string | undefined): Promise<number> {
  const { output } = context;
  const reason = reasonArgument(why);
  const { halt } = await import('../../../shared/app/guardrails/controls.ts');
  const { changed, controls } = await control(context, (deps) => halt(deps, reason));
  const { halt: set } = controls;
  if (set === null) throw new Error('halt succeeded, but the halt is not set');
  const at = toIso(set.at);
  const view = { at, by: set.by, reason: set.reason };
  output.result({ halted: true, changed, at, by: set.by, reason: set.reason }, () =>
    changed ? haltedNow(output) : haltedSince(view, output.width, 'Already halted since'),
  );
  return EXIT.ok;
}

/** Ends the halt without a question. */
export async function runUnhalt(context: CliContext): Promise<number> {
  const { unhalt } = await import('../../../shared/app/guardrails/controls.ts');
  const changed = await control(context, unhalt);
  const { output } = context;
  output.result({ halted: false, changed }, () => allowedLines(changed, output));
  return EXIT.ok;
}
