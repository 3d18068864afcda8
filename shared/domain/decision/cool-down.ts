import type { Condition } from '../enrollment/condition.ts';
import type { EpochMs, Observation } from '../enrollment/model.ts';

type Observed = Extract<Observation, { kind: 'observed' }>;

/** An enrollment that must be Active first. */
interface Prerequisite {
  readonly observation: Observation;
  readonly condition: Condition | null;
}

/**
 * When AWS will accept an opt-in again, epoch ms, as far as known without a call; `null`: nothing suggests a cool-down.
 *
 * Only our own opt-out, from the audit log, is certain. AWS's `lastUpdatedTimestamp` of an Inactive enrollment is a hint: it changes when somebody
 * opts out, but also when an account joins, or when the end of a prerequisite ends the enrollment, and those two start no cool-down. An account can
 * only opt out while its prerequisites are Active; if one of them was enrolled at that time or later, the hint is ignored. If the change was an
 * opt-out after all, AWS refuses the call; the state is then read again and the account still waits (`disambiguate`).
 */
export function coolDownEnd(
  coolDownMs: number,
  observed: Observed,
  known: Condition | null,
  prerequisites: readonly Prerequisite[],
): EpochMs | null {
  if (observed.status !== 'Inactive') return null;
  const ours = known?.optedOutAt ? Date.parse(known.optedOutAt) : null;
  const hint = observed.lastUpdated;
  const enrolled = latest(prerequisites.map(enrolledAt));
  const theirs = hint !== null && (enrolled === null || enrolled < hint) ? hint : null;
  const start = latest([ours, theirs]);
  return start === null ? null : start + coolDownMs;
}

/** The latest known time at which a prerequisite changed to its present status. A listing does not state it. */
function enrolledAt({ observation, condition }: Prerequisite): EpochMs | null {
  const seen = observation.kind === 'observed' ? observation.lastUpdated : null;
  const active = condition?.status === 'Active' ? condition.lastUpdated : null;
  return latest([seen, active === null ? null : Date.parse(active)]);
}

function latest(times: readonly (EpochMs | null)[]): EpochMs | null {
  const known = times.filter((time) => time !== null);
  return known.length === 0 ? null : Math.max(...known);
}
