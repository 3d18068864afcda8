import { createHmac } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { EpochMs } from '../../domain/enrollment/model.ts';
import { DIRECT, type Network } from '../../domain/network.ts';
import { retryAfterMs } from '../../domain/retry-after.ts';
import type { Clock } from '../../ports/system.ts';
import type { Webhook, WebhookAnswer } from '../../ports/webhook.ts';
import { networkCodeOf, postRequest } from './http-post.ts';

/** A secret text, which is not shown when the object is logged. */
interface Hidden {
  reveal(): string;
}

export interface HttpWebhookOptions {
  readonly url: Hidden;
  /** `null`: the messages are not signed. */
  readonly secret: Hidden | null;
  readonly clock: Pick<Clock, 'now'>;
  /** Default: direct connections. */
  readonly network?: Network;
  /** Timeout for the whole request, from the DNS lookup to the headers of the answer, ms. */
  readonly timeoutMs?: number;
}

const TIMEOUT_MS = 10_000;

/** Posts messages to the URL. Does not follow redirects, which could send the message anywhere. */
export function httpWebhook(options: HttpWebhookOptions): Webhook {
  const { timeoutMs = TIMEOUT_MS } = options;
  return {
    post: (delivery, body) =>
      new Promise((resolve) => {
        const signal = AbortSignal.timeout(timeoutMs);
        const failed = (error: unknown): void => resolve(failure(signal.aborted ? 'Timeout' : networkCodeOf(error)));
        try {
          const { network = DIRECT } = options;
          const headers = headersFor(options, delivery, body);
          const request = postRequest(new URL(options.url.reveal()), { headers, network, signal });
          request.on('error', failed);
          request.on('response', (response) => {
            resolve(answerOf(response, options.clock.now()));
            // The body is not read, because it could be endless.
            response.on('error', () => undefined);
            response.destroy();
          });
          request.end(body);
        } catch (error) {
          failed(error);
        }
      }),
  };
}

function headersFor({ secret, clock }: HttpWebhookOptions, delivery: string, body: string): Record<string, string> {
  const timestamp = String(Math.floor(clock.now() / 1000));
  return {
    'content-type': 'application/json; charset=utf-8',
    'content-length': String(Buffer.byteLength(body)),
    'x-rollcall-delivery': delivery,
    'x-rollcall-timestamp': timestamp,
    ...(secret !== null && { 'x-rollcall-signature': signatureOf(secret.reveal(), timestamp, body) }),
  };
}

/** `v1=` and HMAC-SHA256, in hex, over timestamp (epoch seconds), dot and body. With the timestamp, receivers can reject replayed messages. */
function signatureOf(secret: string, timestamp: string, body: string): string {
  return `v1=${createHmac('sha256', secret).update(`${timestamp}.${body}`).digest('hex')}`;
}

function answerOf({ statusCode = 0, headers }: IncomingMessage, now: EpochMs): WebhookAnswer {
  if (statusCode >= 200 && statusCode < 300) return { ok: true };
  const redirected = statusCode >= 300 && statusCode < 400 ? ', a redirect, which is not followed' : '';
  return {
    ok: false,
    reason: `HTTP ${statusCode}${redirected}`,
    retryAfterMs: retryAfterMs(headers['retry-after'], now),
  };
}

const failure = (reason: string): WebhookAnswer => ({ ok: false, reason, retryAfterMs: null });
