import { configOf, ServiceClient, type ServiceClientConfig } from '../service-client/client.ts';
import { SHAPES } from './schemas.ts';

export type ComputeOptimizerAutomationClientConfig = ServiceClientConfig;

export const SERVICE_TARGET = 'ComputeOptimizerAutomationService';

/** Client of Compute Optimizer Automation. Class and command names are those that the SDK's generator produces. */
export class ComputeOptimizerAutomationClient extends ServiceClient {
  constructor(configuration: ComputeOptimizerAutomationClientConfig = {}) {
    const service = {
      serviceId: 'Compute Optimizer Automation',
      endpointPrefix: 'aco-automation',
      serviceTarget: SERVICE_TARGET,
      apiVersion: '2025-09-22',
      shapes: SHAPES,
    };
    super(configOf(service, configuration));
  }
}
