import { configOf, Json11ServiceClient, type ServiceClientConfig } from '../service-client/client.ts';
import { SHAPES } from './schemas.ts';

export type ResourceGroupsTaggingAPIClientConfig = ServiceClientConfig;

export const SERVICE_TARGET = 'ResourceGroupsTaggingAPI_20170126';

/** Client of the Resource Groups Tagging API. Class and command names are those that the SDK's generator produces. */
export class ResourceGroupsTaggingAPIClient extends Json11ServiceClient {
  constructor(configuration: ResourceGroupsTaggingAPIClientConfig = {}) {
    const service = {
      serviceId: 'Resource Groups Tagging API',
      endpointPrefix: 'tagging',
      serviceTarget: SERVICE_TARGET,
      apiVersion: '2017-01-26',
      shapes: SHAPES,
    };
    super(configOf(service, configuration));
  }
}
