/**
 * Shapes of the Resource Groups Tagging API, by the names of its SDK client (Smithy model `com.amazonaws.resourcegroupstaggingapi`, version 2017-01-26),
 * limited to what Rollcall sends and reads. Members are optional and may be `undefined`, as in every client of the SDK.
 */
interface Tag {
  Key?: string | undefined;
  Value?: string | undefined;
}

interface ResourceTagMapping {
  ResourceARN?: string | undefined;
  Tags?: Tag[] | undefined;
}

export interface GetResourcesInput {
  /** Empty or absent for the first page. */
  PaginationToken?: string | undefined;
  /** 1–100. */
  ResourcesPerPage?: number | undefined;
  ResourceTypeFilters?: string[] | undefined;
}
export interface GetResourcesOutput {
  /** Empty after the last page. */
  PaginationToken?: string | undefined;
  ResourceTagMappingList?: ResourceTagMapping[] | undefined;
}
