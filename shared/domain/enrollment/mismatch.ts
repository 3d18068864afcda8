import type { Action, EnrollmentId } from './kinds/index.ts';
import type { Observation, Scope, TargetStatus } from './model.ts';
import type { DesiredEnrollment } from './verdict.ts';

/** The next call towards the desired state of an enrollment. */
export interface Call {
  readonly action: Action;
  readonly scope: Scope;
  /** The requested status, if the action has one. */
  readonly target: TargetStatus | null;
  /** Deletes data or removes an association, so it counts against `maxOptOuts`. */
  readonly optOut: boolean;
  /** Enables the enrollment, so prerequisites and cool-down apply. */
  readonly enables: boolean;
}

export type Observations = Readonly<Record<EnrollmentId, Observation>>;

export type Observed = Extract<Observation, { kind: 'observed' }>;

export type Mismatch = 'statusDiffers' | 'ruleModeDiffers';

export function statusMatters(desired: DesiredEnrollment): boolean {
  // Associating also enables the enrollment, so AnyAllowed is a desired status as well.
  return desired.status !== null || desired.ruleMode === 'AnyAllowed';
}

/** The first difference between desired and observed state; `null`: none, or nothing was observed. */
export function mismatchOf(desired: DesiredEnrollment, observation: Observation): Mismatch | null {
  return observation.kind === 'observed' ? differs(desired, observation) : null;
}

/** Like {@link mismatchOf}, for a known observation. AWS's missing rule mode counts as NoneAllowed. */
export function differs(desired: DesiredEnrollment, seen: Pick<Observed, 'status' | 'ruleMode'>): Mismatch | null {
  if (desired.status !== null && seen.status !== desired.status) return 'statusDiffers';
  if (desired.ruleMode !== null && (seen.ruleMode ?? 'NoneAllowed') !== desired.ruleMode) return 'ruleModeDiffers';
  return null;
}
