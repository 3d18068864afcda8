import { ApiProblem } from '../problem.ts';

/*
 * What keeps other people's web pages from using a reader's browser against the API. No page of another origin may read or change
 * anything: there is no CORS, so that a browser asks first (and is refused) before it sends JSON; and what it sends without asking says
 * where it comes from.
 */

/** Names of this machine for itself: what a page that was rebound to 127.0.0.1 by its DNS cannot have. */
const LOOPBACK_NAMES = ['127.0.0.1', 'localhost', '[::1]'];

/**
 * On loopback anybody's page could reach the port by a name of its own that resolves to 127.0.0.1; the Host header tells.
 * @param own the address that the door is bound to
 * @throws ApiProblem 421
 */
export function requireLoopbackHost(host: string | null, own: { readonly host: string; readonly port: number }): void {
  const names = new Set([...LOOPBACK_NAMES, own.host.includes(':') ? `[${own.host}]` : own.host]);
  const given = host?.toLowerCase() ?? '';
  const allowed = [...names].some((name) => given === `${name}:${own.port}` || (own.port === 80 && given === name));
  if (allowed) return;
  const expected = `Use http://127.0.0.1:${own.port}/.`;
  throw new ApiProblem(421, 'WrongHost', `This address answers only to names of this machine. ${expected}`);
}

/**
 * Refuses what another origin's page sent. Who is no browser sends neither header.
 * @param navigation whether being linked to is fine: for pages, which change and tell nothing by themselves
 * @throws ApiProblem 403
 */
export function requireSameOrigin(headers: Headers, navigation: boolean): void {
  const site = headers.get('sec-fetch-site');
  // A link from another site may open a page only in a tab of its own. In a frame it would show nothing, and the other site controls the frame.
  const inFrame = !['document', null].includes(headers.get('sec-fetch-dest'));
  const linked = navigation && headers.get('sec-fetch-mode') === 'navigate' && !inFrame;
  if (site !== null && site !== 'same-origin' && site !== 'none' && !linked) throw crossSite();
  const origin = headers.get('origin');
  if (origin === null) return;
  // The scheme may be another one behind a proxy that ends TLS; host and port are the page's own.
  const from = URL.parse(origin);
  const host = headers.get('host')?.toLowerCase();
  const same = from !== null && host !== undefined && [from.host, hostWithPort(from)].includes(host);
  if (!same) throw crossSite();
}

function hostWithPort({ protocol, hostname, port }: URL): string {
  return `${hostname}:${port === '' ? (protocol === 'https:' ? 443 : 80) : port}`;
}

function crossSite(): ApiProblem {
  return new ApiProblem(403, 'CrossSite', 'The request comes from a page of another site, and none may use this API.');
}
