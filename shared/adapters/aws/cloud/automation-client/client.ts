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
  | models.DisassociateAccountsRequest;

/** Every answer carries the SDK's metadata; which members it has is said by each command. */
export type ServiceOutputTypes = models.MetadataBearer;

export type ComputeOptimizerAutomationClientConfig = ComputeOptimizerClientConfig;
export type ComputeOptimizerAutomationClientResolvedConfig = ComputeOptimizerClientResolvedConfig;

type HandlerOptions =
  ComputeOptimizerClient extends Client<infer Options, infer _In, infer _Out, infer _Config> ? Options : never;

/** Compute Optimizer's client with the operations of Automation in the place of its own. */
const Base: new (
  config: ComputeOptimizerAutomationClientConfig,
) => Client<HandlerOptions, ServiceInputTypes, ServiceOutputTypes, ComputeOptimizerAutomationClientResolvedConfig> =
  ComputeOptimizerClient;

/**
 * Client of Compute Optimizer Automation. It is Compute Optimizer's client (credentials, region, retries, user agent,
 * signing, awsJson1_0) told another service: name, target, endpoint, shapes and errors. The settings are those of the
 * upstream package, whose class and command names it has, so that replacing it is one import line.
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
