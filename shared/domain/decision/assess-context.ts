import type { Condition } from '../enrollment/condition.ts';
import type { EnrollmentId } from '../enrollment/kinds/index.ts';
import type { Call } from '../enrollment/mismatch.ts';
import type { Caller, EpochMs, Observation, RuleMode } from '../enrollment/model.ts';
import type { ReasonCode } from '../enrollment/reason-codes.ts';
import type { DesiredEnrollment, Verdict } from '../enrollment/verdict.ts';
import type { CompiledPolicy, DesiredState, OrganizationAccount } from '../policy/index.ts';

/** An operator's suspension of an account. */
export interface Suspension {
  readonly reason: string;
  /** Epoch ms; `null`: until resumed. */
  readonly until: EpochMs | null;
}

/** Delays a call for a reason outside the account; the verdict becomes Blocked. */
interface Hold {
  readonly reason: ReasonCode;
  readonly message: string;
  /** When the delay ends, epoch ms; `null`: unknown. */
  readonly notBefore: EpochMs | null;
}

/** Why this call for this account is delayed; `null`: it is not. Makes no call itself: its inputs are read beforehand. */
export type HoldOf = (account: OrganizationAccount, enrollment: EnrollmentId, call: Call) => Hold | null;

/** The inputs of an assessment that are shared by all accounts. */
export interface AssessContext {
  readonly policy: CompiledPolicy;
  readonly caller: Caller;
  readonly now: EpochMs;
  readonly suspensionOf: (account: OrganizationAccount) => Suspension | null;
  /** The kill switch is on. */
  readonly halted?: boolean;
  /** False if a listing is incomplete. Opting out deletes data, so it must never follow from such a listing (invariant 8). */
  readonly optOutsAllowed: boolean;
  /** Whether Rollcall stored this rule mode for the target. If it manages configurations, it changes them when the policy changes. */
  readonly isOwnConfiguration?: (targetId: string, ruleMode: RuleMode) => boolean;
  /** The first hold that applies makes a drift Blocked. Checked only for a drift that would otherwise be remediated. */
  readonly holds?: readonly HoldOf[];
}

/** One enrollment of one account, with its recorded condition. */
export interface Subject {
  readonly context: AssessContext;
  readonly account: OrganizationAccount;
  readonly enrollment: EnrollmentId;
  /** `null`: the policy needs tags or a name that AWS did not return. */
  readonly state: DesiredState | null;
  readonly desired: DesiredEnrollment;
  readonly rule: string | null;
  readonly observation: Observation;
  readonly condition: Condition | null;
  readonly prerequisites: readonly Prerequisite[];
}

/** Another enrollment of the account that must be Active first, with its recorded condition. */
export interface Prerequisite {
  readonly enrollment: EnrollmentId;
  readonly observation: Observation;
  readonly condition: Condition | null;
}

export interface Outcome {
  readonly verdict: Verdict;
  readonly reason: ReasonCode | null;
  readonly message?: string | null;
  readonly call?: Call;
  /** The call that is delayed. */
  readonly held?: Call;
  readonly notBefore?: EpochMs | null;
  readonly deadline?: EpochMs | null;
}
