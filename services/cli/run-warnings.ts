import type { Plan } from '../../shared/app/plan/plan.ts';
import type { RunningApply, UnreadableApply } from '../../shared/app/runtime/running-applies.ts';
import type { Finding } from '../../shared/domain/policy/file/findings.ts';
import type { CompiledPolicy } from '../../shared/domain/policy/index.ts';
import { toIso } from '../../shared/domain/time.ts';
import { sourceLine } from './source-line.ts';
import { deniedRolesLines } from './ui/denied-roles.ts';
import { findingText } from './ui/finding-text.ts';
import type { Output } from './ui/output.ts';
import { clockTime } from './ui/wait-text.ts';
import { actorText, count, instant } from './ui/words.ts';
import { wrap } from './ui/wrap.ts';

/** Writes warnings about a policy to stderr. `--json` has them in its document. */
export function noteWarnings(output: Output, warnings: readonly Finding[]): void {
  if (output.json) return;
  for (const line of warnings.flatMap((warning) => findingText(warning, sourceLine, output.noteWidth)))
    output.note(line);
}

/** Warns about accounts that the run skips because AWS refused the member role. */
export function noteDeniedRoles(
  output: Output,
  plan: Pick<Plan, 'deniedRoles' | 'coverage'>,
  { policy }: CompiledPolicy,
): void {
  if (output.json) return;
  for (const line of deniedRolesLines(plan, policy.organization.memberRole, output.noteWidth)) output.note(line);
}

/** Names the other runs of `apply` that are in progress on the same store. */
export function noteOtherRuns(output: Output, running: readonly (RunningApply | UnreadableApply)[]): void {
  if (output.json) return;
  for (const run of running) {
    if ('unreadable' in run) {
      for (const line of wrap(unreadableText(run), output.noteWidth, 2)) output.note(line);
      continue;
    }
    const { actor, since, planned, until } = run;
    const does = planned === null ? 'it is still reading the organization' : `its plan has ${count(planned, 'change')}`;
    const text = `Another apply is in progress on this store, started by ${actorText(actor)} at ${instant(toIso(since))}: ${does}. Each run reports its own changes. If its process was killed, this message disappears after ${clockTime(until)} UTC.`;
    for (const line of wrap(text, output.noteWidth, 2)) output.note(line);
  }
}

function unreadableText({ unreadable, until }: UnreadableApply): string {
  const end =
    until === null ? 'The next apply removes it.' : `The first apply after ${instant(toIso(until))} removes it.`;
  return `Another apply may be in progress on this store: its record ${unreadable} cannot be read. ${end}`;
}
