import type { EnrollmentId } from './kinds/index.ts';
import type { EnrollmentStatus, RuleMode, TargetStatus } from './model.ts';
import type { ReasonCode } from './reason-codes.ts';
import type { Verdict } from './verdict.ts';

/** The state of an enrollment before or after an entry, as the entry records it. Times are ISO 8601. */
export interface Facet {
  readonly verdict: Verdict;
  readonly reason: ReasonCode | null;
  readonly status: EnrollmentStatus | null;
  readonly ruleMode: RuleMode | null;
  readonly lastUpdated: string | null;
  readonly desired: TargetStatus | null;
  readonly desiredRuleMode: RuleMode | null;
  readonly notBefore: string | null;
  readonly deadline: string | null;
  readonly attempts: number;
}

/**
 * The present condition of one (account, enrollment). Plain JSON; times are ISO 8601. Everything in it comes from the audit log, so it can be rebuilt from
 * there.
 */
export interface Condition extends Facet, Contention {
  readonly rule: string | null;
  readonly policyHash: string | null;
  /** The run of the last entry. */
  readonly runId: string | null;
  /** When this verdict began. */
  readonly since: string;
  /** When the condition last changed. */
  readonly changedAt: string;
  /**
   * When the open drift was first observed; `null` if none is open. A drift stays open while its fix is delayed or has failed. It ends
   * when the desired state is observed or when the drift is superseded.
   */
  readonly driftSince: string | null;
  /** An intent without an outcome: a worker is making, or was making, a call. */
  readonly claim: Claim | null;
  /** When Rollcall last opted this enrollment out. The 24-hour cool-down counts from then or from AWS's timestamp, whichever is later. */
  readonly optedOutAt: string | null;
}

/** A claim of a worker on a key, from its `RemediationStarted`. */
export interface Claim {
  readonly entryId: string;
  readonly startedAt: string;
  /** When the claim expires. From then on another worker may take over and determine the result of the call. */
  readonly expiresAt: string;
  readonly operation: string;
  readonly clientToken: string | null;
  readonly optOut: boolean;
}

/** The state of an account, folded from its chain. */
export interface AccountState {
  /** Member of the organization as of the last complete snapshot. */
  readonly present: boolean;
  readonly conditions: Readonly<Record<EnrollmentId, Condition | null>>;
}

/** One reversion of a compliant enrollment. */
export interface Reversion {
  /** When it was detected, ISO 8601. */
  readonly at: string;
  /** The actor, if CloudTrail recorded it. */
  readonly by: string | null;
}

/** The enrollment is contested: Rollcall makes no change until an operator resumes the account. */
interface Contest {
  /** ISO 8601. */
  readonly since: string;
  readonly message: string;
}

/** The reversions of an enrollment. Absent fields: no recorded reversions, not contested. */
export interface Contention {
  readonly setBacks?: readonly Reversion[];
  readonly contested?: Contest;
}
