import {
  IDEMPOTENCY_TOKEN,
  IDEMPOTENT,
  INTEGER,
  type Member,
  NO_TRAITS,
  STRING,
  STRING_LIST,
  shapesOf,
  TIMESTAMP,
} from '../service-client/schemas.ts';
import { ComputeOptimizerAutomationServiceException, MODELLED_ERRORS } from './errors.ts';

/** The wire shapes, from the Smithy model of the service. */
export const SHAPES = shapesOf('com.amazonaws.computeoptimizerautomation', {
  base: ComputeOptimizerAutomationServiceException,
  baseName: 'ComputeOptimizerAutomationServiceException',
  modelled: MODELLED_ERRORS,
});
const { structure, union, list, operation } = SHAPES;

const clientToken: Member = [STRING, IDEMPOTENCY_TOKEN];
const enrollment = { status: STRING, statusReason: STRING, lastUpdatedTimestamp: TIMESTAMP };
const batchRequest = { accountIds: STRING_LIST, clientToken };
const batchResponse = { accountIds: STRING_LIST, errors: STRING_LIST };

const OrganizationRuleModeSource$ = structure('OrganizationRuleModeSource', {
  sourceType: STRING,
  sourceTargetId: STRING,
});
const AccountInfo$ = structure('AccountInfo', {
  accountId: STRING,
  ...enrollment,
  organizationRuleMode: STRING,
  organizationRuleModeSource: OrganizationRuleModeSource$,
});
const OrganizationTarget$ = union('OrganizationTarget', { accountId: STRING, organizationalUnitId: STRING });
const OrganizationEnrollmentConfiguration$ = structure('OrganizationEnrollmentConfiguration', {
  targetId: STRING,
  targetType: STRING,
  organizationRuleMode: STRING,
});
const OrganizationalUnitInfo$ = structure('OrganizationalUnitInfo', {
  organizationalUnitId: STRING,
  autoEnrollMemberAccounts: STRING,
  organizationRuleMode: STRING,
  organizationRuleModeSource: OrganizationRuleModeSource$,
});

export const UpdateEnrollmentConfiguration$ = operation(
  'UpdateEnrollmentConfiguration',
  IDEMPOTENT,
  structure('UpdateEnrollmentConfigurationRequest', { status: STRING, clientToken }),
  structure('UpdateEnrollmentConfigurationResponse', enrollment),
);

export const GetEnrollmentConfiguration$ = operation(
  'GetEnrollmentConfiguration',
  NO_TRAITS,
  structure('GetEnrollmentConfigurationRequest', {}),
  structure('GetEnrollmentConfigurationResponse', {
    ...enrollment,
    organizationRuleMode: STRING,
    organizationEnrollmentConfigurationStatus: STRING,
  }),
);

export const ListAccounts$ = operation(
  'ListAccounts',
  NO_TRAITS,
  structure('ListAccountsRequest', { maxResults: INTEGER, nextToken: STRING }),
  structure('ListAccountsResponse', {
    accounts: list('AccountInfoList', AccountInfo$),
    nextToken: STRING,
  }),
);

export const AssociateAccounts$ = operation(
  'AssociateAccounts',
  IDEMPOTENT,
  structure('AssociateAccountsRequest', batchRequest),
  structure('AssociateAccountsResponse', batchResponse),
);

export const DisassociateAccounts$ = operation(
  'DisassociateAccounts',
  IDEMPOTENT,
  structure('DisassociateAccountsRequest', batchRequest),
  structure('DisassociateAccountsResponse', batchResponse),
);

export const PutOrganizationEnrollmentConfiguration$ = operation(
  'PutOrganizationEnrollmentConfiguration',
  IDEMPOTENT,
  structure('PutOrganizationEnrollmentConfigurationRequest', {
    target: OrganizationTarget$,
    organizationRuleMode: STRING,
    clientToken,
  }),
  structure('PutOrganizationEnrollmentConfigurationResponse', {}),
);

export const DeleteOrganizationEnrollmentConfiguration$ = operation(
  'DeleteOrganizationEnrollmentConfiguration',
  IDEMPOTENT,
  structure('DeleteOrganizationEnrollmentConfigurationRequest', {
    target: OrganizationTarget$,
    configurationTypes: STRING_LIST,
    clientToken,
  }),
  structure('DeleteOrganizationEnrollmentConfigurationResponse', {}),
);

export const ListOrganizationEnrollmentConfigurations$ = operation(
  'ListOrganizationEnrollmentConfigurations',
  NO_TRAITS,
  structure('ListOrganizationEnrollmentConfigurationsRequest', {
    targetType: STRING,
    maxResults: INTEGER,
    nextToken: STRING,
  }),
  structure('ListOrganizationEnrollmentConfigurationsResponse', {
    organizationEnrollmentConfigurations: list(
      'OrganizationEnrollmentConfigurations',
      OrganizationEnrollmentConfiguration$,
    ),
    nextToken: STRING,
  }),
);

export const ListOrganizationalUnits$ = operation(
  'ListOrganizationalUnits',
  NO_TRAITS,
  structure('ListOrganizationalUnitsRequest', {
    organizationalUnitIds: STRING_LIST,
    maxResults: INTEGER,
    nextToken: STRING,
  }),
  structure('ListOrganizationalUnitsResponse', {
    organizationalUnits: list('OrganizationalUnitInfoList', OrganizationalUnitInfo$),
    nextToken: STRING,
  }),
);
