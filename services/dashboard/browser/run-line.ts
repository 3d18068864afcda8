import { actorName } from '../../../shared/domain/actor.ts';
import { PREREQUISITE_TITLES } from '../../../shared/domain/enrollment/kinds/index.ts';
import { durationText, timeText } from './time-text.ts';
import type { Run, RunDetail } from './types.ts';
import { count, number } from './words.ts';

/* A run in words: how it ended, what started it, and what is open. */

type Tone = 'compliant' | 'progress' | 'waiting' | 'attention' | 'drifted' | 'quiet';
type MarkName = 'compliant' | 'progress' | 'waiting' | 'attention' | 'drifted' | 'na' | 'unmanaged';

interface Look {
  readonly mark: MarkName;
  readonly tone: Tone;
}

const RUN_LOOKS: Readonly<Record<Run['outcome'], Look>> = {
  'In progress': { mark: 'progress', tone: 'progress' },
  Completed: { mark: 'compliant', tone: 'compliant' },
  Waiting: { mark: 'waiting', tone: 'waiting' },
  'Needs attention': { mark: 'attention', tone: 'attention' },
  'Stopped by guardrail': { mark: 'attention', tone: 'attention' },
  'Stopped by halt': { mark: 'attention', tone: 'attention' },
  Interrupted: { mark: 'drifted', tone: 'drifted' },
  'Nothing planned': { mark: 'na', tone: 'quiet' },
};
export const runLook = (outcome: Run['outcome']): Look => RUN_LOOKS[outcome];

/** The outcomes of changes in the order in which lists show them, with their looks. */
export const CHANGE_LOOKS = {
  'Needs attention': { mark: 'attention', tone: 'attention' },
  'In progress': { mark: 'progress', tone: 'progress' },
  Waiting: { mark: 'waiting', tone: 'waiting' },
  'Not started': { mark: 'unmanaged', tone: 'quiet' },
  Superseded: { mark: 'na', tone: 'quiet' },
  Succeeded: { mark: 'compliant', tone: 'compliant' },
} as const satisfies Readonly<Record<string, Look>>;
export const CHANGE_OUTCOMES = [
  'Needs attention',
  'In progress',
  'Waiting',
  'Not started',
  'Superseded',
  'Succeeded',
] as const;

type Outcomes = Run['outcomes'];
const of = (outcomes: Outcomes, outcome: (typeof CHANGE_OUTCOMES)[number]): number => outcomes[outcome] ?? 0;

/** The parts of a run's bar, in the order of progress. */
export function barParts(outcomes: Outcomes) {
  const part = (outcome: (typeof CHANGE_OUTCOMES)[number], words: string) => {
    const value = of(outcomes, outcome);
    const { tone } = CHANGE_LOOKS[outcome];
    return { tone: outcome === 'Not started' ? 'none' : tone, size: value, text: `${number(value)} ${words}` };
  };
  return [
    part('Succeeded', 'succeeded'),
    part('In progress', 'in progress'),
    part('Waiting', 'waiting'),
    part('Needs attention', of(outcomes, 'Needs attention') === 1 ? 'needs attention' : 'need attention'),
    part('Superseded', 'superseded'),
    part('Not started', 'not started'),
  ];
}

/** What is open of a run: `12 waiting, 19 need attention`. */
export function openText({ outcomes, stopped }: Run): string {
  return leftText(stopped === null ? outcomes : { ...outcomes, 'Not started': 0 }, of(outcomes, 'Superseded'));
}

/** @param superseded how many superseded changes to name */
function leftText(outcomes: Outcomes, superseded = 0): string {
  const attention = of(outcomes, 'Needs attention');
  const parts = [
    [of(outcomes, 'In progress'), 'in progress'],
    [of(outcomes, 'Waiting'), 'waiting'],
    [attention, attention === 1 ? 'needs attention' : 'need attention'],
    [superseded, 'superseded'],
    [of(outcomes, 'Not started'), 'not started'],
  ] as const;
  return parts.flatMap(([n, words]) => (n > 0 ? [`${number(n)} ${words}`] : [])).join(', ');
}

/** What a run has changed although a guardrail stopped it. Most guardrails stop a run before its first change. */
export function stoppedEffect(reason: string | null): string {
  if (reason === 'rollout') return 'Only canaries were changed.';
  return reason === 'failureTolerance' ? 'It makes no further changes.' : 'Nothing was changed.';
}

type PlanApproval = NonNullable<RunDetail['plan']['approval']>;

/** Who approved the plan of a stopped run, and which run used the approval. @returns `usedBy`: the other run to look at */
export function approvalText(
  { runId, startedAt }: Pick<Run, 'runId' | 'startedAt'>,
  { actor, usedBy, usedAt, expiresAt }: PlanApproval,
  now: number,
): { readonly text: string; readonly usedBy: string | null } {
  const who = actorName(actor);
  if (usedBy === null) {
    const isOpen = Date.parse(expiresAt) > now;
    const text = isOpen
      ? `Approved by ${who}: the next run makes these changes.`
      : `The approval by ${who} expired unused.`;
    return { text, usedBy };
  }
  if (usedBy === runId) return { text: `This run used the approval by ${who}.`, usedBy: null };
  const text =
    usedAt !== null && usedAt < startedAt
      ? `An earlier run used the approval by ${who}.`
      : `Approved by ${who}. A later run made the changes, so this one stays stopped.`;
  return { text, usedBy };
}

/** How many of the planned changes were made; `null`: they are not known yet. */
export function madeText({ outcomes, changes: made, completedAt }: Run): string | null {
  if (made.total > 0) return `${number(of(outcomes, 'Succeeded'))} of ${number(made.total)}`;
  return completedAt === null ? null : '0 planned';
}

/** How much of a run's plan is done, and what is left: `97% done in 41 s; 12 waiting, 1 needs attention`. Without planned changes, only the time. */
export function doneText(run: Run, duration: string): string {
  const { total } = run.changes;
  const time = run.endedAt === null ? `after ${duration}` : `in ${duration}`;
  if (total === 0) return time;
  const done = of(run.outcomes, 'Succeeded') + of(run.outcomes, 'Superseded');
  const open = leftText(run.outcomes);
  return `${Math.floor((done / total) * 100)}% done ${time}${open === '' ? '' : `; ${open}`}`;
}

/** Why a run has changes that it did not plan. */
export const ADDED_WHY = 'Made after an event, or when a change window opened';

/** `10 added later`; `null`: none. */
export function addedText({ changes: { unplanned } }: Run): string | null {
  return unplanned === 0 ? null : `${number(unplanned)} added later`;
}

/** Explains why an account can drift although its change succeeded. */
export const AGAIN_WHY = 'The run had fixed this drift. Drift that appeared afterwards is not part of its plan';

/** `2 drifted again later`; `null`: none. */
export function driftedAgainText({ changes: { driftedAgain } }: Run): string | null {
  return driftedAgain === 0 ? null : `${number(driftedAgain)} drifted again later`;
}

const KINDS: Readonly<Record<NonNullable<Run['trigger']>['kind'], string>> = {
  schedule: 'Schedule',
  policy: 'Policy change',
  event: 'Event',
  approval: 'Approved plan',
  scan: 'Scan now',
  resume: 'Resume',
  apply: 'Apply',
};

/** `Schedule`, `Scan now: anna`, `Apply: mei.tanaka`. */
export function triggerText({ trigger, actor }: Run): string {
  if (trigger === null) return '–';
  const who = trigger.actor ?? (trigger.kind === 'apply' ? actor : null);
  return who === null ? KINDS[trigger.kind] : `${KINDS[trigger.kind]}: ${actorName(who)}`;
}

export const TRIGGERS = Object.entries(KINDS);

/** `4,421 changes: 4,027 now, 394 after Compute Optimizer`, without the number of changes. */
export function splitText({ totals }: Run): string | null {
  if (totals === null || totals.followUps === 0) return null;
  return `${number(totals.now)} now, ${number(totals.followUps)} after ${PREREQUISITE_TITLES}`;
}

/** A scheduled run that changed nothing and found nothing to change. */
const isQuiet = ({ trigger, outcome, changes }: Run): boolean =>
  (trigger === null || trigger.kind === 'schedule') && outcome === 'Nothing planned' && changes.unplanned === 0;

/** A run, or several quiet ones in a row. */
export type RunRow =
  | { readonly kind: 'run'; readonly run: Run }
  | { readonly kind: 'quiet'; readonly runs: readonly Run[] };

export function grouped(runs: readonly Run[]): readonly RunRow[] {
  const rows: RunRow[] = [];
  for (const run of runs) {
    const last = rows.at(-1);
    if (!isQuiet(run)) rows.push({ kind: 'run', run });
    else if (last?.kind === 'quiet') rows[rows.length - 1] = { kind: 'quiet', runs: [...last.runs, run] };
    else rows.push({ kind: 'quiet', runs: [run] });
  }
  return rows;
}

/** `6 scheduled runs without changes, 05:12 to 10:12` */
export function quietText(runs: readonly Run[], now: number): string {
  const [newest, oldest] = [runs[0], runs.at(-1)];
  if (newest === undefined || oldest === undefined) return '';
  const at = (run: Run): string => timeText(Date.parse(run.startedAt), now);
  const span = runs.length === 1 ? at(newest) : `${at(oldest)} to ${at(newest)}`;
  return `${count(runs.length, 'scheduled run')} without changes, ${span}`;
}

export const runHref = (runId: string): string => `/run?id=${encodeURIComponent(runId)}`;

/** How long a run took; of the run in progress, how long it has taken so far. `at` in milliseconds since 1970. */
export function runDuration({ startedAt, endedAt }: Pick<Run, 'startedAt' | 'endedAt'>, at: number): string {
  return durationText(Math.max(0, (endedAt === null ? at : Date.parse(endedAt)) - Date.parse(startedAt)));
}
