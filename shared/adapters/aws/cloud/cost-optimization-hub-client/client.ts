import { configOf, ServiceClient, type ServiceClientConfig } from '../service-client/client.ts';
import { SHAPES } from './schemas.ts';

export type CostOptimizationHubClientConfig = ServiceClientConfig;

export const SERVICE_TARGET = 'CostOptimizationHubService';

/** Client of Cost Optimization Hub. Class and command names are those that the SDK's generator produces. */
export class CostOptimizationHubClient extends ServiceClient {
  constructor(configuration: CostOptimizationHubClientConfig = {}) {
    const service = {
      serviceId: 'Cost Optimization Hub',
      endpointPrefix: 'cost-optimization-hub',
      serviceTarget: SERVICE_TARGET,
      apiVersion: '2022-07-26',
      shapes: SHAPES,
    };
    super(configOf(service, configuration));
  }
}
