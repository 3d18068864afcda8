import type { EnrollmentId } from './kinds/index.ts';
import type { EnrollmentStatus, GoverningConfiguration, RuleMode, TargetStatus } from './model.ts';
import type { ReasonCode } from './reason-codes.ts';
import type { Verdict } from './verdict.ts';

/** The state of an enrollment before or after an entry, as the entry records it. Times are ISO 8601. */
export interface Facet {
  readonly verdict: Verdict;
  readonly reason: ReasonCode | null;
  readonly status: EnrollmentStatus | null;
  readonly ruleMode: RuleMode | null;
  /** The organization enrollment configuration that determines the rule mode. Absent: none does. */
  readonly ruleModeSource?: GoverningConfiguration;
  readonly lastUpdated: string | null;
  readonly desired: TargetStatus | null;
  readonly desiredRuleMode: RuleMode | null;
  readonly notBefore: string | null;
  readonly deadline: string | null;
  readonly attempts: number;
}

/** The present condition of one (account, enrollment), as JSON with ISO 8601 times. It can be rebuilt from the audit log. */
export interface Condition extends Facet, Contention {
  readonly rule: string | null;
  readonly policyHash: string | null;
  /** The run of the last entry. */
  readonly runId: string | null;
  /** When this verdict began. */
  readonly since: string;
  /** When the condition last changed. */
  readonly changedAt: string;
  /** When the open drift was first observed; `null` if none is open. It stays open while its fix is delayed or fails. */
  readonly driftSince: string | null;
  /** The call behind the open drift, if CloudTrail reported it. Absent: no open drift, or the actor is unknown. */
  readonly changedBy?: DriftCause;
  /** A worker has recorded that it will make a call, and has not recorded the outcome yet. */
  readonly claim: Claim | null;
  /** When Rollcall last opted this enrollment out. The 24-hour cool-down counts from then or from AWS's timestamp, whichever is later. */
  readonly optedOutAt: string | null;
}

/** The call of somebody else that caused a drift. */
export interface DriftCause {
  /** The caller's ARN, or the best other name that CloudTrail has. */
  readonly actor: string;
  readonly operation: string;
  /** ISO 8601. */
  readonly at: string;
}

/** A worker's announcement of a call for one (account, enrollment), from its `RemediationStarted` entry. */
export interface Claim {
  readonly entryId: string;
  readonly startedAt: string;
  /** When the claim expires. From then on another worker may take over and determine the result of the call. */
  readonly expiresAt: string;
  readonly operation: string;
  readonly clientToken: string | null;
  readonly optOut: boolean;
}

export interface AccountState {
  /** Whether the last complete listing of the organization contained the account. */
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
