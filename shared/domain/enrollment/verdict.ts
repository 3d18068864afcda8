import type { Action, EnrollmentId } from './kinds/index.ts';
import type { AccountId, EnrollmentStatus, EpochMs, RuleMode, Scope, TargetStatus, UnknownReason } from './model.ts';

/** The verdicts of one (account, enrollment), in the order in which the first that applies is taken. */
export const VERDICTS = [
  'NotApplicable',
  'Unmanaged',
  'Suspended',
  'Exempt',
  'Unknown',
  'Converging',
  'Stalled',
  'Blocked',
  'Drifted',
  'Compliant',
] as const;
export type Verdict = (typeof VERDICTS)[number];

/**
 * The verdicts of a drift: AWS reports something other than the desired state, whether or not the fix is delayed. Converging is not among them,
 * because a Pending that somebody else started may still end as desired. It becomes a drift when it settles differently or passes its deadline
 * (Stalled). A drift that is already open stays open while it converges.
 */
export const DRIFT_VERDICTS = ['Stalled', 'Blocked', 'Drifted'] as const satisfies readonly Verdict[];

export function isDrift(verdict: Verdict): boolean {
  return DRIFT_VERDICTS.some((each) => each === verdict);
}

/** Why a verdict stands; every verdict but Compliant has one. */
export type ReasonCode =
  | 'accountNotActive'
  | 'policySaysNothing'
  | 'modeOff'
  | 'suspendedByOperator'
  | 'resumed' // no longer suspended, and not looked at since
  | 'exemption'
  | UnknownReason
  | 'policyContradiction'
  | 'prerequisite' // Compute Optimizer is not Active there yet, or still associated
  | 'coolDown' // opted out of Automation less than 24 hours ago
  | 'window'
  | 'halted' // the kill switch is on
  | 'contested'
  | 'guardrail'
  | 'rollout' // the canaries come first
  | 'enrollmentFailed' // AWS says Failed
  | 'pending' // AWS says Pending
  | 'acted' // we called and have not observed the result yet
  | 'deadlinePassed'
  | 'statusDiffers'
  | 'ruleModeDiffers'
  | 'alertOnly'
  | 'retrying' // a call failed, another follows at notBefore
  | 'deadLettered'; // attempts are used up or the error cannot pass by itself

/** What the policy wants of one enrollment of one account, and which rule says so. */
export interface DesiredEnrollment {
  /** `null`: the policy leaves the status alone (only the rule mode is managed). */
  readonly status: TargetStatus | null;
  /** `null` for Compute Optimizer, and where the policy leaves the rule mode alone. */
  readonly ruleMode: RuleMode | null;
}

/** The answer of the diff for one (account, enrollment). */
export interface Assessment {
  readonly accountId: AccountId;
  readonly enrollment: EnrollmentId;
  readonly verdict: Verdict;
  readonly reason: ReasonCode | null;
  /** One sentence for people; names the numbers behind the reason. */
  readonly message: string | null;
  /** Id of the deciding rule, or `defaults`; `null`: the policy could not decide. */
  readonly rule: string | null;
  readonly status: EnrollmentStatus | null;
  readonly ruleMode: RuleMode | null;
  readonly lastUpdated: EpochMs | null;
  readonly desired: DesiredEnrollment;
  /** The call that follows; `none` unless the verdict is Drifted and the mode is enforce. */
  readonly action: Action;
  /** Where something stands in the way of a call for now (prerequisite, cool-down, rollout, …): that call; else `none`. */
  readonly heldAction: Action;
  readonly scope: Scope;
  /** The status to ask for where the action takes one. */
  readonly target: TargetStatus | null;
  /** The action, now or once nothing stands in its way, deletes data or removes an association: counted by `maxOptOuts` as well. */
  readonly optOut: boolean;
  /** Not to be acted upon before this time; `null`: at once, or the time is not known. */
  readonly notBefore: EpochMs | null;
  /** Converging: when it becomes Stalled. */
  readonly deadline: EpochMs | null;
}
