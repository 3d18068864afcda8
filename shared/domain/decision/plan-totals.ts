import { actionFor, actionOf, dependentsOf, type EnrollmentId } from '../enrollment/kinds/index.ts';
import type { AccountId, EpochMs } from '../enrollment/model.ts';
import { type Change, type PlannedCall, plannedCalls } from './plan.ts';

/** The shape of `totals` in `plan --json`. Every view shows `now + followUps` as the number of changes. */
export interface PlanTotals {
  /** Changes that are due now. */
  readonly now: number;
  /** Changes that become possible when their prerequisite is met. */
  readonly followUps: number;
  /** Changes among both that opt an account out. */
  readonly optOuts: number;
  /** Mutating AWS calls for both together, without retries. */
  readonly calls: number;
}

/**
 * The changes that wait for a prerequisite which this plan enables, or which is already being enabled. A run makes them as well,
 * with the delayed call as their action. Other waiting changes (cool-down, window) are not part of the run.
 * @param enabling the changes that the plan makes
 */
export function followUpsOf(changes: readonly Change[], enabling: readonly Change[], now: EpochMs): Change[] {
  const inProgress = changes.filter(({ verdict }) => verdict === 'Converging');
  const enabled = new Set([...enabling, ...inProgress].flatMap(unlockedBy));
  return changes
    .filter(({ accountId, enrollment, verdict, reason, heldAction, notBefore }) => {
      const waits = verdict === 'Blocked' && reason === 'prerequisite' && heldAction !== 'none';
      return waits && enabled.has(keyOf(accountId, enrollment)) && (notBefore === null || Date.parse(notBefore) <= now);
    })
    .map((change) => ({ ...change, action: change.heldAction, heldAction: 'none' as const }));
}

const keyOf = (accountId: AccountId, enrollment: EnrollmentId): string => `${accountId} ${enrollment}`;

/** The keys of the enrollments whose prerequisite this change enables. */
function unlockedBy({ accountId, enrollment, desired }: Change): readonly string[] {
  return desired === 'Active' ? dependentsOf(enrollment).map((each) => keyOf(accountId, each)) : [];
}

/** The accounts in which these changes enable the prerequisite of others. */
export function enablingAccounts(changes: readonly Change[]): AccountId[] {
  return changes.flatMap((change) => (unlockedBy(change).length > 0 ? [change.accountId] : []));
}

/** Every call that a plan needs: for changes due now, for follow-ups, and for the second step of changes that need two calls. */
export function callsOf(
  due: readonly Change[],
  followUps: readonly Change[],
  configurations: readonly PlannedCall[] = [],
): PlannedCall[] {
  const all = [...due, ...followUps];
  return [...configurations, ...plannedCalls([...all, ...all.flatMap(secondStep)])];
}

export const totalCalls = (planned: readonly PlannedCall[]): number =>
  planned.reduce((sum, { calls }) => sum + calls, 0);

/** An associated member must be disassociated before its own status can be set. */
function secondStep(change: Change): Change[] {
  const { enrollment, action, desired, observed } = change;
  if (actionOf(enrollment, action)?.effect !== 'disassociate' || desired === null || desired === observed) return [];
  return [{ ...change, action: actionFor(enrollment, 'setStatus').operation, scope: 'member' }];
}

export function totalsOf(
  due: readonly Change[],
  followUps: readonly Change[],
  configurations: readonly PlannedCall[] = [],
): PlanTotals {
  return {
    now: due.length,
    followUps: followUps.length,
    optOuts: [...due, ...followUps].filter(({ optOut }) => optOut).length,
    calls: totalCalls(callsOf(due, followUps, configurations)),
  };
}

/** The number of changes that a run makes. */
export const totalChanges = ({ now, followUps }: Pick<PlanTotals, 'now' | 'followUps'>): number => now + followUps;
