import { NodeHttpHandler } from '@smithy/node-http-handler';

/** Settings of the SDK clients behind stores and bus. One attempt each: repeating is done by `store-retry.ts`, in the injected time. */
export function clientSettings(connectionTimeoutMs: number, requestTimeoutMs: number) {
  return {
    maxAttempts: 1,
    // Not what AWS_RETRY_MODE says: `adaptive` paces calls by itself, even where nothing is retried.
    retryMode: 'standard',
    cacheMiddleware: true,
    requestHandler: new NodeHttpHandler({
      connectionTimeout: connectionTimeoutMs,
      requestTimeout: requestTimeoutMs,
      throwOnRequestTimeout: true,
    }),
  };
}
