import type { Change } from '../../../shared/domain/decision/plan.ts';
import { shortReason } from '../../../shared/domain/enrollment/explain-status.ts';
import { TITLES } from '../../../shared/domain/enrollment/kinds/index.ts';
import type { Status } from '../../../shared/domain/enrollment/status.ts';
import type { PlanLayout } from './plan-shape.ts';
import { paintStatus } from './statuses.ts';
import { table } from './table.ts';
import { count, number, upcoming } from './words.ts';

/** Drift that the run does not fix, by status. */
const ORDER: readonly Status[] = ['Drifted', 'In progress', 'Waiting', 'Needs attention'];
/** More drifts than this are grouped by cause. */
const FEW = 20;

/** Why some drift is not in the plan. */
export function restSection(rest: readonly Change[], layout: PlanLayout): string[] {
  const drifts = rest.filter(({ status }) => ORDER.includes(status));
  if (drifts.length === 0) return [];
  const groups = ORDER.flatMap((status) => {
    const changes = drifts.filter((change) => change.status === status);
    if (changes.length === 0) return [];
    const lines = drifts.length > FEW && !layout.list ? causeRows(changes, layout) : accountRows(changes, layout);
    return [`  ${paintStatus(layout.style, status)}`, ...lines];
  });
  return [`Not in this plan: ${count(drifts.length, 'drift')} (rollcall account ID explains each)`, ...groups];
}

/** `4 drifts are not in this plan: 1 waiting, 3 need attention`; `null`: there are none. */
export function restCounts(
  rest: readonly Pick<Change, 'status' | 'reason'>[],
  what = 'not in this plan',
): string | null {
  const drifts = rest.filter(({ status }) => ORDER.includes(status));
  if (drifts.length === 0) return null;
  const of = (status: Status): number => drifts.filter((change) => change.status === status).length;
  const attention = of('Needs attention');
  const alerts = drifts.filter(({ status, reason }) => status === 'Drifted' && reason === 'alertOnly').length;
  const parts = [
    [of('Drifted') - alerts, 'drifted'],
    [alerts, 'reported only (mode: alert)'],
    [of('In progress'), 'in progress'],
    [of('Waiting'), 'waiting'],
    [attention, attention === 1 ? 'needs attention' : 'need attention'],
  ] as const;
  const shown = parts.filter(([n]) => n > 0).map(([n, words]) => `${number(n)} ${words}`);
  return `${count(drifts.length, 'drift')} ${drifts.length === 1 ? 'is' : 'are'} ${what}: ${shown.join(', ')}`;
}

/** One row for each drift; only the first row of an account shows the account. */
function accountRows(changes: readonly Change[], { width, nameWidth, now }: PlanLayout): string[] {
  const columns = [
    { title: 'ACCOUNT' },
    { title: 'NAME', shrinks: true, minWidth: nameWidth },
    { title: 'CAUSE', wraps: true },
  ];
  const rows = changes.map((change, at) => {
    const again = changes[at - 1]?.accountId === change.accountId;
    const cause = causeText(change, now);
    return again ? ['', '', cause] : [change.accountId, change.accountName, cause];
  });
  return table(columns, rows, width, { indent: 4, titles: false }).map(withSpaces);
}

function causeRows(changes: readonly Change[], { width, now }: PlanLayout): string[] {
  const groups = Map.groupBy(changes, (change) => causeText({ ...change, notBefore: null }, now));
  const rows = [...groups]
    .sort(([, a], [, b]) => b.length - a.length)
    .map(([cause, { length }]) => [count(length, 'account'), cause]);
  return table([{ title: 'ACCOUNTS' }, { title: 'CAUSE', wraps: true }], rows, width, { indent: 4, titles: false });
}

/** `Automation: cool-down until 2026-12-09 06:12 UTC (in 20h 42m)`. */
function causeText(change: Change, now: number): string {
  const { enrollment, notBefore, status } = change;
  const words = shortReason(change);
  const until = notBefore === null || status !== 'Waiting' ? '' : ` until ${unbroken(upcoming(notBefore, now))}`;
  return `${TITLES[enrollment]}: ${words}${until}`;
}

const NO_BREAK = '\u00a0';

/** A time whose parts stay on one line. */
const unbroken = (time: string): string => time.replaceAll(' ', NO_BREAK).replace(`${NO_BREAK}(`, ' (');
const withSpaces = (line: string): string => line.replaceAll(NO_BREAK, ' ');
