import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import * as z from 'zod';

/** A proxy in front of DynamoDB that counts operations and returned items. */
export interface Spy {
  readonly endpoint: string;
  reset(): void;
  seen(): { readonly operations: Readonly<Record<string, number>>; readonly items: number };
  close(): Promise<void>;
}

const answerShape = z.looseObject({
  Items: z.array(z.unknown()).optional(),
  Item: z.unknown().optional(),
  Responses: z.record(z.string(), z.array(z.unknown())).optional(),
});

export async function spyOn(endpoint: string): Promise<Spy> {
  let operations: Record<string, number> = {};
  let items = 0;
  const target = new URL(endpoint);
  const server = createServer((incoming, outgoing) => {
    const operation = String(incoming.headers['x-amz-target']).split('.')[1] ?? 'unknown';
    operations[operation] = (operations[operation] ?? 0) + 1;
    const { method, url, headers } = incoming;
    const passed = request({ host: target.hostname, port: target.port, method, path: url, headers }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => chunks.push(chunk));
      answer.on('end', () => {
        const body = Buffer.concat(chunks);
        items += itemsIn(body.toString());
        outgoing.writeHead(answer.statusCode ?? 500, answer.headers);
        outgoing.end(body);
      });
    });
    passed.on('error', () => outgoing.destroy());
    incoming.pipe(passed);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    endpoint: `http://127.0.0.1:${portOf(server.address())}`,
    reset() {
      operations = {};
      items = 0;
    },
    seen: () => ({ operations, items }),
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}

function itemsIn(body: string): number {
  const { Items, Item, Responses } = answerShape.parse(JSON.parse(body === '' ? '{}' : body));
  const got = Object.values(Responses ?? {}).reduce((sum, each) => sum + each.length, 0);
  return (Items?.length ?? 0) + (Item === undefined ? 0 : 1) + got;
}

function portOf(address: AddressInfo | string | null): number {
  if (address === null || typeof address === 'string') throw new Error('not listening on a port');
  return address.port;
}
