import type { EnrollmentId } from './kinds/index.ts';
import type { EnrollmentStatus, RuleMode, TargetStatus } from './model.ts';
import type { ReasonCode, Verdict } from './verdict.ts';

/** What stood before or after an entry, as far as the entry knows. Times are ISO 8601. */
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
 * The present condition of one (account, enrollment). Plain JSON; times are ISO 8601 as in the facet it extends.
 * Nothing in it is known otherwise than from the ledger, so that it can be rebuilt from there.
 */
export interface Condition extends Facet, Contention {
  readonly rule: string | null;
  readonly policyHash: string | null;
  /** The run that last touched it. */
  readonly runId: string | null;
  /** When this verdict began. */
  readonly since: string;
  /** When anything of it last changed. */
  readonly changedAt: string;
  /**
   * When the open drift was first observed; `null` if none is open. A drift stays open while it waits, is blocked, or has failed for good. It ends
   * when the desired state is observed or when the drift is superseded.
   */
  readonly driftSince: string | null;
  /** An intent without an outcome: someone is making (or was making) a call. */
  readonly claim: Claim | null;
  /** When we last opted this enrollment out; the 24-hour cool-down counts from there as well as from AWS's timestamp. */
  readonly optedOutAt: string | null;
}

/** The worker's claim on a key, out of its `RemediationStarted`. */
export interface Claim {
  readonly entryId: string;
  readonly startedAt: string;
  /** After this the next worker finds out what happened. */
  readonly expiresAt: string;
  readonly operation: string;
  readonly clientToken: string | null;
  readonly optOut: boolean;
}

/** What a fold of a chain knows of its account. */
export interface AccountState {
  /** Member of the organization as of the last complete snapshot. */
  readonly present: boolean;
  readonly conditions: Readonly<Record<EnrollmentId, Condition | null>>;
}

/** One time that an enrollment which was as wanted was found changed again. */
export interface Reversion {
  /** When it was found, ISO 8601. */
  readonly at: string;
  /** Who did it, where CloudTrail told. */
  readonly by: string | null;
}

/** Nothing is changed any more until somebody resumes the account. */
interface Contest {
  /** ISO 8601. */
  readonly since: string;
  readonly message: string;
}

/** What of a condition says whether it is contested. Absent: no set-back is remembered, nothing is contested. */
export interface Contention {
  readonly setBacks?: readonly Reversion[];
  readonly contested?: Contest;
}
