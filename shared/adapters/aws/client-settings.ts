import { NodeHttpHandler } from '@smithy/node-http-handler';
import { DIRECT, type Network } from '../../domain/network.ts';
import { agentsFor } from '../http-agents.ts';

/** Maximum number of connections to one host; the SDK's own default. */
const MAX_SOCKETS = 50;

/** Settings of the SDK clients of the stores and the bus. The SDK makes one attempt; `store-retry.ts` retries, with the injected clock. */
export function clientSettings(connectionTimeoutMs: number, requestTimeoutMs: number, network: Network = DIRECT) {
  return {
    ...(network.region !== null && { region: network.region }),
    maxAttempts: 1,
    // Overrides AWS_RETRY_MODE: `adaptive` would pace calls even without retries.
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

/**
 * Makes a client use this handler, and with it the clients that the SDK creates to find credentials. The SDK's single sign-on clients read only
 * `clientConfig`.
 */
export function connecting(requestHandler: NodeHttpHandler) {
  return { requestHandler, clientConfig: { requestHandler } };
}
