/**
 * Posts alerts.
 *
 * Promises:
 * - It makes one request without retries or redirects, which ends within a few seconds, whatever the receiver does.
 * - It never throws, and no result or log line contains the URL, the secret, or text that the receiver sent.
 */
export interface Webhook {
  /** @param delivery identifies the message; the same for every attempt */
  post(delivery: string, body: string): Promise<WebhookAnswer>;
}

export type WebhookAnswer =
  | { readonly ok: true }
  | {
      readonly ok: false;
      /** `HTTP 500`, `Timeout`, or Node's error code. */
      readonly reason: string;
      /** How long the receiver asks to wait before the next request, ms. */
      readonly retryAfterMs: number | null;
    };
