import { ApiProblem } from '../problem.ts';

/*
 * Keeps web pages of other sites from using the API through a user's browser. Before such a page can send JSON, the browser sends a preflight request,
 * which is refused. Other requests have headers that name their origin.
 */

const LOOPBACK_NAMES = ['127.0.0.1', 'localhost', '[::1]'];

/**
 * Refuses any name but those of this machine. A web page could reach the port under its own name if that resolves to 127.0.0.1 (DNS rebinding).
 * @param own the address on which the API listens
 * @throws ApiProblem 421
 */
export function requireLoopbackHost(host: string | null, own: { readonly host: string; readonly port: number }): void {
  const names = new Set([...LOOPBACK_NAMES, own.host.includes(':') ? `[${own.host}]` : own.host]);
  const given = host?.toLowerCase() ?? '';
  const allowed = [...names].some((name) => given === `${name}:${own.port}` || (own.port === 80 && given === name));
  if (allowed) return;
  const expected = `Use http://127.0.0.1:${own.port}/.`;
  throw new ApiProblem(421, 'WrongHost', `Use a loopback name of this machine. ${expected}`);
}

/**
 * Refuses requests from pages of another origin. Clients other than browsers do not send these headers.
 * @param navigation whether links from other sites are allowed: for pages, which neither change nor reveal anything
 * @throws ApiProblem 403
 */
export function requireSameOrigin(headers: Headers, navigation: boolean): void {
  const site = headers.get('sec-fetch-site');
  // A link from another site may open a page in a tab, but not in a frame, which the other site would control.
  const inFrame = !['document', null].includes(headers.get('sec-fetch-dest'));
  const linked = navigation && headers.get('sec-fetch-mode') === 'navigate' && !inFrame;
  if (site !== null && site !== 'same-origin' && site !== 'none' && !linked) throw crossSite();
  const origin = headers.get('origin');
  if (origin === null) return;
  // The scheme may differ behind a proxy that terminates TLS; host and port must match.
  const from = URL.parse(origin);
  const host = headers.get('host')?.toLowerCase();
  const same = from !== null && host !== undefined && [from.host, hostWithPort(from)].includes(host);
  if (!same) throw crossSite();
}

function hostWithPort({ protocol, hostname, port }: URL): string {
  return `${hostname}:${port === '' ? (protocol === 'https:' ? 443 : 80) : port}`;
}

function crossSite(): ApiProblem {
  const message = 'The request comes from a page of another site. Only pages of the same site may use this API.';
  return new ApiProblem(403, 'CrossSite', message);
}
