/**
 * Shapes of Cost Optimization Hub, by the names of `@aws-sdk/client-cost-optimization-hub` (Smithy model `com.amazonaws.costoptimizationhub`, version
 * 2022-07-26), limited to the operations that Rollcall calls. Members are optional and may be `undefined`, as in every client of the SDK.
 */
type EnrollmentStatus = 'Active' | 'Inactive';

interface AccountEnrollmentStatus {
  accountId?: string | undefined;
  status?: EnrollmentStatus | undefined;
  lastUpdatedTimestamp?: Date | undefined;
  createdTimestamp?: Date | undefined;
}

export interface ListEnrollmentStatusesRequest {
  /** Lists the accounts of the organization; management account or delegated administrator only. */
  includeOrganizationInfo?: boolean | undefined;
  accountId?: string | undefined;
  nextToken?: string | undefined;
  /** 0–100. */
  maxResults?: number | undefined;
}
export interface ListEnrollmentStatusesResponse {
  items?: AccountEnrollmentStatus[] | undefined;
  includeMemberAccounts?: boolean | undefined;
  nextToken?: string | undefined;
}

export interface UpdateEnrollmentStatusRequest {
  status: EnrollmentStatus | undefined;
  includeMemberAccounts?: boolean | undefined;
}
export interface UpdateEnrollmentStatusResponse {
  status?: string | undefined;
}
