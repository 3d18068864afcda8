import type { OpenChange } from '../../../shared/app/runtime/conclude-run.ts';
import { isRoleDenied } from '../../../shared/domain/enrollment/denied-role.ts';
import { shortReason } from '../../../shared/domain/enrollment/explain-status.ts';
import { kindOf, TITLES } from '../../../shared/domain/enrollment/kinds/index.ts';
import type { FinishedRun } from '../run-once.ts';
import { count, number } from './words.ts';
import { wrap } from './wrap.ts';

/** How the changes of a plan ended. The parts add up to the total. */
export interface Ended {
  readonly total: number;
  readonly confirmed: number;
  readonly byOtherRuns: number;
  readonly inProgress: number;
  readonly failed: number;
  /** Neither made nor tried, for example because a prerequisite failed or the run was stopped. */
  readonly notStarted: number;
}

/** Reasons of a change that was tried and failed. Other changes that were not made were not started. */
const FAILED: ReadonlySet<string | null> = new Set([
  ...['denied', 'deadLettered', 'enrollmentFailed', 'deadlinePassed', 'contested', 'retrying'],
]);

export function endedOf({ result }: Pick<FinishedRun, 'result'>): Ended {
  const { total, confirmed, byOtherRuns, inProgress, failed, blocked, notStarted } = result.planned;
  const blockedByFailure = plannedOpen(result)
    .filter(isFailed)
    .filter(({ verdict }) => verdict === 'Blocked').length;
  return {
    total,
    confirmed,
    byOtherRuns,
    inProgress,
    failed: failed + blockedByFailure,
    notStarted: notStarted + blocked - blockedByFailure,
  };
}

const keyOf = ({ accountId, enrollment }: Pick<OpenChange, 'accountId' | 'enrollment'>): string =>
  `${accountId} ${enrollment}`;

/** The changes of the plan that were not made. */
function plannedOpen({ plan, open }: FinishedRun['result']): readonly OpenChange[] {
  const planned = new Set([...plan.due, ...plan.followUps].map(keyOf));
  return open.filter((change) => planned.has(keyOf(change)));
}

const isFailed = ({ verdict, reason }: OpenChange): boolean => verdict === 'Stalled' || FAILED.has(reason);

/** `41 confirmed, 11 failed, 55 not started`. */
export function partsOf({ confirmed, byOtherRuns, failed, inProgress, notStarted }: Ended): string {
  return [
    `${number(confirmed)} confirmed`,
    `${number(failed)} failed`,
    ...(byOtherRuns === 0 ? [] : [`${number(byOtherRuns)} made by another run`]),
    ...(inProgress === 0 ? [] : [`${number(inProgress)} in progress`]),
    ...(notStarted === 0 ? [] : [`${number(notStarted)} not started`]),
  ].join(', ');
}

/** `62 of 107 changes confirmed, 0 failed, 45 not started`. */
export function resultOf(ended: Ended): string {
  const [, ...others] = partsOf(ended).split(', ');
  return `${number(ended.confirmed)} of ${count(ended.total, 'change')} confirmed, ${others.join(', ')}`;
}

/** Accounts that are named for each cause. */
const NAMED = 10;

/** Why changes failed or did not start: one paragraph for each cause, with its accounts. */
export function causeLines(
  { result }: Pick<FinishedRun, 'result'>,
  memberRole: string,
  width: number | null,
): string[] {
  const open = plannedOpen(result).filter(({ verdict }) => verdict !== 'Converging');
  const failed = open.filter(isFailed);
  const ids = new Set(failed.map(({ accountId }) => accountId));
  const dependents = open.filter((change) => change.reason === 'prerequisite' && ids.has(change.accountId));
  const others = open.filter((change) => !failed.includes(change) && !dependents.includes(change));
  const paragraph = (changes: readonly OpenChange[], text: (accounts: string) => string): string[] => {
    const accounts = new Map(changes.map(({ accountId, accountName }) => [accountId, `${accountId} ${accountName}`]));
    const named = [...accounts.values()].slice(0, NAMED).join(', ');
    const more = accounts.size > NAMED ? `, and ${count(accounts.size - NAMED, 'more account')}` : '';
    return [...wrap(`  ${text(count(accounts.size, 'account'))}:`, width, 2), ...wrap(`    ${named}${more}`, width, 4)];
  };
  return [
    ...[...Map.groupBy(failed, causeOf)].flatMap(([cause, changes]) => {
      const [first] = changes;
      if (first === undefined) return [];
      const follow = followersOf(changes, dependents);
      return paragraph(changes, (accounts) =>
        cause === ASSUMED
          ? `${memberRole} cannot be assumed in ${accounts}, so ${kindsIn(changes)} failed there${follow}`
          : `${TITLES[first.enrollment]} failed in ${accounts} (${shortReason(first)})${follow}`,
      );
    }),
    ...[...Map.groupBy(others, (change) => `${change.enrollment} ${shortReason(change)}`).values()].flatMap(
      (changes) => {
        const [first] = changes;
        if (first === undefined) return [];
        return paragraph(
          changes,
          (accounts) => `${TITLES[first.enrollment]} did not start in ${accounts} (${shortReason(first)})`,
        );
      },
    ),
  ];
}

const ASSUMED = 'assumed';

function causeOf(change: OpenChange): string {
  if (isRoleDenied(change)) return ASSUMED;
  return `${change.enrollment} ${shortReason(change)}`;
}

/** Whether a role could not be assumed, which `doctor` can fix. */
export function hasDeniedRole({ result }: Pick<FinishedRun, 'result'>): boolean {
  return plannedOpen(result).some((change) => causeOf(change) === ASSUMED);
}

const kindsIn = (changes: readonly OpenChange[]): string =>
  [...new Set(changes.map(({ enrollment }) => TITLES[enrollment]))].join(' and ');

/** `, and Automation, which needs it, did not start`. */
function followersOf(failed: readonly OpenChange[], dependents: readonly OpenChange[]): string {
  const ids = new Set(failed.map(({ accountId }) => accountId));
  const kinds = new Set(failed.map(({ enrollment }) => enrollment));
  const held = dependents.filter(
    ({ accountId, enrollment }) =>
      ids.has(accountId) && kindOf(enrollment).prerequisites.some((needed) => kinds.has(needed)),
  );
  return held.length === 0 ? '' : `, and ${kindsIn(held)}, which needs it, did not start`;
}
