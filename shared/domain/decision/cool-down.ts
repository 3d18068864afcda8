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
 * Two sources give the start. Our own opt-out, from the audit log, is certain. AWS's `lastUpdatedTimestamp` of an Inactive enrollment is only a hint:
 * joining the organization or losing a prerequisite changes it too, but starts no cool-down. The hint is ignored if a prerequisite was enrolled at or
 * after its time, because nobody can opt out before the prerequisite is Active. If it was ignored wrongly, AWS refuses the call and the account waits
 * anyway (`disambiguate`).
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
