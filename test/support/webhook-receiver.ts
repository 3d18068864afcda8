import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';
import * as z from 'zod';

const digest = z.object({
  text: z.string(),
  rollcall: z.object({
    delivery: z.string(),
    counts: z.record(z.string(), z.number()),
    entries: z.array(z.string()),
    total: z.number(),
    since: z.string(),
    until: z.string(),
  }),
});

interface Received {
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
  readonly message: z.infer<typeof digest>;
}

/** How the receiver answers a request. */
export type Behaviour = (response: ServerResponse, request: IncomingMessage) => void;

export const accepting: Behaviour = (response) => void response.writeHead(200).end('ok');
export const answering =
  (status: number, headers: Record<string, string> = {}): Behaviour =>
  (response) =>
    void response.writeHead(status, headers).end('no');
export const hanging: Behaviour = () => undefined;
export const closing: Behaviour = (_response, request) => void request.socket.destroy();

export interface WebhookReceiver {
  readonly url: string;
  /** Every complete request, whatever the answer. */
  readonly received: Received[];
  behave: Behaviour;
}

/** A real HTTP server in place of a webhook. */
export async function webhookReceiver(): Promise<WebhookReceiver> {
  const received: Received[] = [];
  const receiver = { received, behave: accepting, url: '' };
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks).toString();
      received.push({ headers: request.headers, body, message: digest.parse(JSON.parse(body)) });
      receiver.behave(response, request);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  receiver.url = `http://127.0.0.1:${portOf(server.address())}/hook/s3cr3t-path`;
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return receiver;
}

function portOf(address: AddressInfo | string | null): number {
  if (address === null || typeof address === 'string') throw new Error('not listening on a port');
  return address.port;
}
