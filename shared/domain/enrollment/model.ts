/** Twelve digits. */
export type AccountId = string;

/** Milliseconds since 1970-01-01T00:00:00Z. Everything in memory uses it; ISO 8601 only where a person or a file reads it. */
export type EpochMs = number;

/** As AWS answers it; only `Active` and `Inactive` may be asked for [API_UpdateEnrollmentStatus]. */
export type EnrollmentStatus = 'Active' | 'Inactive' | 'Pending' | 'Failed';
export type TargetStatus = 'Active' | 'Inactive';

/** Automation's organization rule mode: whether the organization's rules may act in the account [API_automation_AccountInfo]. */
export type RuleMode = 'AnyAllowed' | 'NoneAllowed';

/** Why an account's enrollment could not be told. */
export type UnknownReason =
  | 'notListed' // a complete listing omits it and it has not been read through its role yet
  | 'listingIncomplete' // the listing broke off: nothing is concluded from absence
  | 'unknownState' // AWS reports an account state that this version does not know
  | 'nameUnreadable' // the policy needs names, and AWS did not return that of this account
  | 'tagsUnreadable' // the policy needs tags, and AWS gave no usable answer for this account
  | 'callerCannotRead' // e.g. the management account, seen from a delegated administrator
  | 'denied' // its role could not be assumed, or the read was refused
  | 'unavailable'; // throttling or failures outlasted the retries

/** What was seen of one enrollment of one account, and when. */
export type Observation =
  | {
      readonly kind: 'observed';
      readonly status: EnrollmentStatus;
      /** `null` for Compute Optimizer, and for Automation where AWS names none. */
      readonly ruleMode: RuleMode | null;
      readonly statusReason: string | null;
      readonly lastUpdated: EpochMs | null;
    }
  | { readonly kind: 'unknown'; readonly reason: UnknownReason; readonly message: string | null };

/**
 * Whose credentials make the call and whom it touches: `member` through the assumed role, `own` by the caller's own
 * credentials in its own account, `batch` up to 50 accounts in one call, `organization` every member at once.
 */
export type Scope = 'member' | 'own' | 'batch' | 'organization';

/** Who we are in the organization. */
export interface Caller {
  readonly accountId: AccountId;
  readonly arn: string;
  /** `aws`, `aws-cn`, `aws-us-gov`, …: read from the ARN, never assumed. */
  readonly partition: string;
  readonly organizationId: string;
  readonly managementAccountId: AccountId;
  readonly role: 'management' | 'delegatedAdministrator';
}
