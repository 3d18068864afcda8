import type { IncomingMessage } from 'node:http';
import { DIRECT, type Network } from '../../domain/network.ts';
import { fromDecimal, fromUtf8, toBase64 } from '../../domain/transparency/encoding.ts';
import { MalformedError } from '../../domain/transparency/errors.ts';
import { parseSignatures } from '../../domain/transparency/signed-note.ts';
import type { CosignRequest, Witness, WitnessAnswer } from '../../ports/witness.ts';
import { networkCodeOf, postRequest } from './http-post.ts';

export interface WitnessClientOptions {
  /** The name of the witness's key. */
  readonly name: string;
  /** The submission prefix, to which `/add-checkpoint` is added. */
  readonly url: string;
  /** Default: direct connections. */
  readonly network?: Network;
  /** Timeout for the whole request, from the DNS lookup to the end of the answer, ms. */
  readonly timeoutMs?: number;
}

const TIMEOUT_MS = 5_000;
/** A cosignature line has at most 4 KB (ML-DSA-44), and a witness has a few keys. */
const MAX_ANSWER_BYTES = 65_536;

/** Asks a witness over HTTP (C2SP tlog-witness, `add-checkpoint`). Does not follow redirects, which could send the checkpoint anywhere. */
export function witnessClient({ name, url, network = DIRECT, timeoutMs = TIMEOUT_MS }: WitnessClientOptions): Witness {
  const target = new URL(`${url.replace(/\/+$/, '')}/add-checkpoint`);
  return {
    name,
    async cosign(request) {
      const signal = AbortSignal.timeout(timeoutMs);
      try {
        return answerOf(await post(target, bodyOf(request), network, signal), request);
      } catch (error) {
        if (signal.aborted) return unavailable(`no complete answer within ${timeoutMs} ms`);
        if (error instanceof OversizedError) return unavailable(`an answer of more than ${MAX_ANSWER_BYTES} bytes`);
        return unavailable(`no answer (${networkCodeOf(error)})`);
      }
    },
  };
}

/** The old size, the proof, an empty line, and the checkpoint. */
function bodyOf({ oldSize, proof, checkpoint }: CosignRequest): string {
  return `${[`old ${oldSize}`, ...proof.map(toBase64), ''].join('\n')}\n${checkpoint}`;
}

interface Reply {
  readonly status: number;
  /** The media type, without parameters. */
  readonly type: string;
  readonly body: Uint8Array;
}

class OversizedError extends Error {
  override readonly name = 'OversizedError';
}

function post(target: URL, body: string, network: Network, signal: AbortSignal): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'text/plain; charset=utf-8', 'content-length': String(Buffer.byteLength(body)) };
    const request = postRequest(target, { headers, network, signal });
    request.on('error', reject);
    request.on('response', (response) => {
      readReply(response).then(resolve, reject);
    });
    request.end(body);
  });
}

async function readReply(response: IncomingMessage): Promise<Reply> {
  const { statusCode: status = 0, headers } = response;
  const type = (headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
  // Only the status of other answers counts, and their bodies could be endless.
  const isRead = status === 200 || status === 409;
  const body = isRead ? await readBody(response) : new Uint8Array();
  response.on('error', () => undefined);
  response.destroy();
  return { status, type, body };
}

async function readBody(response: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of response) {
    length += chunk.length;
    if (length > MAX_ANSWER_BYTES) throw new OversizedError();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** Why a witness refuses, by the status that the specification gives for it. */
const REFUSALS: Readonly<Record<number, string>> = {
  400: 'it regards the request as malformed (HTTP 400)',
  403: 'it has another key for this log, or the signature is wrong (HTTP 403)',
  404: 'it does not know this log (HTTP 404)',
  422: 'it holds another tree: the consistency proof does not fit (HTTP 422)',
};

function answerOf({ status, type, body }: Reply, { oldSize }: CosignRequest): WitnessAnswer {
  if (status === 200) return cosigned(body);
  if (status === 409) return conflict(type, body, oldSize);
  const refusal = REFUSALS[status];
  if (refusal !== undefined) return { kind: 'refused', reason: refusal };
  const redirected = status >= 300 && status < 400 ? ', a redirect, which is not followed' : '';
  return unavailable(`HTTP ${status}${redirected}`);
}

function cosigned(body: Uint8Array): WitnessAnswer {
  try {
    return { kind: 'cosigned', signatures: parseSignatures(fromUtf8(body, 'answer')) };
  } catch (error) {
    return unreadable(error, 'HTTP 200 without signature lines');
  }
}

/** Before 2026, the specification gave this status also for two different trees of the same size, without requiring a size in the answer. */
function conflict(type: string, body: Uint8Array, oldSize: number): WitnessAnswer {
  const differs: WitnessAnswer = { kind: 'refused', reason: 'it holds another tree of the same size (HTTP 409)' };
  if (type !== 'text/x.tlog.size') return differs;
  try {
    const text = fromUtf8(body, 'answer');
    if (!text.endsWith('\n')) throw new MalformedError('answer', 'it does not end with a line break');
    const size = fromDecimal(text.slice(0, -1), 'answer');
    return size === oldSize ? differs : { kind: 'conflict', size };
  } catch (error) {
    return unreadable(error, 'HTTP 409 without a tree size');
  }
}

function unreadable(error: unknown, reason: string): WitnessAnswer {
  if (error instanceof MalformedError) return unavailable(reason);
  throw error;
}

const unavailable = (reason: string): WitnessAnswer => ({ kind: 'unavailable', reason });
