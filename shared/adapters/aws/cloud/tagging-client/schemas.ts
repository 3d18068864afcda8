import { INTEGER, NO_TRAITS, STRING, STRING_LIST, shapesOf } from '../service-client/schemas.ts';
import { MODELLED_ERRORS, ResourceGroupsTaggingAPIServiceException } from './errors.ts';

/** The wire shapes, from the Smithy model of the service. */
export const SHAPES = shapesOf('com.amazonaws.resourcegroupstaggingapi', {
  base: ResourceGroupsTaggingAPIServiceException,
  baseName: 'ResourceGroupsTaggingAPIServiceException',
  modelled: MODELLED_ERRORS,
});
const { structure, list, operation } = SHAPES;

const Tag$ = structure('Tag', { Key: STRING, Value: STRING });
const ResourceTagMapping$ = structure('ResourceTagMapping', { ResourceARN: STRING, Tags: list('TagList', Tag$) });

export const GetResources$ = operation(
  'GetResources',
  NO_TRAITS,
  structure('GetResourcesInput', {
    PaginationToken: STRING,
    ResourcesPerPage: INTEGER,
    ResourceTypeFilters: STRING_LIST,
  }),
  structure('GetResourcesOutput', {
    PaginationToken: STRING,
    ResourceTagMappingList: list('ResourceTagMappingList', ResourceTagMapping$),
  }),
);
