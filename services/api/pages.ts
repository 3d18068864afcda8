import { promisify } from 'node:util';
import { brotliDecompress, gunzip } from 'node:zlib';
import { accepts, isKnown } from './negotiation.ts';

/** One file of the dashboard. `etag` includes its quotes; without `encoding` the body is not compressed. */
interface Page {
  readonly body: Uint8Array;
  readonly type: string;
  readonly etag: string;
  readonly encoding?: 'br' | 'gzip';
}

/** The dashboard's files by path. `/` is the page for all addresses within the dashboard. */
export type Pages = ReadonlyMap<string, Page>;

/** Files whose names contain a hash of their content, so browsers may cache them forever. */
const NEVER_CHANGES = /^\/assets\//;

/** @returns `null` if there is no such file */
export async function servePage(pages: Pages, request: Request, path: string): Promise<Response | null> {
  const page = pages.get(path) ?? (isView(path) ? pages.get('/') : undefined);
  if (page === undefined) return null;
  const headers = {
    'cache-control': NEVER_CHANGES.test(path) ? 'public, max-age=31536000, immutable' : 'no-cache',
    'content-type': page.type,
    etag: page.etag,
    vary: 'Accept-Encoding',
  };
  if (isKnown(request.headers.get('if-none-match'), page.etag)) return new Response(null, { status: 304, headers });
  const { encoding } = page;
  if (encoding !== undefined && accepts(request.headers.get('accept-encoding'), encoding)) {
    return new Response(new Uint8Array(page.body), { headers: { ...headers, 'content-encoding': encoding } });
  }
  return new Response(new Uint8Array(await plain(page)), { headers });
}

/** Whether the path is an address within the dashboard and not a file, which has an extension. */
function isView(path: string): boolean {
  return !/\.[A-Za-z0-9]+$/.test(path) && !NEVER_CHANGES.test(path);
}

const inflate = { br: promisify(brotliDecompress), gzip: promisify(gunzip) };

function plain({ body, encoding }: Page): Promise<Uint8Array> | Uint8Array {
  return encoding === undefined ? body : inflate[encoding](body);
}
