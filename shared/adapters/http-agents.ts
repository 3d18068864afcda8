import { Agent } from 'node:http';
import { Agent as SecureAgent } from 'node:https';
import { getCACertificates } from 'node:tls';
import type { Network } from '../domain/network.ts';

export interface Agents {
  readonly httpAgent: Agent;
  readonly httpsAgent: SecureAgent;
}

export interface AgentSettings {
  /** Whether idle connections are kept for later requests. */
  readonly keepAlive: boolean;
  /** Maximum number of connections to one host. */
  readonly maxSockets: number;
}

/**
 * Creates agents for these network settings: they connect through the proxies (https by CONNECT, http in absolute form) and trust the given
 * certificates in addition to Node's own.
 */
export function agentsFor({ proxy, ca }: Network, { keepAlive, maxSockets }: AgentSettings): Agents {
  const settings = {
    keepAlive,
    maxSockets,
    maxFreeSockets: maxSockets,
    ...(proxy !== null && { proxyEnv: { ...proxy } }),
  };
  const trusted = ca === null ? {} : { ca: [...getCACertificates('default'), ca] };
  return { httpAgent: new Agent(settings), httpsAgent: new SecureAgent({ ...settings, ...trusted }) };
}
