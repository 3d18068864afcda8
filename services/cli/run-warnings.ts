import type { Deps } from '../../shared/app/context.ts';
import type { Plan } from '../../shared/app/plan/plan.ts';
import type { RunningApply, UnreadableApply } from '../../shared/app/runtime/running-applies.ts';
import type { RunningDaemon } from '../../shared/app/runtime/running-daemons.ts';
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

/** Another process that makes changes on the same store. */
export type OtherProcess = RunningDaemon | RunningApply | UnreadableApply;

/** The processes of `serve` and `apply` on the store, except this one. */
export async function otherProcesses(deps: Pick<Deps, 'registers' | 'clock'>): Promise<readonly OtherProcess[]> {
  const [{ runningApplies }, { runningDaemons }] = await Promise.all([
    import('../../shared/app/runtime/running-applies.ts'),
    import('../../shared/app/runtime/running-daemons.ts'),
  ]);
  return [...(await runningDaemons(deps)), ...(await runningApplies(deps))];
}

/** Names the other processes that make changes on the same store. */
export function noteOtherProcesses(output: Output, others: readonly OtherProcess[]): void {
  if (output.json) return;
  for (const each of others) for (const line of wrap(otherText(each), output.noteWidth, 2)) output.note(line);
}

function otherText(other: OtherProcess): string {
  if ('unreadable' in other) return unreadableText(other);
  const { actor, since, until } = other;
  const started = `started by ${actorText(actor)} at ${instant(toIso(since))}`;
  const killed = `If its process was killed, this message disappears after ${clockTime(until)} UTC.`;
  if ('kind' in other) {
    return `serve is running on this store, ${started}: it also makes changes from the queue. Each process reports its own changes. ${killed}`;
  }
  const { planned } = other;
  const does = planned === null ? 'it is still reading the organization' : `its plan has ${count(planned, 'change')}`;
  return `Another apply is in progress on this store, ${started}: ${does}. Each run reports its own changes. ${killed}`;
}

function unreadableText({ unreadable, until }: UnreadableApply): string {
  const end =
    until === null ? 'The next apply removes it.' : `The first apply after ${instant(toIso(until))} removes it.`;
  return `Another apply may be in progress on this store: its record ${unreadable} cannot be read. ${end}`;
}
