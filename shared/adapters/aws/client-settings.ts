import { NodeHttpHandler } from '@smithy/node-http-handler';
import { DIRECT, type Network } from '../../domain/network.ts';
import { agentsFor } from '../http-agents.ts';

/** Maximum number of connections to one host; the SDK's own default. */
const MAX_SOCKETS = 50;

/** Settings of the SDK clients for stores, bus and policy. The SDK makes one attempt; `store-retry.ts` retries, with the injected clock. */
export function clientSettings(connectionTimeoutMs: number, requestTimeoutMs: number, network: Network = DIRECT) {
  return {
    ...(network.region !== null && { region: network.region }),
    maxAttempts: 1,
    // Overrides AWS_RETRY_MODE, because the mode `adaptive` delays calls even without retries.
    retryMode: 'standard',
    cacheMiddleware: true,
    ...connecting(
      new NodeHttpHandler({
        ...agentsFor(network, { keepAlive: true, maxSockets: MAX_SOCKETS }),
        connectionTimeout: connectionTimeoutMs,
        requestTimeout: requestTimeoutMs,
        throwOnRequestTimeout: true,
      }),
    ),
  };
}

/** Makes a client use this handler. `clientConfig` is for the clients that the SDK itself creates to find credentials (single sign-on). */
export function connecting(requestHandler: NodeHttpHandler) {
  return { requestHandler, clientConfig: { requestHandler } };
}
