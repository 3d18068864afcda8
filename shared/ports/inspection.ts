import type { EnrollmentId } from '../domain/enrollment/kinds/index.ts';
import type { AccountId } from '../domain/enrollment/model.ts';

/** What only `doctor` reads. Every method only reads (invariant 6), makes each call once, and throws only `CloudError`. */
export interface Inspection {
  /** The Region in the SDK's settings. */
  region(): Promise<string>;
  caller(): Promise<{ readonly accountId: AccountId; readonly arn: string; readonly partition: string }>;
  organization(): Promise<OrganizationFacts>;
  /** Service principals with trusted access [API_ListAWSServiceAccessForOrganization]. */
  trustedServices(): Promise<readonly string[]>;
  /** The delegated administrators of Compute Optimizer [delegate-administrator-account]. */
  delegatedAdministrators(): Promise<readonly AccountId[]>;
  /** Enrollments that AWS lists as Failed, with AWS's reason. */
  failedEnrollments(enrollment: EnrollmentId): Promise<readonly FailedEnrollment[]>;
  /** ACTIVE accounts except the caller's and the management account: at least `atLeast`, if the organization has that many. */
  members(atLeast: number): Promise<readonly AccountId[]>;
  /** `r-…` */
  rootId(): Promise<string>;
}

export interface OrganizationFacts {
  readonly organizationId: string;
  readonly managementAccountId: AccountId;
  /** `ALL` or `CONSOLIDATED_BILLING`; `null` if AWS does not say. */
  readonly featureSet: string | null;
}

export interface FailedEnrollment {
  readonly accountId: AccountId;
  readonly statusReason: string | null;
}
