import type { RestoreReport } from '../../../shared/app/operator/restore-entry.ts';
import { ConfigError } from '../../../shared/config/config-error.ts';
import type { CliContext } from '../context.ts';
import { EXIT } from '../exit-codes.ts';
import { operator, reasonArgument, withOperator } from '../operator.ts';
import { backupOf, withStore } from '../session.ts';
import { count, instant, number } from '../ui/words.ts';

export interface RestoreFlags {
  readonly acknowledge?: boolean;
  readonly reason?: string;
  readonly yes?: boolean;
}

/** Replaces the store with a backup, or records that it was restored in another way. */
export async function runRestore(context: CliContext, file: string | undefined, flags: RestoreFlags): Promise<number> {
  const reason = reasonArgument(flags.reason);
  if (flags.acknowledge !== true) {
    if (reason !== null) throw new ConfigError('Usage', '--reason can be used only with --acknowledge.');
    if (file !== undefined) return restoreFrom(context, file, flags.yes === true);
    throw new ConfigError(
      'Usage',
      'restore: name the backup file, or use --acknowledge for a store that was restored in another way.',
    );
  }
  if (file !== undefined) throw new ConfigError('Usage', '--acknowledge restores nothing, so it takes no backup file.');
  if (reason !== null) return acknowledge(context, reason);
  throw new ConfigError('Usage', '--acknowledge needs --reason TEXT: what was restored, and to which time.');
}

async function acknowledge(context: CliContext, reason: string): Promise<number> {
  const [{ acknowledgeRestore }, { settleControls }] = await Promise.all([
    import('../../../shared/app/operator/acknowledge-restore.ts'),
    import('../../../shared/app/operator/apply-controls.ts'),
  ]);
  const by = await withOperator(context, async (deps) => {
    await acknowledgeRestore(deps, reason);
    await settleControls(deps);
    return deps.actor;
  });
  context.output.result({ acknowledged: true, halted: true, reason, by }, () => [
    'Recorded that the store was restored. Changes are halted until `rollcall resume`.',
    'The transparency log continues under a new name, so the next checkpoint has that name.',
    'Check `rollcall status` and `rollcall plan` first.',
  ]);
  return EXIT.ok;
}

async function restoreFrom(context: CliContext, file: string, yes: boolean): Promise<number> {
  const { dataDir } = backupOf(context, 'restore');
  const { output, clock } = context;
  const [{ mayRestore }, { makeNewId }, { restoreStore }, { settleControls }] = await Promise.all([
    import('../ask-to-restore.ts'),
    import('../../../shared/compose/system.ts'),
    import('../../../shared/compose/restore.ts'),
    import('../../../shared/app/operator/apply-controls.ts'),
  ]);
  if (!yes && !(await mayRestore(context, dataDir, file))) {
    output.note('Nothing was changed.');
    return EXIT.error;
  }
  const newId = makeNewId(clock);
  const actor = await operator(context);
  const { path, copy, setAside, report } = await restoreStore({ dataDir, file, actor, clock, newId });
  await withStore(context, false, (store) => settleControls({ ...store, clock, newId, actor }));
  const kept = setAside ?? copy;
  for (const line of lossText(report, kept)) output.note(line);
  output.result(restoreDocument(path, file, kept, report), () => [
    `${path} now has the content of ${file}. Changes are halted until \`rollcall resume\`.`,
    'Check `rollcall status` and `rollcall plan` first.',
    ...(kept === null
      ? []
      : [`The ${setAside === null ? 'replaced store is kept' : 'damaged store was set aside'}: ${kept}`]),
  ]);
  return EXIT.ok;
}

function restoreDocument(path: string, file: string, kept: string | null, report: RestoreReport) {
  const { lost, suspensions, contested, changed, optedOut, underWay, approvalsEnded, unreadable, merged } = report;
  const time = (at: number | null): string | null => (at === null ? null : new Date(at).toISOString());
  return {
    restored: path,
    from: file,
    kept,
    halted: true,
    merged,
    lost: lost === null ? null : { ...lost, from: time(lost.from), to: time(lost.to) },
    stillInForce: { suspensions, contested, changed, optedOut, underWay },
    approvalsEnded,
    unreadable,
  };
}

/** The lines on stderr after a restore: lost entries, and settings that were kept from the replaced store. */
function lossText(report: RestoreReport, kept: string | null): string[] {
  const { replaced, merged, lost, suspensions, contested, changed, optedOut, underWay, approvalsEnded, unreadable } =
    report;
  const lines: string[] = [];
  if (!merged) {
    const what = replaced === 'absent' ? 'there was no store here' : 'the replaced store cannot be read';
    lines.push(
      `warning: ${what}, so nothing could be merged: suspensions, contested accounts, used approvals and changes since the backup are unknown.`,
    );
  }
  if (lost === null && merged)
    lines.push(
      'warning: the replaced store was damaged or changed by another program; its suspensions and counts remain in force.',
    );
  if (lost !== null && lost.entries > 0) {
    const at = (time: number | null): string => (time === null ? '?' : instant(new Date(time).toISOString()));
    const where = kept === null ? '' : `; they are in ${kept}`;
    lines.push(
      `warning: lost: ${count(lost.entries, 'entry', 'entries')} from ${at(lost.from)} to ${at(lost.to)}${where}.`,
    );
    if (lost.runs > 0) lines.push(`warning: lost: ${count(lost.runs, 'run')}: ${lost.runIds.join(', ')}`);
  }
  if (approvalsEnded > 0)
    lines.push(
      `warning: the restore ended ${count(approvalsEnded, 'approval')}: approve those plans again if they are still needed.`,
    );
  if (unreadable.length > 0)
    lines.push(`warning: lost: unreadable registers of the replaced store: ${unreadable.join(', ')}`);
  if (suspensions.length > 0) lines.push(`Suspensions kept from the replaced store: ${suspensions.join(' · ')}`);
  if (contested > 0) lines.push(`Contested until \`rollcall resume\`: ${count(contested, 'account')}.`);
  if (underWay > 0) lines.push(`In progress: ${count(underWay, 'change')}; the workers will record the outcome.`);
  if (changed > 0)
    lines.push(
      `The caps count ${count(changed, 'account')} changed in the last 24 hours; ${number(optedOut)} opted out.`,
    );
  return lines;
}
