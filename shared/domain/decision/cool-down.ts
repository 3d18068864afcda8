import type { Condition } from '../enrollment/condition.ts';
import type { EpochMs, Observation } from '../enrollment/model.ts';

/** At least this long must pass after opting out of Automation before opting in again [automation-disable]. */
export const COOL_DOWN_MS = 24 * 60 * 60 * 1000;

type Observed = Extract<Observation, { kind: 'observed' }>;

/**
 * Until when AWS will refuse to turn Automation on again, epoch ms, as far as can be told without asking; `null`: nothing speaks for a
 * cool-down.
 *
 * Certain is only what our own ledger says: we have opted it out. AWS's `lastUpdatedTimestamp` of an Inactive Automation is a hint: it
 * moves when somebody opts out, and just as well when an account joins or when Compute Optimizer's end takes Automation along, which both
 * start no cool-down. To opt out, the account must have been in Compute Optimizer at that time; where Compute Optimizer was (re)enrolled
 * at that time or later, the hint is therefore not taken. If it was an opt-out after all, AWS refuses the one call, the state is read
 * again, and the account waits for its time all the same (`disambiguate`).
 */
export function coolDownEnd(
  automation: Observed,
  known: Condition | null,
  computeOptimizer: Observation,
  knownComputeOptimizer: Condition | null,
): EpochMs | null {
  if (automation.status !== 'Inactive') return null;
  const ours = known?.optedOutAt ? Date.parse(known.optedOutAt) : null;
  const hint = automation.lastUpdated;
  const enrolled = enrolledAt(computeOptimizer, knownComputeOptimizer);
  const theirs = hint !== null && (enrolled === null || enrolled < hint) ? hint : null;
  const times = [ours, theirs].filter((time) => time !== null);
  return times.length === 0 ? null : Math.max(...times) + COOL_DOWN_MS;
}

/** When Compute Optimizer became what it is, the latest that anybody has seen; a listing of Automation does not tell. */
function enrolledAt(observed: Observation, known: Condition | null): EpochMs | null {
  const seen = observed.kind === 'observed' ? observed.lastUpdated : null;
  const remembered = known?.status === 'Active' && known.lastUpdated !== null ? Date.parse(known.lastUpdated) : null;
  const times = [seen, remembered].filter((time) => time !== null);
  return times.length === 0 ? null : Math.max(...times);
}
