import type { UpdateEnrollmentStatusCommandOutput } from '@aws-sdk/client-compute-optimizer';

/**
 * Shapes of Compute Optimizer Automation, by the names of the upstream package `@aws-sdk/client-compute-optimizer-automation`
 * (Smithy model `com.amazonaws.computeoptimizerautomation`, version 2025-09-22), limited to the operations that Rollcall calls.
 * Members are optional and may be `undefined`, as in every client of the SDK.
 */
type EnrollmentStatus = 'Active' | 'Inactive' | 'Pending' | 'Failed';
type OrganizationRuleMode = 'AnyAllowed' | 'NoneAllowed';

/** What the SDK adds to every answer: request id, HTTP status, attempts. */
export interface MetadataBearer {
  $metadata: UpdateEnrollmentStatusCommandOutput['$metadata'];
}

interface AccountInfo {
  accountId: string | undefined;
  status: EnrollmentStatus | undefined;
  organizationRuleMode: OrganizationRuleMode | undefined;
  statusReason?: string | undefined;
  lastUpdatedTimestamp: Date | undefined;
}

export interface UpdateEnrollmentConfigurationRequest {
  status: EnrollmentStatus | undefined;
  /** 1–64 of `[a-zA-Z0-9_-]`; the client generates a random one by default. */
  clientToken?: string | undefined;
}
export interface UpdateEnrollmentConfigurationResponse {
  status: EnrollmentStatus | undefined;
  statusReason?: string | undefined;
  lastUpdatedTimestamp: Date | undefined;
}

export type GetEnrollmentConfigurationRequest = Record<never, never>;
export interface GetEnrollmentConfigurationResponse {
  status: EnrollmentStatus | undefined;
  statusReason?: string | undefined;
  organizationRuleMode?: OrganizationRuleMode | undefined;
  lastUpdatedTimestamp?: Date | undefined;
}

export interface ListAccountsRequest {
  /** 1–1000. */
  maxResults?: number | undefined;
  nextToken?: string | undefined;
}
export interface ListAccountsResponse {
  accounts: AccountInfo[] | undefined;
  nextToken?: string | undefined;
}

export interface AssociateAccountsRequest {
  /** At most 50. */
  accountIds: string[] | undefined;
  clientToken?: string | undefined;
}
export interface AssociateAccountsResponse {
  accountIds?: string[] | undefined;
  errors?: string[] | undefined;
}
export interface DisassociateAccountsRequest extends AssociateAccountsRequest {}
export interface DisassociateAccountsResponse extends AssociateAccountsResponse {}
