import { createServer, type Server } from 'node:http';

export interface ServiceRequest {
  /** The operation, from `X-Amz-Target`. */
  readonly operation: string;
  readonly body: unknown;
}

/** A string `body` is sent unchanged, anything else as JSON. */
export interface Answer {
  readonly status: number;
  readonly body: unknown;
}

/** An HTTP service whose answers the test provides. */
export interface SimulatedService {
  readonly settings: {
    readonly region: string;
    readonly endpoint: string;
    readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  };
  readonly requests: ServiceRequest[];
  close(): Promise<void>;
}

export async function startSimulatedService(answer: (request: ServiceRequest) => Answer): Promise<SimulatedService> {
  const requests: ServiceRequest[] = [];
  const server: Server = createServer((incoming, outgoing) => {
    const parts: Buffer[] = [];
    incoming.on('data', (part: Buffer) => parts.push(part));
    incoming.on('end', () => {
      const operation =
        String(incoming.headers['x-amz-target'] ?? '')
          .split('.')
          .at(-1) ?? '';
      const request = { operation, body: JSON.parse(Buffer.concat(parts).toString() || 'null') };
      requests.push(request);
      const { status, body } = answer(request);
      outgoing.writeHead(status, { 'content-type': 'application/x-amz-json-1.1' });
      outgoing.end(typeof body === 'string' ? body : JSON.stringify(body));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('not listening on a port');
  return {
    settings: {
      region: 'eu-west-1',
      endpoint: `http://127.0.0.1:${address.port}`,
      credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    },
    requests,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
