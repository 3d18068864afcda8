/**
 * Shapes of Compute Optimizer Automation, by the names of the upstream package `@aws-sdk/client-compute-optimizer-automation`
 * (Smithy model `com.amazonaws.computeoptimizerautomation`, version 2025-09-22), limited to the operations that Rollcall calls.
 * Members are optional and may be `undefined`, as in every client of the SDK.
 */
type EnrollmentStatus = 'Active' | 'Inactive' | 'Pending' | 'Failed';
type OrganizationRuleMode = 'AnyAllowed' | 'NoneAllowed';
type OrganizationTargetType = 'Account' | 'OrganizationalUnit';

interface OrganizationRuleModeSource {
  /**
   * `Applied`: a configuration is stored on this account or OU. `Inherited`: on a parent OU or the root. `Direct`: set by AssociateAccounts.
   * `Default`: nothing sets the mode.
   */
  sourceType: 'Applied' | 'Inherited' | 'Direct' | 'Default' | undefined;
  /** The account, OU or root that has the configuration. */
  sourceTargetId?: string | undefined;
}

interface AccountInfo {
  accountId: string | undefined;
  status: EnrollmentStatus | undefined;
  organizationRuleMode: OrganizationRuleMode | undefined;
  organizationRuleModeSource?: OrganizationRuleModeSource | undefined;
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
  /** Whether a configuration of the account, a parent OU or the root enables Automation here. Absent for management and standalone accounts. */
  organizationEnrollmentConfigurationStatus?: 'Active' | 'Inactive' | undefined;
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

/** A union: exactly one member is present. */
type OrganizationTarget =
  | { accountId: string; organizationalUnitId?: never }
  /** An OU (`ou-…`) or the root (`r-…`). */
  | { accountId?: never; organizationalUnitId: string };

export interface PutOrganizationEnrollmentConfigurationRequest {
  target: OrganizationTarget | undefined;
  organizationRuleMode?: OrganizationRuleMode | undefined;
  clientToken?: string | undefined;
}
export type PutOrganizationEnrollmentConfigurationResponse = Record<never, never>;

export interface DeleteOrganizationEnrollmentConfigurationRequest {
  target: OrganizationTarget | undefined;
  configurationTypes: 'OrganizationRuleMode'[] | undefined;
  clientToken?: string | undefined;
}
export type DeleteOrganizationEnrollmentConfigurationResponse = Record<never, never>;

export interface ListOrganizationEnrollmentConfigurationsRequest {
  targetType?: OrganizationTargetType | undefined;
  /** 1–1000; default 1000. */
  maxResults?: number | undefined;
  nextToken?: string | undefined;
}
export interface ListOrganizationEnrollmentConfigurationsResponse {
  organizationEnrollmentConfigurations: OrganizationEnrollmentConfiguration[] | undefined;
  nextToken?: string | undefined;
}
interface OrganizationEnrollmentConfiguration {
  targetId: string | undefined;
  targetType: OrganizationTargetType | undefined;
  organizationRuleMode?: OrganizationRuleMode | undefined;
}

export interface ListOrganizationalUnitsRequest {
  /** At most 50. */
  organizationalUnitIds?: string[] | undefined;
  /** 1–1000. */
  maxResults?: number | undefined;
  nextToken?: string | undefined;
}
export interface ListOrganizationalUnitsResponse {
  organizationalUnits: OrganizationalUnitInfo[] | undefined;
  nextToken?: string | undefined;
}
interface OrganizationalUnitInfo {
  organizationalUnitId: string | undefined;
  autoEnrollMemberAccounts: 'All' | 'None' | undefined;
  organizationRuleMode: OrganizationRuleMode | undefined;
  organizationRuleModeSource: OrganizationRuleModeSource | undefined;
}
