import type { Action, EnrollmentId } from './kinds/index.ts';
import type {
  AccountId,
  EnrollmentStatus,
  EpochMs,
  GoverningConfiguration,
  RuleMode,
  Scope,
  TargetStatus,
} from './model.ts';
import type { ReasonCode } from './reason-codes.ts';

/** The verdicts of one (account, enrollment). The first that applies, in this order, is taken. */
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
 * The verdicts that begin a drift. Converging is not among them: a change in progress may still end as desired. It becomes a
 * drift if it ends otherwise or passes its deadline (Stalled). An open drift stays open while it converges.
 */
export const DRIFT_VERDICTS = ['Stalled', 'Blocked', 'Drifted'] as const satisfies readonly Verdict[];

export function isDrift(verdict: Verdict): boolean {
  return DRIFT_VERDICTS.some((each) => each === verdict);
}

/** The desired state of one enrollment of one account. */
export interface DesiredEnrollment {
  /** `null`: the policy does not manage the status (only the rule mode). */
  readonly status: TargetStatus | null;
  /** `null` for Compute Optimizer, and if the policy does not manage the rule mode. */
  readonly ruleMode: RuleMode | null;
}

/** The result of comparing desired and observed state of one (account, enrollment). */
export interface Assessment {
  readonly accountId: AccountId;
  readonly enrollment: EnrollmentId;
  readonly verdict: Verdict;
  readonly reason: ReasonCode | null;
  /** One sentence for people; names the numbers behind the reason. */
  readonly message: string | null;
  /** The id of the deciding rule, or `defaults`; `null`: the policy could not be resolved. */
  readonly rule: string | null;
  readonly status: EnrollmentStatus | null;
  readonly ruleMode: RuleMode | null;
  /** As in the record; absent if no configuration governs the account. */
  readonly ruleModeSource?: GoverningConfiguration;
  readonly lastUpdated: EpochMs | null;
  readonly desired: DesiredEnrollment;
  /** The call that follows; `none` unless the verdict is Drifted and the mode is enforce. */
  readonly action: Action;
  /** The call that is delayed (by a prerequisite, a cool-down, a rollout, …); otherwise `none`. */
  readonly heldAction: Action;
  readonly scope: Scope;
  /** The requested status, if the action has one. */
  readonly target: TargetStatus | null;
  /** Whether the action, even a delayed one, deletes data or removes an association, so that it counts against `maxOptOuts`. */
  readonly optOut: boolean;
  /** The earliest time of the next attempt; `null`: immediately, or unknown. */
  readonly notBefore: EpochMs | null;
  /** Converging: when it becomes Stalled. */
  readonly deadline: EpochMs | null;
}
