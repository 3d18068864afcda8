import { TypeRegistry } from '@smithy/core/schema';
import { ComputeOptimizerAutomationServiceException, MODELLED_ERRORS } from './errors.ts';

/**
 * The wire shapes in the SDK's own schema notation: `[kind, namespace, name, traits, memberNames, memberSchemas]`, from
 * the Smithy model of the service. Kinds and simple types are numbers in that notation, which the constants below name.
 */
export const NAMESPACE = 'com.amazonaws.computeoptimizerautomation';

const STRUCTURE = 3;
const UNION = 4;
const LIST = 1;
const OPERATION = 9;
const ERROR = -3;
const STRING = 0;
const INTEGER = 1;
const TIMESTAMP = 4;
const STRING_LIST = 64;
const NO_TRAITS = 0;
/** Bit of the trait `smithy.api#idempotencyToken`: the serializer generates a random token by default. */
const IDEMPOTENCY_TOKEN = 4;
/** Bit of the trait `smithy.api#idempotent`. */
const IDEMPOTENT = 2;

type Member = number | [number, number] | Structure | Union | [typeof LIST, string, string, number, Structure];
type Structure = [typeof STRUCTURE, string, string, number, string[], Member[]];
type Union = [typeof UNION, string, string, number, string[], Member[]];
type Operation = [typeof OPERATION, string, string, number, Structure, Structure];

function structure(name: string, members: Record<string, Member>): Structure {
  return [STRUCTURE, NAMESPACE, name, NO_TRAITS, Object.keys(members), Object.values(members)];
}

function list(name: string, item: Structure): Member {
  return [LIST, NAMESPACE, name, NO_TRAITS, item];
}

function operation(name: string, traits: number, input: Structure, output: Structure): Operation {
  return [OPERATION, NAMESPACE, name, traits, input, output];
}

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
const OrganizationTarget$: Union = [
  UNION,
  NAMESPACE,
  'OrganizationTarget',
  NO_TRAITS,
  ['accountId', 'organizationalUnitId'],
  [STRING, STRING],
];
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

/** The registries in which the protocol looks up the class of an error; created with each client. */
export function errorTypeRegistries(): TypeRegistry[] {
  const baseNamespace = `smithy.ts.sdk.synthetic.${NAMESPACE}`;
  const base = TypeRegistry.for(baseNamespace);
  base.registerError(
    [ERROR, baseNamespace, 'ComputeOptimizerAutomationServiceException', NO_TRAITS, [], []],
    ComputeOptimizerAutomationServiceException,
  );
  const modelled = TypeRegistry.for(NAMESPACE);
  for (const { errorType, name, fault } of MODELLED_ERRORS) {
    modelled.registerError([ERROR, NAMESPACE, name, { error: fault }, ['message'], [STRING]], errorType);
  }
  return [base, modelled];
}
