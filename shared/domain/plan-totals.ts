import { type Change, type PlannedCall, plannedCalls } from './plan.ts';
import type { AccountId, EpochMs } from './types.ts';

/** What a plan comes to. `now + followUps` is the one number of changes that every view shows. The shape of `plan --json`'s `totals`. */
export interface PlanTotals {
  /** Changes that are due now. */
  readonly now: number;
  /** Changes that become possible when their prerequisite is met. */
  readonly followUps: number;
  /** Those among both that opt an account out. */
  readonly optOuts: number;
  /** Mutating AWS calls that both take together, without retries. */
  readonly calls: number;
}

/**
 * The follow-ups of a plan: Automation, with its rule mode, that waits for Compute Optimizer in an account where Compute Optimizer is on its way,
 * because this plan enables it or because it is being enabled already. Everything else that waits (a cool-down, a window, a prerequisite that
 * nobody works on) is no part of the run. Returned as they will be made, with the call that is held back as their action.
 * @param enabling the changes that the plan makes.
 */
export function followUpsOf(changes: readonly Change[], enabling: readonly Change[], now: EpochMs): Change[] {
  const underWay = changes.filter(({ verdict }) => verdict === 'Converging');
  const coming = new Set(enablingAccounts([...enabling, ...underWay]));
  return changes
    .filter(({ accountId, verdict, reason, heldAction, notBefore }) => {
      const waits = verdict === 'Blocked' && reason === 'prerequisite' && heldAction !== 'none';
      return waits && coming.has(accountId) && (notBefore === null || Date.parse(notBefore) <= now);
    })
    .map((change) => ({ ...change, action: change.heldAction, heldAction: 'none' as const }));
}

/** The accounts in which these changes meet the prerequisite of others. */
export function enablingAccounts(changes: readonly Change[]): AccountId[] {
  return changes.flatMap(({ enrollment, desired, accountId }) =>
    enrollment === 'computeOptimizer' && desired === 'Active' ? [accountId] : [],
  );
}

/** Every call that the changes of a plan take: those due now, their follow-ups, and the second step where one call is not enough. */
export function callsOf(due: readonly Change[], followUps: readonly Change[], batchSize: number): PlannedCall[] {
  const all = [...due, ...followUps];
  return plannedCalls([...all, ...all.flatMap(secondStep)], batchSize);
}

/** A member that is associated has to be disassociated before its status can be set by itself. */
function secondStep(change: Change): Change[] {
  const { action, desired, observed } = change;
  if (action !== 'DisassociateAccounts' || desired === null || desired === observed) return [];
  return [{ ...change, action: 'UpdateEnrollmentConfiguration', scope: 'member' }];
}

export function totalsOf(due: readonly Change[], followUps: readonly Change[], batchSize: number): PlanTotals {
  return {
    now: due.length,
    followUps: followUps.length,
    optOuts: [...due, ...followUps].filter(({ optOut }) => optOut).length,
    calls: callsOf(due, followUps, batchSize).reduce((sum, { calls }) => sum + calls, 0),
  };
}

/** The number of changes that a run makes. */
export const totalChanges = ({ now, followUps }: Pick<PlanTotals, 'now' | 'followUps'>): number => now + followUps;
