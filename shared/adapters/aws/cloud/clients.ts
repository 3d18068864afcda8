import { AsyncLocalStorage } from 'node:async_hooks';
import { ComputeOptimizerClient } from '@aws-sdk/client-compute-optimizer';
import { OrganizationsClient, type OrganizationsClientConfig } from '@aws-sdk/client-organizations';
import { STSClient } from '@aws-sdk/client-sts';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import * as z from 'zod';
import type { Network } from '../../../domain/network.ts';
import type { Logger } from '../../../ports/system.ts';
import { type Agents, agentsFor } from '../../http-agents.ts';
import { connecting } from '../client-settings.ts';
import { withCompleteAnswers } from '../complete-answers.ts';
import { ComputeOptimizerAutomationClient } from './automation-client/index.ts';
import { CostOptimizationHubClient } from './cost-optimization-hub-client/index.ts';
import { Sha256 } from './fast-sha256.ts';
import { ResourceGroupsTaggingAPIClient } from './tagging-client/index.ts';
import { withTolerantTimes } from './tolerant-times.ts';

/** Cost Optimization Hub runs in this Region only, and answers for the accounts of all Regions. */
const COST_OPTIMIZATION_HUB_REGION = 'us-east-1';

/** The Tagging API lists the accounts of an organization in this Region only. */
const TAGGING_REGION = 'us-east-1';

/** The credentials that sign a request. */
export type Identity = Awaited<ReturnType<STSClient['config']['credentials']>>;

export interface ClientOptions {
  /** `undefined`: the SDK's own settings (AWS_REGION, profile). */
  readonly region: string | undefined;
  /** Maximum number of connections to one host, for all services together. */
  readonly maxSockets: number;
  readonly connectTimeoutMs: number;
  /** Maximum time until the answer starts, and between two parts of it, ms. */
  readonly requestTimeoutMs: number;
  readonly logger: Logger | null;
  readonly network: Network;
}

export interface Clients {
  readonly computeOptimizer: ComputeOptimizerClient;
  readonly automation: ComputeOptimizerAutomationClient;
  readonly costOptimizationHub: CostOptimizationHubClient;
  readonly organizations: OrganizationsClient;
  readonly tagging: ResourceGroupsTaggingAPIClient;
  readonly sts: STSClient;
  /** The credentials of the SDK's default chain. The SDK caches them and renews them before they expire. */
  ownCredentials(): Promise<Identity>;
  /** Throws if no Region is configured. */
  region(): Promise<string>;
  /** Signs every request that `send` starts with this identity. */
  signedBy<T>(identity: Identity, send: () => Promise<T>): Promise<T>;
  readonly closed: boolean;
  close(): void;
}

/**
 * One client per service, for all accounts: a client for each of ten thousand accounts would take too much memory. `signedBy` passes a request's
 * credentials to the signer through the asynchronous context. A call outside `signedBy` fails, because there are no default credentials.
 */
export function createClients(options: ClientOptions): Clients {
  const identities = new AsyncLocalStorage<Identity>();
  const current = async (): Promise<Identity> => {
    const identity = identities.getStore();
    if (identity === undefined) throw new Error('a request was made outside of signedBy()');
    return identity;
  };
  const agents = agentsFor(options.network, { keepAlive: true, maxSockets: options.maxSockets });
  const region = options.region ?? options.network.region;
  const common = {
    ...(region !== null && { region }),
    // The SDK must not retry: the use cases do, through the shared rate limiter.
    maxAttempts: 1,
    // Overrides AWS_RETRY_MODE, because the mode `adaptive` delays calls even without retries.
    retryMode: 'standard',
    // Saves time: the SDK composes the middleware once per command, not once per request.
    cacheMiddleware: true,
    sha256: Sha256,
    ...connecting(handlerFor(options, agents)),
  };
  // With `memoized`, the SDK calls this function for each request. Without it, the SDK would cache the first credentials.
  const perCall = { ...common, credentials: Object.assign(current, { memoized: true }) };
  const chain = withCompleteAnswers('sts', new STSClient(common));
  const clients = {
    computeOptimizer: withTolerantTimes(withCompleteAnswers('compute-optimizer', new ComputeOptimizerClient(perCall))),
    automation: withTolerantTimes(withCompleteAnswers('aco-automation', new ComputeOptimizerAutomationClient(perCall))),
    organizations: organizationsClient(perCall, () => chain.config.region()),
    sts: withCompleteAnswers('sts', new STSClient(perCall)),
  };
  // Created at their first use, because most policies need neither.
  const hub = atFirstUse(() => {
    const settings = { ...perCall, region: COST_OPTIMIZATION_HUB_REGION };
    return withTolerantTimes(withCompleteAnswers('cost-optimization-hub', new CostOptimizationHubClient(settings)));
  });
  const tagging = atFirstUse(() => {
    const settings = { ...perCall, region: TAGGING_REGION };
    return withCompleteAnswers('tagging', new ResourceGroupsTaggingAPIClient(settings));
  });
  let closed = false;
  return {
    ...clients,
    get costOptimizationHub() {
      return hub.get();
    },
    get tagging() {
      return tagging.get();
    },
    get closed() {
      return closed;
    },
    ownCredentials: () => chain.config.credentials(),
    region: () => chain.config.region(),
    signedBy: (identity, send) => identities.run(identity, send),
    close() {
      closed = true;
      for (const client of [...Object.values(clients), chain, ...hub.created, ...tagging.created]) client.destroy();
      agents.httpAgent.destroy();
      agents.httpsAgent.destroy();
    },
  };
}

interface AtFirstUse<Client> {
  get(): Client;
  /** The client, if there is one. */
  readonly created: readonly Client[];
}

function atFirstUse<Client>(create: () => Client): AtFirstUse<Client> {
  const created: Client[] = [];
  return {
    created,
    get() {
      const client = created[0] ?? create();
      if (created.length === 0) created.push(client);
      return client;
    },
  };
}

const homeEndpoint = z.object({
  properties: z.object({ authSchemes: z.array(z.object({ signingRegion: z.string() })).min(1) }),
});

/**
 * Organizations accepts signatures for only one Region of each partition. The SDK's endpoint rules choose that Region only for AWS's own endpoints, so
 * this client also signs with it for a configured endpoint.
 */
export function organizationsClient(
  config: OrganizationsClientConfig,
  configured: () => Promise<string>,
): OrganizationsClient {
  const region = async (): Promise<string> => {
    const Region = await configured();
    const home = homeEndpoint.safeParse(client.config.endpointProvider({ Region }));
    return home.data?.properties.authSchemes[0]?.signingRegion ?? Region;
  };
  const client = withTolerantTimes(
    withCompleteAnswers('organizations', new OrganizationsClient({ ...config, region })),
  );
  return client;
}

function handlerFor(options: ClientOptions, agents: Agents): NodeHttpHandler {
  const { logger } = options;
  return new NodeHttpHandler({
    ...agents,
    connectionTimeout: options.connectTimeoutMs,
    requestTimeout: options.requestTimeoutMs,
    throwOnRequestTimeout: true,
    socketTimeout: options.requestTimeoutMs,
    logger: {
      debug: () => undefined,
      info: () => undefined,
      warn: (message) => logger?.warn(String(message)),
      error: (message) => logger?.error(String(message)),
    },
  });
}
