import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { Failure } from '../engine/operation.ts';
import type { Sandbox } from '../engine/sandbox.ts';
import type { ApiAnswer } from '../engine/types.ts';
import { checkScope, parseAuthorization } from './authorization.ts';
import { createControl, type MovableClock } from './control.ts';
import { createDispatcher, type NoSuchOperation } from './dispatch.ts';
import type { Wire } from './wire.ts';

/** Larger bodies are rejected. The largest that AWS accepts here is 256 KB for PutEvents. */
const MAX_BODY_BYTES = 1024 * 1024;
const CONTROL_PREFIX = '/_sandbox/';

/** `close` drops delayed responses. Calling it again has no effect. */
export type Door = { server: Server; close(): Promise<void> };

/** An HTTP server for AWS's protocols and the sandbox's control endpoints. It does not listen yet. */
export function createDoor(sandbox: Sandbox, clock: MovableClock): Door {
  const dispatch = createDispatcher([...sandbox.services.values()]);
  const control = createControl(sandbox, clock);
  const delayed = new Set<NodeJS.Timeout>();

  /** Acts after a delay, or immediately if there is none. */
  const after = (delayMs: number, act: () => void): void => {
    if (delayMs <= 0) {
      act();
      return;
    }
    const timer = setTimeout(() => {
      delayed.delete(timer);
      act();
    }, delayMs);
    delayed.add(timer);
  };

  const serve = (request: IncomingMessage, response: ServerResponse, body: Buffer): void => {
    const { method = 'GET', url = '/', headers } = request;
    if (url.startsWith(CONTROL_PREFIX)) {
      const answer = control(method, url, body);
      send(response, answer.status, 'application/json', {}, JSON.stringify(answer.body));
      return;
    }
    const requestId = randomUUID();
    const wire = dispatch(method, url, headers, body);
    if (!isWire(wire)) {
      sendUnknown(response, wire, requestId);
      return;
    }
    const answer = call(sandbox, wire, headers, body, requestId);
    after(answer.delayMs, () => sendAnswer(request, response, wire, answer, requestId));
  };

  const server = createServer((request, response) => {
    readBody(request, (body) => {
      try {
        if (body === null) sendTooLarge(response);
        else serve(request, response, body);
      } catch (error) {
        // A bug in the sandbox itself: return it as an error, so that the process continues.
        const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
        if (response.headersSent) response.destroy();
        else send(response, 500, 'application/json', {}, JSON.stringify({ __type: 'InternalFailure', message }));
      }
    });
  });
  server.keepAliveTimeout = 60_000;
  const shutDown = (): Promise<void> =>
    new Promise((resolve, reject) => {
      for (const timer of delayed) clearTimeout(timer);
      delayed.clear();
      server.close((error) => (error === undefined ? resolve() : reject(error)));
      server.closeAllConnections();
    });
  let closed: Promise<void> | undefined;
  return {
    server,
    close: () => {
      closed ??= shutDown();
      return closed;
    },
  };
}

/** Authenticates the caller, decodes the input and makes the call. */
function call(
  sandbox: Sandbox,
  wire: Wire,
  headers: IncomingMessage['headers'],
  body: Buffer,
  requestId: string,
): ApiAnswer {
  const { name } = wire.service;
  const refuse = (failure: Failure): ApiAnswer => ({
    kind: 'error',
    error: sandbox.refuse(name, failure),
    delayMs: 0,
  });
  const scope = parseAuthorization(headers);
  if (scope instanceof Failure) return refuse(scope);
  const misplaced = checkScope(scope, name, sandbox.partition);
  if (misplaced !== null) return refuse(misplaced);
  const sessionToken = headers['x-amz-security-token'];
  const identity = sandbox.authenticate(
    wire.service,
    scope.accessKeyId,
    typeof sessionToken === 'string' ? sessionToken : undefined,
  );
  if (identity instanceof Failure) return refuse(identity);
  const input = wire.decode(body);
  if (input instanceof Failure) return refuse(input);
  return sandbox.handle({
    service: name,
    operation: wire.operation,
    callerAccountId: identity.accountId,
    roleSession: identity.roleSession,
    input,
    region: scope.region,
    requestId,
  });
}

function isWire(found: Wire | NoSuchOperation): found is Wire {
  return 'decode' in found;
}

function sendAnswer(
  request: IncomingMessage,
  response: ServerResponse,
  wire: Wire,
  answer: ApiAnswer,
  requestId: string,
): void {
  if (answer.kind === 'reset') {
    request.socket.resetAndDestroy();
    return;
  }
  const headers = { 'x-amzn-requestid': requestId, ...wire.headers };
  const { contentType } = wire;
  if (answer.kind === 'error') {
    send(response, answer.error.httpStatus, contentType, headers, wire.encodeError(answer.error, requestId));
    return;
  }
  const body = answer.output === null ? '' : wire.encodeOutput(answer.output, requestId);
  send(response, 200, contentType, headers, body);
}

function sendUnknown(
  response: ServerResponse,
  { code, httpStatus, message }: NoSuchOperation,
  requestId: string,
): void {
  const body = JSON.stringify({ __type: code, message });
  send(response, httpStatus, 'application/x-amz-json-1.1', { 'x-amzn-requestid': requestId }, body);
}

/** The rest of the body is not read, so the connection cannot be used again. */
function sendTooLarge(response: ServerResponse): void {
  const message = `The request body is larger than ${MAX_BODY_BYTES} bytes`;
  const body = JSON.stringify({ __type: 'RequestEntityTooLargeException', message });
  const headers = { 'x-amzn-requestid': randomUUID(), connection: 'close' };
  send(response, 413, 'application/x-amz-json-1.1', headers, body);
}

function send(
  response: ServerResponse,
  status: number,
  contentType: string,
  headers: Readonly<Record<string, string>>,
  body: string | Uint8Array,
): void {
  const length = typeof body === 'string' ? Buffer.byteLength(body) : body.byteLength;
  response.writeHead(status, { 'content-type': contentType, 'content-length': length, ...headers });
  response.end(body);
}

/** Calls `done` once: with the whole body, or with null as soon as it is too large. An aborted request is dropped. */
function readBody(request: IncomingMessage, done: (body: Buffer | null) => void): void {
  const chunks: Buffer[] = [];
  let size = 0;
  request.on('data', (chunk: Buffer) => {
    const fitted = size <= MAX_BODY_BYTES;
    size += chunk.length;
    if (size <= MAX_BODY_BYTES) chunks.push(chunk);
    else if (fitted) done(null);
  });
  request.on('end', () => {
    if (size <= MAX_BODY_BYTES)
      done(chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks));
  });
  request.on('error', () => {
    chunks.length = 0;
  });
}
