import type { Transform } from 'node:stream';
import { promisify } from 'node:util';
import { brotliCompress, constants, createBrotliCompress, createGzip, gzip } from 'node:zlib';
import { accepts } from './negotiation.ts';

/** Types that are compressed. Event streams are not: the compressor would hold back events until it has enough of them. */
const COMPRESSIBLE = /^(application\/(json|problem\+json|x-ndjson)|text\/csv)(;|$)/;
/** Shorter answers fit into one packet and are not compressed, bytes. */
const LEAST_BYTES = 1_400;

/* The fastest levels: of a list of 10,000 accounts, 7 MB, higher ones save a tenth at five times the processor time. */
const BROTLI = { params: { [constants.BROTLI_PARAM_QUALITY]: 1 } };
const GZIP = { level: 1 };

interface Encoder {
  readonly encoding: string;
  readonly stream: () => Transform;
  readonly whole: (bytes: Uint8Array) => Promise<Uint8Array>;
}

const [compressBrotli, compressGzip] = [promisify(brotliCompress), promisify(gzip)];
const ENCODERS: readonly Encoder[] = [
  {
    encoding: 'br',
    stream: () => createBrotliCompress(BROTLI),
    whole: (bytes) => compressBrotli(bytes, BROTLI),
  },
  { encoding: 'gzip', stream: () => createGzip(GZIP), whole: (bytes) => compressGzip(bytes, GZIP) },
];

const encoderFor = (accepted: string | null): Encoder | null =>
  ENCODERS.find(({ encoding }) => accepts(accepted, encoding)) ?? null;

/**
 * Compresses a whole answer in one step on another thread, if the client accepts it. While the process is busy, each part of a stream would wait for
 * several turns of the event loop.
 * @param accepted `Accept-Encoding`
 */
export async function compressed(
  bytes: Uint8Array,
  accepted: string | null,
): Promise<{ readonly bytes: Uint8Array; readonly headers: Readonly<Record<string, string>> }> {
  const vary = { vary: 'Accept-Encoding' };
  const encoder = bytes.length < LEAST_BYTES ? null : encoderFor(accepted);
  if (encoder === null) return { bytes, headers: vary };
  return { bytes: await encoder.whole(bytes), headers: { ...vary, 'content-encoding': encoder.encoding } };
}

/** An answer as it is sent. */
export interface Encoded {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: AsyncIterable<Uint8Array>;
  /** Compresses the body, on another thread; `null`: it is sent as it is. */
  readonly encoder: Transform | null;
}

/** Compresses an answer while it is sent, if the client accepts that and the answer is long. @param accepted `Accept-Encoding` */
export async function encoded(
  headers: Headers,
  chunks: AsyncGenerator<Uint8Array>,
  accepted: string | null,
): Promise<Encoded> {
  const plain = Object.fromEntries(headers);
  if (headers.has('content-encoding') || !COMPRESSIBLE.test(headers.get('content-type') ?? '')) {
    return { headers: plain, body: chunks, encoder: null };
  }
  const own = { ...plain, vary: 'Accept-Encoding' };
  const encoder = encoderFor(accepted);
  const { first, isLong } = await begin(chunks);
  const body = rejoined(first, chunks);
  if (encoder === null || !isLong) return { headers: own, body, encoder: null };
  return { headers: { ...own, 'content-encoding': encoder.encoding }, body, encoder: encoder.stream() };
}

/** Reads until the body is known to be long, or ends. */
async function begin(chunks: AsyncGenerator<Uint8Array>) {
  const first: Uint8Array[] = [];
  for (let length = 0; length < LEAST_BYTES; ) {
    const { done, value } = await chunks.next();
    if (done === true) return { first, isLong: false };
    first.push(value);
    length += value.length;
  }
  return { first, isLong: true };
}

async function* rejoined(first: readonly Uint8Array[], rest: AsyncGenerator<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield* first;
  yield* rest;
}
