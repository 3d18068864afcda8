import type { Command } from 'commander';
import { untilArgument } from '../../../shared/config/arguments.ts';
import type { OperatorSelector } from '../../../shared/domain/policy/index.ts';
import type { CliContext, Select } from '../context.ts';
import { CommandError } from '../errors.ts';
import { EXIT } from '../exit-codes.ts';
import { operator, reasonArgument } from '../operator.ts';
import { withStore } from '../session.ts';
import { count, instant } from '../ui/words.ts';

const SELECTOR = 'account ids, ou:/Path, tag:key=value, name:glob, or all';

export function defineControls(program: Command, select: Select): void {
  program
    .command('suspend')
    .description('stop all changes to some accounts, whatever the policy says')
    .argument('<selector...>', SELECTOR)
    .option('--reason <text>', 'why, for the ledger')
    .option('--until <time>', 'when it ends automatically: 2h from now, a day (its end, UTC) or a time')
    .action((words: string[], flags: SuspendFlags) => select((context) => runSuspend(context, words, flags)));
  program
    .command('resume')
    .description('end suspensions, and settle contested accounts, so that their drift is remediated again')
    .argument('<selector...>', `the selector that was suspended: ${SELECTOR}`)
    .action((words: string[]) => select((context) => runResume(context, words)));
  program
    .command('halt')
    .description('stop all changes immediately, in every process (kill switch); scans continue')
    .option('--reason <text>', 'why, for the ledger')
    .action((flags: { readonly reason?: string }) => select((context) => runHalt(context, flags.reason)));
  program
    .command('unhalt')
    .description('allow changes again')
    .action(() => select(runUnhalt));
}

interface SuspendFlags {
  readonly reason?: string;
  readonly until?: string;
}

type Store = Parameters<Parameters<typeof withStore>[2]>[0];

/** The dependencies of the use cases, on an open store. */
async function depsOf(context: CliContext, store: Store) {
  const { clock } = context;
  const { makeNewId } = await import('../../../shared/compose/system.ts');
  return { ...store, clock, newId: makeNewId(clock), actor: await operator(context) };
}

async function selectorOf(command: string, words: readonly string[]): Promise<OperatorSelector> {
  const { parseOperatorSelector } = await import('../../../shared/domain/policy/index.ts');
  const parsed = parseOperatorSelector(words.join(' '));
  if (parsed.ok) return parsed.selector;
  throw new CommandError('Usage', `${command}: ${parsed.message}. ${parsed.hint}`);
}

async function runSuspend(context: CliContext, words: readonly string[], flags: SuspendFlags): Promise<number> {
  const { output, clock } = context;
  const selector = await selectorOf('suspend', words);
  const reason = reasonArgument(flags.reason);
  const until = flags.until === undefined ? null : untilArgument('--until', flags.until, clock.now());
  const [{ suspend }, { settleControls }] = await useCases();
  const { matched, unseen, by } = await withStore(context, false, async (store) => {
    const found = await preview(store, selector);
    const deps = await depsOf(context, store);
    await withCommandErrors(() => suspend(deps, { selector, until, reason }));
    await settleControls(deps);
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
  if (output.json) output.document(document);
  else {
    const how = ends === null ? 'until `rollcall resume`' : `until ${instant(ends)}`;
    const scope = matched === null ? '' : ` (${count(matched, 'account')} now)`;
    output.print(`${selector.text} suspended ${how}${scope}. Calls already sent will finish; no more are made.`);
  }
  return EXIT.ok;
}

/** @throws CommandError if no account of the snapshot matches */
async function preview({ snapshots }: Store, selector: OperatorSelector) {
  const { EmptySelectorError, previewSelector } = await import('../../../shared/app/guardrails/selector-preview.ts');
  try {
    return await previewSelector(snapshots, selector);
  } catch (error) {
    if (!(error instanceof EmptySelectorError)) throw error;
    throw new CommandError('SelectorMatchesNothing', `suspend ${error.message}`);
  }
}

async function runResume(context: CliContext, words: readonly string[]): Promise<number> {
  const { output } = context;
  const selector = await selectorOf('resume', words);
  const [{ ControlsError, resume }, { settleControls }] = await useCases();
  const { resumeContested } = await import('../../../shared/app/operator/resume-contested.ts');
  const { ended, left, by } = await withStore(context, false, async (store) => {
    const deps = await depsOf(context, store);
    const contested = await resumeContested(deps, selector);
    const resumption = await withCommandErrors(async () => {
      try {
        return await resume(deps, selector);
      } catch (error) {
        // No account was suspended, but contested accounts were resumed, so the command had an effect.
        if (error instanceof ControlsError && contested.length > 0) return { ended: [], left: selector.accounts };
        throw error;
      }
    });
    await settleControls(deps);
    return {
      ended: [...new Set([...resumption.ended, ...contested])],
      left: resumption.left.filter((id) => !contested.includes(id)),
      by: deps.actor,
    };
  });
  if (left.length > 0) output.note(`warning: not suspended by id: ${left.join(', ')}`);
  if (output.json) output.document({ resumed: ended, left, by });
  else
    output.print(`Resumed: ${ended.join(' · ')}. serve, the functions or the next apply will remediate drift there.`);
  return EXIT.ok;
}

async function runHalt(context: CliContext, why: string | undefined): Promise<number> {
  const { output } = context;
  const reason = reasonArgument(why);
  const [{ halt }, { settleControls }] = await useCases();
  const { changed, controls } = await withStore(context, false, async (store) => {
    const deps = await depsOf(context, store);
    const set = await halt(deps, reason);
    await settleControls(deps);
    return set;
  });
  const { halt: set } = controls;
  if (set === null) throw new Error('halt succeeded, but the halt is not set');
  const at = new Date(set.at).toISOString();
  if (output.json) output.document({ halted: true, changed, at, by: set.by, reason: set.reason });
  else if (changed) output.print('Halted. Calls already sent will finish; no more are made until `rollcall unhalt`.');
  else {
    const because = set.reason === null ? '' : `: ${set.reason}`;
    output.print(`Already halted since ${instant(at)} by ${set.by}${because}.`);
  }
  return EXIT.ok;
}

async function runUnhalt(context: CliContext): Promise<number> {
  const { output } = context;
  const [{ unhalt }, { settleControls }] = await useCases();
  const changed = await withStore(context, false, async (store) => {
    const deps = await depsOf(context, store);
    const was = await unhalt(deps);
    await settleControls(deps);
    return was;
  });
  if (output.json) output.document({ halted: false, changed });
  else output.print(changed ? 'Changes are allowed again.' : 'Changes were not halted.');
  return EXIT.ok;
}

/** Imported lazily, so that other commands start faster. */
function useCases() {
  return Promise.all([
    import('../../../shared/app/guardrails/controls.ts'),
    import('../../../shared/app/operator/apply-controls.ts'),
  ]);
}

/** Reports a `ControlsError` as the command's error. */
async function withCommandErrors<T>(act: () => Promise<T>): Promise<T> {
  const { ControlsError } = await import('../../../shared/app/guardrails/controls.ts');
  try {
    return await act();
  } catch (error) {
    if (error instanceof ControlsError) throw new CommandError(error.code, error.message);
    throw error;
  }
}
