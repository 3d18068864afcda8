import {
  ComputeOptimizerClient,
  type ComputeOptimizerClientConfig,
  type ComputeOptimizerClientResolvedConfig,
} from '@aws-sdk/client-compute-optimizer';
import type { Client } from '@smithy/core/client';
import { automationEndpointProvider } from './endpoint.ts';
import type * as models from './models.ts';
import { errorTypeRegistries, NAMESPACE } from './schemas.ts';

export type ServiceInputTypes =
  | models.UpdateEnrollmentConfigurationRequest
  | models.GetEnrollmentConfigurationRequest
  | models.ListAccountsRequest
  | models.AssociateAccountsRequest
  | models.DisassociateAccountsRequest
  | models.PutOrganizationEnrollmentConfigurationRequest
  | models.DeleteOrganizationEnrollmentConfigurationRequest
  | models.ListOrganizationEnrollmentConfigurationsRequest
  | models.ListOrganizationalUnitsRequest;

/** Every answer has the SDK's metadata; each command declares the other members. */
export type ServiceOutputTypes = models.MetadataBearer;

export type ComputeOptimizerAutomationClientConfig = ComputeOptimizerClientConfig;
export type ComputeOptimizerAutomationClientResolvedConfig = ComputeOptimizerClientResolvedConfig;

type HandlerOptions =
  ComputeOptimizerClient extends Client<infer Options, infer _In, infer _Out, infer _Config> ? Options : never;

/** Compute Optimizer's client, with the operations of Automation instead of its own. */
const Base: new (
  config: ComputeOptimizerAutomationClientConfig,
) => Client<HandlerOptions, ServiceInputTypes, ServiceOutputTypes, ComputeOptimizerAutomationClientResolvedConfig> =
  ComputeOptimizerClient;

/**
 * Client of Compute Optimizer Automation: Compute Optimizer's client (credentials, Region, retries, user agent, signing, awsJson1_0) with
 * the name, target, endpoint, shapes and errors of the other service. Class and command names are those that the SDK's generator produces.
 */
export class ComputeOptimizerAutomationClient extends Base {
  constructor(configuration: ComputeOptimizerAutomationClientConfig = {}) {
    const service = {
      apiVersion: '2025-09-22',
      // Also names the settings AWS_ENDPOINT_URL_COMPUTE_OPTIMIZER_AUTOMATION and `compute_optimizer_automation` of a profile.
      serviceId: 'Compute Optimizer Automation',
      signingName: 'aco-automation',
      protocolSettings: {
        defaultNamespace: NAMESPACE,
        errorTypeRegistries: errorTypeRegistries(),
        version: '2025-09-22',
        serviceTarget: 'ComputeOptimizerAutomationService',
      },
    };
    super({ endpointProvider: automationEndpointProvider(), ...configuration, ...service });
  }
}
