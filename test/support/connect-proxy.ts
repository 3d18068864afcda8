import { once } from 'node:events';
import { createServer, type IncomingMessage, request } from 'node:http';
import { connect } from 'node:net';
import { onTestFinished } from 'vitest';

export interface ConnectProxy {
  /** Includes user and password. */
  readonly url: string;
  readonly port: number;
  /** `CONNECT host:port`, or `GET http://host:port/path`, in order. */
  readonly seen: string[];
  /** The credentials of each request, as `user:password`. */
  readonly credentials: string[];
}

export const PROXY_SECRET = 'pr0xy-s3cret';

/**
 * A real HTTP proxy on loopback that resolves every host to this machine, so a request that reaches an unresolvable host has gone through it. `refusing`:
 * answers each CONNECT with 403.
 */
export async function connectProxy(refusing = false): Promise<ConnectProxy> {
  const seen: string[] = [];
  const credentials: string[] = [];
  const note = ({ method, url, headers }: IncomingMessage): void => {
    seen.push(`${method} ${url}`);
    const [, encoded = ''] = /^Basic (.*)$/.exec(headers['proxy-authorization'] ?? '') ?? [];
    credentials.push(Buffer.from(encoded, 'base64').toString());
  };
  const server = createServer((incoming, response) => {
    note(incoming);
    const { port, pathname, search } = new URL(incoming.url ?? '');
    const { 'proxy-authorization': _credentials, ...headers } = incoming.headers;
    const how = { host: '127.0.0.1', port, path: `${pathname}${search}`, method: incoming.method, headers };
    const outgoing = request(how, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    outgoing.on('error', () => response.writeHead(502).end());
    incoming.pipe(outgoing);
  });
  server.on('connect', (incoming, client, head) => {
    note(incoming);
    client.on('error', () => client.destroy());
    if (refusing) {
      client.end('HTTP/1.1 403 Forbidden\r\n\r\n');
      return;
    }
    const onward = connect(Number(incoming.url?.split(':').at(-1)), '127.0.0.1', () => {
      client.write('HTTP/1.1 200 Connection Established\r\n\r\n');
      onward.write(head);
      onward.pipe(client);
      client.pipe(onward);
    });
    onward.on('error', () => client.destroy());
    client.on('close', () => onward.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('not on a TCP port');
  const { port } = address;
  return { url: `http://user:${PROXY_SECRET}@127.0.0.1:${port}`, port, seen, credentials };
}
