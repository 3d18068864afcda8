import type { CallCounts } from '../../../shared/app/rate-limiter/rate-limiter.ts';
import type { CompiledPolicy } from '../../../shared/domain/policy/index.ts';
import type { FinishedRun } from '../run-once.ts';
import { rolloutText } from './enforcement-text.ts';
import { haltedBy, OPT_OUT_ADVICE, tripText } from './guardrail-text.ts';
import type { Output } from './output.ts';
import { restCounts } from './plan-rest.ts';
import { complyText } from './plan-text.ts';
import { causeLines, endedOf, hasDeniedRole, partsOf, resultOf } from './run-ending.ts';
import { statusChanges } from './status-changes.ts';
import { oneLine, table } from './table.ts';
import { actorText, count, duration, instant, number, shortHash } from './words.ts';
import { wrap } from './wrap.ts';

export interface RunTextOptions extends Pick<Output, 'style' | 'width'> {
  readonly policy: CompiledPolicy;
  /** The command by which the user runs Rollcall. */
  readonly program: string;
  /** The command that continues this run. */
  readonly again: string;
}

/** What a run changed: statuses before and after, and one closing line that says how it ended and what to do next. */
export function runText(finished: FinishedRun, options: RunTextOptions): string[] {
  const { result, statusesBefore, statusesAfter } = finished;
  const { style, width } = options;
  const { plan } = result;
  const changes = plan.trip === null ? statusChanges(statusesBefore, statusesAfter, style) : [];
  return [
    ...changes,
    ...plan.broken.flatMap((sentence) => wrap(`${style('yellow', 'Incomplete:')} ${oneLine(sentence)}.`, width, 2)),
    ...claimLines(finished, options),
    ...deadLetterLines(finished, options),
    ...(result.rollout === null ? [] : wrap(rolloutText(result.rollout, options.program), width, 2)),
    ...closing(finished, options),
    ...usedApprovalLines(finished, options),
    ...askingLines(finished, options),
    ...freedLines(finished, options),
  ];
}

/** A plan that maxChanges has stopped shows the same command already. */
function askingLines({ result }: FinishedRun, { width, program }: RunTextOptions): string[] {
  const { configurations, trip, planHash } = result.plan;
  const asked = configurations?.calls.filter(({ needsApproval }) => needsApproval).length ?? 0;
  if (asked === 0 || trip !== null) return [];
  const what = count(asked, 'change');
  const text = `${what} to organization enrollment configurations that somebody else set need${asked === 1 ? 's' : ''} an approval (${program} plan shows ${asked === 1 ? 'it' : 'them'}). To approve: ${program} approve ${shortHash(planHash)}, then: ${program} apply`;
  return wrap(text, width, 2);
}

/** The accounts' records are from before the deletions, so only a run with a new scan can disable these accounts. */
function freedLines({ result }: FinishedRun, { width, program }: RunTextOptions): string[] {
  const { plan, open, stopped, interrupted } = result;
  if (plan.trip !== null || stopped !== null || interrupted) return [];
  const isDeleted = plan.configurations?.calls.some(
    ({ ruleMode, needsApproval }) => ruleMode === null && !needsApproval,
  );
  if (isDeleted !== true || open.every(({ reason }) => reason !== 'organizationConfiguration')) return [];
  const text = `The next run disables the accounts that a deleted configuration kept enrolled: ${program} apply`;
  return wrap(text, width, 2);
}

/** An approval permits one run, so it does not permit a later run to make the rest. A saved plan does. */
function usedApprovalLines(finished: FinishedRun, { width, program }: RunTextOptions): string[] {
  const { plan, changes } = finished.result;
  const { failed, notStarted } = endedOf(finished);
  if (plan.approval === null || changes.attempted === 0 || failed + notStarted === 0) return [];
  const text = `The approval has been used. If maxChanges stops the rest, approve it: ${program} apply shows the command`;
  return wrap(text, width, 2);
}

function closing(finished: FinishedRun, options: RunTextOptions): string[] {
  const { result, durationMs, unreachable, claimed } = finished;
  const { style, width, program, again } = options;
  const ended = endedOf(finished);
  const { plan, stopped, interrupted, open } = result;
  if (plan.trip !== null) return tripLines(finished, options);
  if (stopped?.reason === 'halted') {
    const halt = finished.halted === null ? oneLine(stopped.message) : haltedBy(finished.halted);
    return [
      ...wrap(`${style('red', 'Stopped')}: ${halt}.`, width, 2),
      ...wrap(`  ${partsOf(ended)}. To allow changes: ${program} resume`, width, 2),
    ];
  }
  if (stopped !== null) return stopLines(finished, options);
  if (interrupted) {
    return [
      `${style('yellow', 'Interrupted')} after ${duration(durationMs)}: ${resultOf(ended)}.`,
      `Every result is recorded. To continue: ${again}`,
    ];
  }
  if (unreachable !== null && (open.length > 0 || claimed.length > 0)) {
    const since = instant(new Date(unreachable.since).toISOString());
    return [
      ...wrap(
        `${style('red', 'Stopped')}: AWS has been unreachable since ${since}: ${oneLine(unreachable.message)}`,
        width,
        2,
      ),
      `  ${partsOf(ended)}. When AWS is reachable: ${again}`,
    ];
  }
  if (ended.failed > 0 || ended.notStarted > 0) return partlyLines(finished, options);
  return wrap(doneText(finished), width);
}

function doneText(finished: FinishedRun): string {
  const { result, durationMs } = finished;
  const { plan, open, unplanned, planned } = result;
  const ended = endedOf(finished);
  const under = plan.approval === null ? '' : ` under the approval of ${actorText(plan.approval.actor)}`;
  const others =
    unplanned === 0 ? '' : ` ${count(unplanned, 'change')} of other runs ${unplanned === 1 ? 'was' : 'were'} made.`;
  const elsewhere = ended.byOtherRuns === 0 ? '' : `, ${number(ended.byOtherRuns)} made by another run`;
  const waits = ended.inProgress === 0 ? '' : `, ${number(ended.inProgress)} in progress`;
  const rest = restCounts(open, 'not fixed');
  const did =
    planned.total === 0
      ? `${rest === null ? 'No changes were needed' : 'No changes now'}.${others}`
      : `Done in ${duration(durationMs)}${under}: ${number(ended.confirmed)} of ${count(planned.total, 'change')} confirmed${elsewhere}${waits}.${others}`;
  if (rest !== null) return `${did} ${rest}.${nextText(open)} Causes: rollcall status`;
  return finished.claimed.length > 0 || plan.coverage.unknown > 0 ? did : `${did} ${complyText(plan.accountsInScope)}.`;
}

/** When the first waiting change can be made, for example when a change window opens. */
function nextText(open: FinishedRun['result']['open']): string {
  const times = open.flatMap(({ status, notBefore }) =>
    status === 'Waiting' && notBefore !== null ? [notBefore] : [],
  );
  const [first] = times.sort();
  return first === undefined ? '' : ` The first can be fixed after ${instant(first)}.`;
}

/** Nothing was changed, because a guardrail or the halt comes first. */
function tripLines({ result, halted }: FinishedRun, options: RunTextOptions): string[] {
  const { style, width, policy, program, again } = options;
  const { trip, planHash } = result.plan;
  if (trip === null) return [];
  if (trip.reason === 'halted') {
    const halt = halted === null ? oneLine(trip.message) : haltedBy(halted);
    return [
      ...wrap(`${style('red', 'Stopped')}: ${halt}.`, width, 2),
      `  Nothing was changed. To allow changes: ${program} resume`,
    ];
  }
  const stopped = `${style('red', 'Stopped by guardrail')} ${trip.reason}. Nothing was changed.`;
  const why = tripText(trip, policy.policy.guardrails, 'The plan');
  if (trip.reason !== 'maxChanges') {
    const sentence = `${why.charAt(0).toUpperCase()}${why.slice(1)}.`;
    return wrap(`${stopped} ${sentence}${trip.reason === 'maxOptOuts' ? ` ${OPT_OUT_ADVICE}` : ''}`, width, 2);
  }
  return [
    ...wrap(`${stopped} ${why}. If it is what you want:`, width, 2),
    `  ${program} approve ${shortHash(planHash)}, then: ${again}`,
  ];
}

function stopLines(finished: FinishedRun, { style, width, policy, program }: RunTextOptions): string[] {
  const { stopped, planned } = finished.result;
  const tolerance = policy.policy.guardrails.failureTolerance;
  const limit =
    stopped?.reason === 'failureTolerance'
      ? ` (limit: ${tolerance}% of ${count(planned.total, 'change')})`
      : `: ${oneLine(stopped?.message ?? '')}`;
  return [
    ...wrap(`${style('red', 'Stopped by guardrail')} ${stopped?.reason}${limit}.`, width, 2),
    `  ${partsOf(endedOf(finished))}. Causes: ${program} status`,
  ];
}

function partlyLines(finished: FinishedRun, { style, width, policy, program, again }: RunTextOptions): string[] {
  const { memberRole } = policy.policy.organization;
  const next = hasDeniedRole(finished)
    ? `Fix the role (see ${program} doctor), then: ${again}`
    : `What to do: ${program} status. Then: ${again}`;
  return [
    ...wrap(
      `${style('yellow', 'Partly done')} in ${duration(finished.durationMs)}: ${resultOf(endedOf(finished))}.`,
      width,
    ),
    ...causeLines(finished, memberRole, width),
    `  ${next}`,
  ];
}

/** Changes with an unknown outcome. */
function claimLines({ claimed }: FinishedRun, { style, width, again }: RunTextOptions): string[] {
  const [first] = claimed;
  const last = claimed.at(-1);
  if (first === undefined || last === undefined) return [];
  return wrap(
    `${style('yellow', 'Outcome not known yet:')} ${count(claimed.length, 'change')} that a process started and did not finish, for example ` +
      `${first.operation} for ${first.accountId}. The last claim expires ${instant(last.until)}. After that: ${again}`,
    width,
    2,
  );
}

function deadLetterLines({ deadLetters }: FinishedRun, { style, width, program }: RunTextOptions): string[] {
  if (deadLetters === 0) return [];
  const what = `${count(deadLetters, 'dead letter')} (work that was given up)`;
  return wrap(`${style('red', 'Needs attention')}: ${what}. Causes and next steps: ${program} dlq list`, width, 2);
}

/** The AWS calls of a run by operation, for `--verbose`. */
export function callsTable(calls: CallCounts): string[] {
  const names = Object.keys(calls).sort();
  const rows = names.map((name) => {
    const { count: made, throttled } = calls[name] ?? { count: 0, throttled: 0 };
    return [name, number(made), number(throttled)];
  });
  const right = 'right' as const;
  return table(
    [{ title: 'OPERATION' }, { title: 'CALLS', align: right }, { title: 'THROTTLED', align: right }],
    rows,
    null,
  );
}
