import {
  ComputeOptimizerClient,
  type ComputeOptimizerClientConfig,
  type ComputeOptimizerClientResolvedConfig,
  type UpdateEnrollmentStatusCommandOutput,
} from '@aws-sdk/client-compute-optimizer';
import { OrganizationsClient } from '@aws-sdk/client-organizations';
import type { Client } from '@smithy/core/client';
import { regionalEndpointProvider } from './endpoint.ts';
import type { Shapes } from './schemas.ts';

export type ServiceClientConfig = ComputeOptimizerClientConfig;
export type ServiceClientResolvedConfig = ComputeOptimizerClientResolvedConfig;

/** What the SDK adds to every answer: request id, HTTP status, attempts. Each command declares the other members. */
export interface MetadataBearer {
  $metadata: UpdateEnrollmentStatusCommandOutput['$metadata'];
}

type HandlerOptions =
  ComputeOptimizerClient extends Client<infer Options, infer _In, infer _Out, infer _Config> ? Options : never;

/**
 * Base of every client: Compute Optimizer's, for its credentials, Region, retries, user agent, signing and awsJson1_0, with the operations of another
 * service. Its commands declare their inputs.
 */
export const ServiceClient: BaseClient = ComputeOptimizerClient;

/** The same base for a service that speaks awsJson1_1: the client of Organizations, which does. */
export const Json11ServiceClient: BaseClient = OrganizationsClient;

type BaseClient = new (
  config: ServiceClientConfig,
) => Client<HandlerOptions, object, MetadataBearer, ServiceClientResolvedConfig>;

interface Service {
  /** Also names the setting AWS_ENDPOINT_URL_… and the one of a profile. */
  readonly serviceId: string;
  /** The prefix of the endpoint, and the name for signing. */
  readonly endpointPrefix: string;
  /** The prefix of the header `x-amz-target`. */
  readonly serviceTarget: string;
  readonly apiVersion: string;
  readonly shapes: Shapes;
}

/** The configuration that makes a `ServiceClient` the client of this service. */
export function configOf(service: Service, configuration: ServiceClientConfig): ServiceClientConfig {
  const { serviceId, endpointPrefix, serviceTarget, apiVersion, shapes } = service;
  const own = {
    apiVersion,
    serviceId,
    signingName: endpointPrefix,
    protocolSettings: {
      defaultNamespace: shapes.namespace,
      errorTypeRegistries: shapes.errorTypeRegistries(),
      version: apiVersion,
      serviceTarget,
    },
  };
  return { endpointProvider: regionalEndpointProvider(endpointPrefix), ...configuration, ...own };
}
