import type { Action, EnrollmentId } from './kinds/index.ts';
import type { Observation, Scope, TargetStatus } from './model.ts';
import type { DesiredEnrollment } from './verdict.ts';

/** The one call that brings an enrollment a step towards what is wanted. */
export interface Call {
  readonly action: Action;
  readonly scope: Scope;
  /** The status to ask for, where the action takes one. */
  readonly target: TargetStatus | null;
  /** Data loss or loss of an association: needs the policy's leave under `maxOptOuts`. */
  readonly optOut: boolean;
  /** It turns the enrollment on: prerequisite and cool-down apply. */
  readonly enables: boolean;
}

/** What was observed of each enrollment of an account. */
export type Observations = Readonly<Record<EnrollmentId, Observation>>;

export type Observed = Extract<Observation, { kind: 'observed' }>;

/** What differs, by its reason code. */
export type Mismatch = 'statusDiffers' | 'ruleModeDiffers';

export function statusMatters(desired: DesiredEnrollment): boolean {
  // Associating enables as well, so a wanted AnyAllowed is a wish about the status too.
  return desired.status !== null || desired.ruleMode === 'AnyAllowed';
}

/** The first thing that differs between wish and observation; `null` if nothing does, or nothing was observed. */
export function mismatchOf(desired: DesiredEnrollment, observation: Observation): Mismatch | null {
  return observation.kind === 'observed' ? differs(desired, observation) : null;
}

/** As {@link mismatchOf}, of what was seen. An account for which AWS names no rule mode allows none. */
export function differs(desired: DesiredEnrollment, seen: Pick<Observed, 'status' | 'ruleMode'>): Mismatch | null {
  if (desired.status !== null && seen.status !== desired.status) return 'statusDiffers';
  if (desired.ruleMode !== null && (seen.ruleMode ?? 'NoneAllowed') !== desired.ruleMode) return 'ruleModeDiffers';
  return null;
}
