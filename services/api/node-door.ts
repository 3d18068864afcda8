import { createServer, type IncomingMessage, type Server, type ServerOptions, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { ReadableStream as NodeReadableStream } from 'node:stream/web';
import type { ApiTokens } from '../../shared/config/api-env.ts';
import { ConfigError } from '../../shared/config/config-error.ts';
import { type ApiOptions, createApi } from './app.ts';
import { encoded } from './compression.ts';
import type { Door, Visit } from './door.ts';
import type { Pages } from './pages.ts';
import { bearer } from './security/bearer.ts';
import { SECURITY_HEADERS } from './security/headers.ts';
import { addressGroup, PLACES, type Place, type PlaceLimits, Places } from './security/places.ts';
import { requireLoopbackHost, requireSameOrigin } from './security/same-origin.ts';
import type { ApiSystem } from './system.ts';

export interface NodeDoorOptions extends ApiOptions {
  readonly system: ApiSystem;
  readonly host: string;
  /** Port to listen on; 0: any free port. */
  readonly port: number;
  readonly tokens: ApiTokens;
  /** The actor if no tokens are configured: the operating system's user. */
  readonly localActor: string;
  /** Reads the dashboard's files; called once. */
  readonly pages: () => Promise<Pages | null>;
  readonly patience?: Patience;
  readonly places?: PlaceLimits;
}

/** Timeouts for slow clients, ms. */
export interface Patience {
  /** Until the headers are complete, counted from the start of the connection. */
  readonly headersMs: number;
  /** Until the whole request is received. */
  readonly requestMs: number;
  /** Between two requests on one connection. */
  readonly keepAliveMs: number;
  /** Until the client reads the next part of an answer. Longer than the interval of keep-alive comments in event streams. */
  readonly stalledMs: number;
  /** Interval of the checks for slow headers and requests. */
  readonly checkMs: number;
}

export const PATIENCE: Patience = {
  headersMs: 10_000,
  requestMs: 30_000,
  keepAliveMs: 10_000,
  stalledMs: 120_000,
  // Node checks every 30 s by default, so it would close a slow connection up to 30 s after its limit.
  checkMs: 1_000,
};

export interface OpenDoor {
  /** The dashboard's URL. */
  readonly url: string;
  readonly port: number;
  /** Interrupts the answers under way. */
  close(): Promise<void>;
}

/** Whether the host is an address of this machine that no other machine can reach. */
function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(host);
}

/** Opens the API on a port. @throws ConfigError if other machines could reach the API without a token, or the port is not available */
export async function openNodeDoor(options: NodeDoorOptions): Promise<OpenDoor> {
  const { host, tokens, system } = options;
  if (!isLoopback(host) && !tokens.configured) {
    const message =
      `--host ${host} can be reached from other machines, and no token is set: expected ROLLCALL_TOKEN_OPERATE or ROLLCALL_TOKEN_READ in the ` +
      'environment, of 32 characters or more (`openssl rand -hex 32`). Without a token, serve answers only on 127.0.0.1.';
    throw new ConfigError('TokenNeeded', message);
  }
  const bound: { port: number } = { port: options.port };
  const app = createApi(system, nodeDoor(options, bound), options);
  const seats = new WeakMap<Socket, Place>();
  const server = createServer(settingsOf(options.patience ?? PATIENCE));
  serve(server, (incoming, outgoing, invite) => {
    const place = seats.get(incoming.socket) ?? null;
    answer({ incoming, outgoing, invite, place }, app.fetch).catch((error: unknown) => {
      system.logger.warn('an answer was interrupted', { error });
      outgoing.destroy();
    });
  });
  server.maxHeadersCount = 100;
  server.timeout = (options.patience ?? PATIENCE).stalledMs;
  seat(server, new Places(options.places ?? placesOn(host)), seats);
  bound.port = await listen(server, options);
  const name = host.includes(':') ? `[${host}]` : host === '0.0.0.0' ? '127.0.0.1' : host;
  return {
    url: `http://${name}:${bound.port}/`,
    port: bound.port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function nodeDoor(
  { host, tokens, localActor, system, pages }: NodeDoorOptions,
  bound: { readonly port: number },
): Door {
  const { clock } = system;
  let files: Promise<Pages | null> | null = null;
  return {
    admit(headers, navigation) {
      if (!tokens.configured) requireLoopbackHost(headers.get('host'), { host, port: bound.port });
      requireSameOrigin(headers, navigation);
    },
    identify: (headers) =>
      tokens.configured ? bearer(headers, tokens, clock.now()) : { actor: localActor, role: 'operate' },
    // Behind a proxy all clients share its address. Forwarding headers are ignored, because any client can forge them.
    client: ({ remoteAddress }) => addressGroup(remoteAddress),
    headers: {},
    pages: () => {
      files ??= pages();
      return files;
    },
  };
}

/** Time limits. Without them, clients that send their requests byte by byte could occupy all connections. */
function settingsOf({ headersMs, requestMs, keepAliveMs, checkMs }: Patience): ServerOptions {
  return {
    headersTimeout: headersMs,
    requestTimeout: requestMs,
    connectionsCheckingInterval: checkMs,
    keepAliveTimeout: keepAliveMs,
  };
}

type Serve = (incoming: IncomingMessage, outgoing: ServerResponse, invite: () => void) => void;

/** Calls `each` for every request. `invite` sends `100 Continue`, which Node by itself would send before the request is admitted. */
function serve(server: Server, each: Serve): void {
  server.on('request', (incoming, outgoing) => each(incoming, outgoing, () => undefined));
  server.on('checkContinue', (incoming, outgoing) => each(incoming, outgoing, () => outgoing.writeContinue()));
  server.on('checkExpectation', (_, outgoing) =>
    refuse(outgoing, 417, 'The only supported expectation is 100-continue'),
  );
}

/** Answers a request that never reaches the app. */
function refuse(outgoing: ServerResponse, status: number, text: string): void {
  const headers = { ...SECURITY_HEADERS, 'content-type': 'text/plain', connection: 'close' };
  outgoing.writeHead(status, headers).end(`${text}\n`);
}

/** On loopback all clients share one address, so there is no limit per address. With one, a single client could lock out the others. */
function placesOn(host: string): PlaceLimits {
  return isLoopback(host) ? { ...PLACES, perAddress: PLACES.total } : PLACES;
}

/** Gives each new connection a place, or closes it if no place is free. */
function seat(server: Server, places: Places, seats: WeakMap<Socket, Place>): void {
  server.on('connection', (socket) => {
    const place = places.open(addressGroup(socket.remoteAddress), () => socket.destroy());
    if (place === null) {
      socket.destroy();
      return;
    }
    seats.set(socket, place);
    socket.once('close', () => place.leave());
  });
}

function listen(server: Server, { host, port }: NodeDoorOptions): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(cannotListen(error, host, port)));
    server.listen(port, host, () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : port);
    });
  });
}

function cannotListen(error: NodeJS.ErrnoException, host: string, port: number): ConfigError {
  const { code = 'error' } = error;
  const reasons: Readonly<Record<string, string>> = {
    EADDRINUSE: 'another process uses it. Choose another port with --port, or 0 for any free port',
    EACCES: 'it needs more privileges. Choose a port of 1024 or above with --port',
    EADDRNOTAVAIL: 'this machine has no such address. Choose another host with --host',
    ENOTFOUND: 'the host is not known. Choose another host with --host',
  };
  const reason = reasons[code] ?? error.message;
  return new ConfigError(code, `Cannot listen on port ${port} of ${host}: ${reason}.`, { cause: error });
}

type Fetch = (request: Request, visit: Visit) => Response | Promise<Response>;

interface Exchange {
  readonly incoming: IncomingMessage;
  readonly outgoing: ServerResponse;
  /** Sends `100 Continue` to a client that waits for it before it sends the body. */
  readonly invite: () => void;
  readonly place: Place | null;
}

async function answer({ incoming, outgoing, invite, place }: Exchange, fetch: Fetch): Promise<void> {
  place?.touch();
  const gone = new AbortController();
  outgoing.once('close', () => gone.abort());
  const request = requestOf(incoming, invite, gone.signal);
  if (request === null) {
    refuse(outgoing, 400, 'Bad request');
    return;
  }
  const { remoteAddress } = incoming.socket;
  const hold = (client: string, urgent: boolean): void => {
    const release = place?.hold(client, urgent);
    if (release !== undefined) outgoing.once('close', release);
  };
  const ended = (then: () => void): void => {
    if (outgoing.destroyed) then();
    else outgoing.once('close', then);
  };
  const visit = { ...(remoteAddress !== undefined && { remoteAddress }), hold, ended };
  const response = await fetch(request, visit);
  // Closes the connection if the body was not read to its end, or if the client may continue in another protocol (`Upgrade`).
  if (!incoming.complete || incoming.headers.upgrade !== undefined) outgoing.shouldKeepAlive = false;
  if (response.body === null || incoming.method === 'HEAD') {
    outgoing.writeHead(response.status, Object.fromEntries(response.headers));
    await response.body?.cancel();
    outgoing.end();
    return;
  }
  try {
    const accepted = request.headers.get('accept-encoding');
    const { headers, body, encoder } = await encoded(response.headers, chunksOf(response.body), accepted);
    outgoing.writeHead(response.status, headers);
    const parts = Readable.from(body);
    await (encoder === null ? pipeline(parts, outgoing) : pipeline(parts, encoder, outgoing));
  } catch (error) {
    // If the client has disconnected, there is nothing to report.
    if (!gone.signal.aborted) throw error;
  }
}

async function* chunksOf(
  body: ReadableStream<Uint8Array> | NodeReadableStream<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  for await (const chunk of body) yield chunk;
}

async function* bodyOf(incoming: IncomingMessage, invite: () => void): AsyncGenerator<Uint8Array> {
  invite();
  yield* incoming;
}

/** Converts a request of Node. Its URL has a placeholder as host, because the app uses only path and query. @returns `null` if it is malformed */
function requestOf(incoming: IncomingMessage, invite: () => void, signal: AbortSignal): Request | null {
  const { method = 'GET', url = '/', rawHeaders } = incoming;
  if (!url.startsWith('/')) return null;
  try {
    const headers = new Headers();
    for (let at = 0; at + 1 < rawHeaders.length; at += 2)
      headers.append(rawHeaders[at] ?? '', rawHeaders[at + 1] ?? '');
    const init = { method, headers, signal };
    const address = new URL(`http://rollcall.invalid${url}`);
    if (method === 'GET' || method === 'HEAD') return new Request(address, init);
    // The body is read only when the app asks for it.
    const body = NodeReadableStream.from<Uint8Array>(bodyOf(incoming, invite));
    return new Request(address, { ...init, body, duplex: 'half' });
  } catch {
    // `Request` does not support some methods (TRACE, CONNECT) and malformed headers.
    return null;
  }
}
