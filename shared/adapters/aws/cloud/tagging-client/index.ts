/** The part of `@aws-sdk/client-resource-groups-tagging-api` that Rollcall uses, under the same names. */
export { ResourceGroupsTaggingAPIClient, type ResourceGroupsTaggingAPIClientConfig } from './client.ts';
export { GetResourcesCommand } from './commands.ts';
export {
  PaginationTokenExpiredException,
  ResourceGroupsTaggingAPIServiceException,
  ThrottledException,
} from './errors.ts';
