import { Agent } from 'node:http';
import { Agent as SecureAgent } from 'node:https';
import { getCACertificates } from 'node:tls';
import type { Network } from '../domain/network.ts';

export type Agents = ReturnType<typeof agentsFor>;

export interface AgentSettings {
  /** Whether idle connections are kept for later requests. */
  readonly keepAlive: boolean;
  /** Maximum number of connections to one host. */
  readonly maxSockets: number;
}

/** Creates HTTP agents that use the proxies of these settings and trust their certificates in addition to Node's own. */
export function agentsFor({ proxy, ca }: Network, { keepAlive, maxSockets }: AgentSettings) {
  const proxies = proxy === null ? {} : { proxyEnv: { ...proxy } };
  const settings = { keepAlive, maxSockets, maxFreeSockets: maxSockets, ...proxies };
  const trusted = ca === null ? {} : { ca: [...getCACertificates('default'), ca] };
  return { httpAgent: new Agent(settings), httpsAgent: new SecureAgent({ ...settings, ...trusted }) };
}
