/**
 * Where alerts are posted.
 *
 * Promises:
 * - One request, never repeated, never redirected; it ends within a few seconds, whatever the other side does.
 * - Never throws, and nothing that it answers or logs holds the URL, the secret, or a text that the other side sent.
 */
export interface Webhook {
  /** @param delivery names the message, the same for every attempt. */
  post(delivery: string, body: string): Promise<WebhookAnswer>;
}

export type WebhookAnswer =
  | { readonly ok: true }
  | {
      readonly ok: false;
      /** `HTTP 500`, `Timeout`, or Node's error code. */
      readonly reason: string;
      /** How long the other side asks to be left alone, ms. */
      readonly retryAfterMs: number | null;
    };
