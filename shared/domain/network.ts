/** How connections leave this machine, according to environment variables. */
export interface Network {
  /** `null`: connect directly. */
  readonly proxy: ProxyVariables | null;
  /** PEM certificates that are trusted in addition to Node's own; `null`: none. */
  readonly ca: string | null;
  /** The Region from `AWS_DEFAULT_REGION`, which the SDK does not read; `null`: the SDK's own settings apply. */
  readonly region: string | null;
}

/** The proxy variables in the form that `http.Agent` accepts. */
export interface ProxyVariables {
  readonly HTTP_PROXY?: string;
  readonly HTTPS_PROXY?: string;
  readonly NO_PROXY?: string;
}

export const DIRECT: Network = Object.freeze({ proxy: null, ca: null, region: null });

/**
 * `NO_PROXY` in the form that Node understands. Other tools read `example.com` as the host and its subdomains, and accept IPv4
 * networks in CIDR notation. Node reads it as the host alone, and accepts only address ranges.
 */
export function noProxyForNode(text: string): string {
  return text
    .split(/[\s,]+/)
    .filter((entry) => entry !== '')
    .flatMap((entry) => {
      const range = rangeOf(entry);
      if (range !== null) return [range];
      return /^[a-z0-9_]/i.test(entry) && /[a-z]/i.test(entry) && !entry.includes('::')
        ? [entry, `.${entry}`]
        : [entry];
    })
    .join(',');
}

/** `10.0.0.0-10.255.255.255` for `10.0.0.0/8`; `null`: not such a network. */
function rangeOf(entry: string): string | null {
  const [, address = '', length = ''] = /^(\d{1,3}(?:\.\d{1,3}){3})\/(\d{1,2})$/.exec(entry) ?? [];
  const bytes = address.split('.').map(Number);
  const bits = Number(length);
  if (address === '' || bits > 32 || bytes.some((byte) => byte > 255)) return null;
  const size = 2 ** (32 - bits);
  const value = bytes.reduce((sum, byte) => sum * 256 + byte, 0);
  const first = Math.floor(value / size) * size;
  return `${dotted(first)}-${dotted(first + size - 1)}`;
}

function dotted(value: number): string {
  return [2 ** 24, 2 ** 16, 2 ** 8, 1].map((unit) => Math.floor(value / unit) % 256).join('.');
}

/** A proxy's URL without user and password, for display. */
export function shownProxy(text: string): string {
  const url = URL.parse(text);
  if (url === null) return 'not a URL';
  return `${url.protocol}//${url.username === '' && url.password === '' ? '' : '***@'}${url.host}`;
}
