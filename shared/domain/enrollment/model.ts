/** Twelve digits. */
export type AccountId = string;

/** Milliseconds since 1970-01-01T00:00:00Z. Used for all times in memory; text and files use ISO 8601. */
export type EpochMs = number;

/** The status that AWS reports. Only `Active` and `Inactive` can be requested [API_UpdateEnrollmentStatus]. */
export type EnrollmentStatus = 'Active' | 'Inactive' | 'Pending' | 'Failed';
export type TargetStatus = 'Active' | 'Inactive';

/** Automation's organization rule mode: whether the organization's rules may act in the account [API_automation_AccountInfo]. */
export type RuleMode = 'AnyAllowed' | 'NoneAllowed';

/**
 * What determines the rule mode of an account [API_automation_OrganizationRuleModeSource]. `applied`: a configuration of this account. `inherited`: a
 * configuration of a parent OU or the root. `direct`: the account was associated or disassociated. `default`: nothing, so the mode is NoneAllowed.
 * `configuration`: `applied` or `inherited`; the read of a single account does not tell them apart.
 */
export interface RuleModeSource {
  readonly type: 'applied' | 'inherited' | 'direct' | 'default' | 'configuration';
  /** The account, OU or root that has the configuration; `null` if there is none or AWS does not name it. */
  readonly targetId: string | null;
}

/** The root or an OU, as AWS Organizations has it. */
export interface OrganizationalUnit {
  /** `r-…` or `ou-…`. */
  readonly id: string;
  /** `null`: the root. */
  readonly parentId: string | null;
  /** As in policies: `/` for the root, else names such as `/A/B`. */
  readonly path: string;
}

/** The organization enrollment configuration that determines the rule mode of an account, as records and entries store it. */
export interface GoverningConfiguration extends RuleModeSource {
  readonly type: 'applied' | 'inherited' | 'configuration';
}

/** What an organization enrollment configuration applies to. An `organizationalUnit` is an OU (`ou-…`) or the root (`r-…`). */
export interface ConfigurationTarget {
  readonly type: 'account' | 'organizationalUnit';
  readonly id: string;
}

/** An organization enrollment configuration. */
export interface OrganizationConfiguration {
  readonly target: ConfigurationTarget;
  /** `null`: AWS returned none, or one that this version does not know. */
  readonly ruleMode: RuleMode | null;
}

/** Why the status of an enrollment is unknown. */
export type UnknownReason =
  | 'notListed' // a complete listing omits the account, and it has not been read through its role yet
  | 'listingIncomplete' // the listing is incomplete, so absence from it means nothing
  | 'unknownState' // AWS reports an account state that this version does not know
  | 'nameUnreadable' // the policy needs names, and AWS returned none for this account
  | 'tagsUnreadable' // the policy needs tags, and AWS gave no usable answer for this account
  | 'callerCannotRead' // e.g. the management account, seen from a delegated administrator
  | 'denied' // its role could not be assumed, or the read was refused
  | 'unavailable'; // throttling or failures outlasted the retries

/** One observation of one enrollment of one account. */
export type Observation =
  | {
      readonly kind: 'observed';
      readonly status: EnrollmentStatus;
      /** `null` for Compute Optimizer, and for Automation if AWS returns none. */
      readonly ruleMode: RuleMode | null;
      readonly statusReason: string | null;
      readonly lastUpdated: EpochMs | null;
      /** `null`: nothing is known to determine it. Absent: the answer does not say. */
      readonly ruleModeSource?: RuleModeSource | null;
    }
  | { readonly kind: 'unknown'; readonly reason: UnknownReason; readonly message: string | null };

/**
 * Which credentials make a call, and which accounts it changes. `member`: one account, through its member role. The others use
 * the caller's own credentials: `own` its own account, `batch` up to 50 accounts, `organization` every member, `configuration` the
 * accounts at or below the target of an organization enrollment configuration.
 */
export const SCOPES = ['member', 'own', 'batch', 'organization', 'configuration'] as const;
export type Scope = (typeof SCOPES)[number];

/** The identity of this process in the organization. */
export interface Caller {
  readonly accountId: AccountId;
  readonly arn: string;
  /** `aws`, `aws-cn`, `aws-us-gov`, …: read from the ARN, never assumed. */
  readonly partition: string;
  readonly organizationId: string;
  readonly managementAccountId: AccountId;
  readonly role: 'management' | 'delegatedAdministrator';
}
