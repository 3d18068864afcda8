import { NodeHttpHandler } from '@smithy/node-http-handler';
import { DIRECT, type Network } from '../../domain/network.ts';
import { agentsFor } from '../system/agents.ts';

/** The SDK's own number of connections at once to one host. */
const MAX_SOCKETS = 50;

/** Settings of the SDK clients behind stores and bus. One attempt each: repeating is done by `store-retry.ts`, in the injected time. */
export function clientSettings(connectionTimeoutMs: number, requestTimeoutMs: number, network: Network = DIRECT) {
  return {
    ...(network.region !== null && { region: network.region }),
    maxAttempts: 1,
    // Not what AWS_RETRY_MODE says: `adaptive` paces calls by itself, even where nothing is retried.
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
 * A client connects by this handler, and so do those that the SDK makes to find credentials. Those of single sign-on take theirs from
 * `clientConfig` alone.
 */
export function connecting(requestHandler: NodeHttpHandler) {
  return { requestHandler, clientConfig: { requestHandler } };
}
