import { Agent } from 'node:http';
import { Agent as SecureAgent } from 'node:https';
import { getCACertificates } from 'node:tls';
import type { Network } from '../../domain/network.ts';

export interface Agents {
  readonly httpAgent: Agent;
  readonly httpsAgent: SecureAgent;
}

export interface AgentSettings {
  /** Whether connections are kept for later requests. */
  readonly keepAlive: boolean;
  /** Connections at once to one host. */
  readonly maxSockets: number;
}

/**
 * What connects as the network says: through its proxies (https by CONNECT, http in absolute form), trusting its certificates beside
 * Node's own.
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
