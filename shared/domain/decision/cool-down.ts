import type { Condition } from '../enrollment/condition.ts';
import type { Observed } from '../enrollment/mismatch.ts';
import type { EpochMs } from '../enrollment/model.ts';
import type { Prerequisite } from './assess-context.ts';

/**
 * When AWS will probably accept an opt-in again, epoch ms; `null`: nothing suggests a cool-down.
 *
 * Rollcall's own opt-out, from the audit log, certainly starts one. AWS's `lastUpdatedTimestamp` of an Inactive enrollment is only
 * a hint, because joining the organization changes it too. It is ignored if a prerequisite was enrolled at or after that time:
 * nobody can opt out before the prerequisite is Active. If the hint was ignored wrongly, AWS refuses the call and the account waits.
 */
export function coolDownEnd(
  coolDownMs: number,
  observed: Observed,
  known: Condition | null,
  prerequisites: readonly Omit<Prerequisite, 'enrollment'>[],
): EpochMs | null {
  if (observed.status !== 'Inactive') return null;
  const ours = known?.optedOutAt ? Date.parse(known.optedOutAt) : null;
  const hint = observed.lastUpdated;
  const enrolled = latest(prerequisites.map(enrolledAt));
  const theirs = hint !== null && (enrolled === null || enrolled < hint) ? hint : null;
  const start = latest([ours, theirs]);
  return start === null ? null : start + coolDownMs;
}

/** When a prerequisite last changed: AWS's timestamp in the observation or in the record, if that says Active, whichever is later. */
function enrolledAt({ observation, condition }: Omit<Prerequisite, 'enrollment'>): EpochMs | null {
  const seen = observation.kind === 'observed' ? observation.lastUpdated : null;
  const active = condition?.status === 'Active' ? condition.lastUpdated : null;
  return latest([seen, active === null ? null : Date.parse(active)]);
}

function latest(times: readonly (EpochMs | null)[]): EpochMs | null {
  const known = times.filter((time) => time !== null);
  return known.length === 0 ? null : Math.max(...known);
}
