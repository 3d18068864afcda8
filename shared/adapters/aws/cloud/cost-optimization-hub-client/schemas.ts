import { BOOLEAN, INTEGER, NO_TRAITS, STRING, shapesOf, TIMESTAMP } from '../service-client/schemas.ts';
import { CostOptimizationHubServiceException, MODELLED_ERRORS } from './errors.ts';

/** The wire shapes, from the Smithy model of the service. */
export const SHAPES = shapesOf('com.amazonaws.costoptimizationhub', {
  base: CostOptimizationHubServiceException,
  baseName: 'CostOptimizationHubServiceException',
  modelled: MODELLED_ERRORS,
});
const { structure, list, operation } = SHAPES;

const AccountEnrollmentStatus$ = structure('AccountEnrollmentStatus', {
  accountId: STRING,
  status: STRING,
  lastUpdatedTimestamp: TIMESTAMP,
  createdTimestamp: TIMESTAMP,
});

export const ListEnrollmentStatuses$ = operation(
  'ListEnrollmentStatuses',
  NO_TRAITS,
  structure('ListEnrollmentStatusesRequest', {
    includeOrganizationInfo: BOOLEAN,
    accountId: STRING,
    nextToken: STRING,
    maxResults: INTEGER,
  }),
  structure('ListEnrollmentStatusesResponse', {
    items: list('AccountEnrollmentStatuses', AccountEnrollmentStatus$),
    includeMemberAccounts: BOOLEAN,
    nextToken: STRING,
  }),
);

export const UpdateEnrollmentStatus$ = operation(
  'UpdateEnrollmentStatus',
  NO_TRAITS,
  structure('UpdateEnrollmentStatusRequest', { status: STRING, includeMemberAccounts: BOOLEAN }),
  structure('UpdateEnrollmentStatusResponse', { status: STRING }),
);
