import { type ClientRequest, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import type { Network } from '../../domain/network.ts';
import { agentsFor } from '../http-agents.ts';

export interface PostOptions {
  readonly headers: Readonly<Record<string, string>>;
  readonly network: Network;
  readonly signal: AbortSignal;
}

/** Begins one POST request on its own connection: no connection is kept, because requests are minutes apart. Redirects are not followed. */
export function postRequest(target: URL, { headers, network, signal }: PostOptions): ClientRequest {
  const { httpAgent, httpsAgent } = agentsFor(network, { keepAlive: false, maxSockets: 1 });
  const how = { method: 'POST', headers: { ...headers, 'user-agent': 'rollcall' }, signal };
  return target.protocol === 'https:'
    ? requestHttps(target, { ...how, agent: httpsAgent })
    : requestHttp(target, { ...how, agent: httpAgent });
}

/** The error's code. Its message is not used, because it may contain host and port of a secret URL. */
export function networkCodeOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : null;
  return typeof code === 'string' && /^[A-Z][A-Z0-9_]{1,60}$/.test(code) ? code : 'NetworkError';
}
