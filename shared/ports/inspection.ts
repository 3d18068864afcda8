import type { EnrollmentId } from '../domain/enrollment/kinds/index.ts';
import type { AccountId } from '../domain/enrollment/model.ts';

/**
 * What `doctor` asks AWS beside what {@link import('./cloud.ts').Cloud} reads: who we are and how the organization is set up.
 * Every method only reads (invariant 6), asks once, and throws nothing but `CloudError`.
 */
export interface Inspection {
  /** The Region that the SDK's settings name. */
  region(): Promise<string>;
  caller(): Promise<{ readonly accountId: AccountId; readonly arn: string; readonly partition: string }>;
  organization(): Promise<OrganizationFacts>;
  /** Service principals with trusted access [API_ListAWSServiceAccessForOrganization]. */
  trustedServices(): Promise<readonly string[]>;
  /** Of Compute Optimizer [delegate-administrator-account]. */
  delegatedAdministrators(): Promise<readonly AccountId[]>;
  /** Enrollments that AWS lists as Failed, with its own words for why. */
  failedEnrollments(enrollment: EnrollmentId): Promise<readonly FailedEnrollment[]>;
  /** ACTIVE accounts other than the caller's and the management account, at least `atLeast` if the organization has so many. */
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
