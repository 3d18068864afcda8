import type { CallCounts } from '../../../shared/app/rate-limiter/rate-limiter.ts';
import type { ApplyResult, OpenChange, PlannedCounts } from '../../../shared/app/runtime/apply.ts';
import { TITLES } from '../../../shared/domain/enrollment/kinds/index.ts';
import { reasonText } from '../../../shared/domain/enrollment/reason-codes.ts';
import type { FinishedRun } from '../run-once.ts';
import { rolloutText } from './enforcement-text.ts';
import type { Output, Style } from './output.ts';
import { paintStatus, statusTable } from './statuses.ts';
import { table } from './table.ts';
import { changesText, count, duration, instant, number } from './words.ts';

type Terminal = Pick<Output, 'style' | 'width'>;

/** The summary of a run: outcome, statuses before and after, calls, and open changes with their reasons. */
export function runText(finished: FinishedRun, options: Terminal): string[] {
  const { result, statusesBefore, statusesAfter, calls, durationMs } = finished;
  const { style } = options;
  return [
    headline(result, durationMs, style),
    '',
    ...statusTable(statusesBefore, style, statusesAfter),
    '',
    ...callsTable(calls),
    ...openText({ ...finished, open: result.open }, options),
    ...(result.rollout === null ? [] : ['', rolloutText(result.rollout)]),
    ...unfinishedText({ ...finished, open: result.open }, style),
    ...deadLettersText(finished.deadLetters, style),
    ...result.plan.broken.map((sentence) => `${style('yellow', 'Incomplete:')} ${sentence}.`),
  ];
}

function headline(
  { plan, planned, changes, stopped, interrupted, runId }: ApplyResult,
  ms: number,
  style: Style,
): string {
  const { approval } = plan;
  const by =
    approval === null ? '' : ` under the approval of plan ${approval.planHash.slice(0, 12)} by ${approval.actor}`;
  const how = `Run ${runId}${by} took ${duration(ms)}: ${plannedText(planned, changes.attempted)}.`;
  if (plan.trip !== null) {
    const would = `It would have made ${changesText(plan.totals)}.`;
    const approve = plan.trip.reason === 'maxChanges' ? ` To let it through: rollcall approve ${plan.planHash}` : '';
    const why = `${plan.trip.reason}: ${plan.trip.message}. ${would}${approve}`;
    return `${style('red', 'Stopped by a guardrail')} before any change: ${why}\n${how}`;
  }
  if (stopped !== null) return `${style('red', 'Stopped')}: ${stopped.reason}: ${stopped.message}.\n${how}`;
  if (interrupted) return `${style('yellow', 'Interrupted')}; the changes in flight finished and are recorded.\n${how}`;
  return how;
}

/** `285 of 290 changes confirmed, 3 failed, 2 not started`. The parts add up to the plan's total. */
function plannedText(planned: PlannedCounts, attempted: number): string {
  const { total, confirmed, inProgress, failed, blocked, notStarted } = planned;
  if (total === 0) return attempted === 0 ? 'no changes' : `${count(attempted, 'change')} from earlier runs`;
  const others = [
    [blocked, 'waiting or needing attention'],
    [inProgress, 'in progress'],
    [notStarted, 'not started'],
  ] as const;
  const rest = others.filter(([n]) => n > 0).map(([n, words]) => `, ${number(n)} ${words}`);
  return `${number(confirmed)} of ${count(total, 'change')} confirmed, ${number(failed)} failed${rest.join('')}`;
}

function callsTable(calls: CallCounts): string[] {
  const names = Object.keys(calls).sort();
  const rows = names.map((name) => {
    const { count: made, throttled } = calls[name] ?? { count: 0, throttled: 0 };
    return [name, number(made), number(throttled)];
  });
  const total = Object.values(calls);
  const sum = (of: (each: { count: number; throttled: number }) => number): string =>
    number(total.reduce((all, each) => all + of(each), 0));
  const last = ['total', sum((each) => each.count), sum((each) => each.throttled)];
  const right = 'right' as const;
  const columns = [{ title: 'OPERATION' }, { title: 'CALLS', align: right }, { title: 'THROTTLED', align: right }];
  return table(columns, [...rows, last], null);
}

/** Maximum number of groups shown. */
const MAX_GROUPS = 25;

/** Unfinished work at the end of a run. */
type Left = Pick<FinishedRun, 'claimed' | 'unreachable'> & Pick<ApplyResult, 'open'>;

/** Changes with an unknown outcome, and an AWS outage. */
export function unfinishedText({ claimed, unreachable, open }: Left, style: Style): string[] {
  const [first] = claimed;
  const last = claimed.at(-1);
  const claims =
    first === undefined || last === undefined
      ? []
      : [
          '',
          `${style('yellow', 'Outcome not known yet:')} ${count(claimed.length, 'change')} that a process started and did not finish, for example ` +
            `${first.operation} for ${first.accountId}. The last claim expires ${instant(last.until)}; run apply after that, or use a longer --wait.`,
        ];
  if (unreachable === null || (open.length === 0 && claimed.length === 0)) return claims;
  const since = instant(new Date(unreachable.since).toISOString());
  return [
    ...claims,
    '',
    `${style('red', 'AWS is unreachable')} since ${since}: ${unreachable.message} Open changes stay queued: run apply again when AWS is reachable.`,
  ];
}

function deadLettersText(deadLetters: number, style: Style): string[] {
  if (deadLetters === 0) return [];
  const what = `${count(deadLetters, 'dead letter')} (work that was given up)`;
  return [
    '',
    `${style('red', 'Needs attention')}: ${what}. rollcall dlq list shows the reasons; fix them, then run rollcall dlq redrive.`,
  ];
}

export function openText({ open, claimed }: Pick<Left, 'open' | 'claimed'>, { style, width }: Terminal): string[] {
  if (open.length === 0) {
    return claimed.length > 0 ? [] : ['', style('green', 'All managed accounts comply with the policy.')];
  }
  const groups = Map.groupBy(open, ({ enrollment, status, reason }) => [enrollment, status, reason].join('\n'));
  const columns = [
    { title: 'ACCOUNTS', align: 'right' as const },
    { title: 'ENROLLMENT' },
    { title: 'STATUS', paint: (text: string) => paintStatus(style, text) },
    { title: 'REASON', shrinks: true },
    { title: 'NOT BEFORE', dropOrder: 3 },
    { title: 'FOR EXAMPLE', dropOrder: 1 },
    { title: 'DETAILS', shrinks: true, dropOrder: 2 },
  ];
  const sorted = [...groups.values()].sort((a, b) => b.length - a.length);
  const rows = sorted.slice(0, MAX_GROUPS).map(groupRow);
  const more = sorted.length > MAX_GROUPS ? [`… and ${sorted.length - MAX_GROUPS} more groups: --json has all.`] : [];
  return ['', 'Not compliant:', ...table(columns, rows, width), ...more];
}

/** Changes with the same enrollment, status and reason as one row, with the first of them as the example. */
function groupRow(group: readonly OpenChange[]): string[] {
  const [first] = group;
  const [earliest] = group.flatMap(({ notBefore }) => notBefore ?? []).sort();
  if (first === undefined) return [];
  return [
    number(group.length),
    TITLES[first.enrollment],
    first.status,
    reasonText(first.reason) ?? '',
    earliest === undefined ? '' : instant(earliest),
    first.accountId,
    first.message === reasonText(first.reason) ? '' : (first.message ?? ''),
  ];
}
