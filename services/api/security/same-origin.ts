import { ApiProblem } from '../problem.ts';

/*
 * Keeps web pages of other sites from using the API through a user's browser. There is no CORS, so a browser sends a preflight before JSON, which is
 * refused. Requests without a preflight carry headers that name their origin.
 */

/** Loopback names. A page whose DNS name was rebound to 127.0.0.1 has another name. */
const LOOPBACK_NAMES = ['127.0.0.1', 'localhost', '[::1]'];

/**
 * On loopback, any web page could reach the port under its own name if that name resolves to 127.0.0.1. The Host header reveals the name.
 * @param own the address that the door is bound to
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
 * Refuses requests from pages of another origin. Clients other than browsers send neither header.
 * @param navigation whether links from other sites are allowed: for pages, which change and reveal nothing by themselves
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
  return new ApiProblem(
    403,
    'CrossSite',
    'The request comes from a page of another site. Only pages of the same site may use this API.',
  );
}
