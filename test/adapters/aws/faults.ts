import { createServer, request as forward, type IncomingHttpHeaders } from 'node:http';

export interface ProxiedCall {
  readonly operation: string;
  readonly body: Readonly<Record<string, unknown>>;
}

/** The outcome of a call; `undefined` forwards it. */
export type FailureOutcome =
  /** The proxy answers; the service does not receive the call. */
  | { readonly kind: 'answer'; readonly status: number; readonly body: unknown }
  /** The service executes the call, but the connection breaks before the answer. */
  | { readonly kind: 'lost' }
  /** The connection breaks; the service does not receive the call. */
  | { readonly kind: 'reset' }
  /** The proxy forwards another body. */
  | { readonly kind: 'pass'; readonly body: unknown; readonly change?: (answer: Answered) => unknown };

type Answered = Readonly<Record<string, unknown>>;

export interface FaultProxy {
  readonly endpoint: string;
  /** Replaced by tests; decides the outcome of each call. */
  decide: (call: ProxiedCall) => FailureOutcome | undefined;
  /** Replaced by tests; called after each call that the service has executed. */
  onAnswered: (call: ProxiedCall) => void;
  readonly calls: ProxiedCall[];
  count(operation: string): number;
  close(): Promise<void>;
}

export function refusal(code: string, status = 400): FailureOutcome {
  return { kind: 'answer', status, body: { __type: `com.amazonaws#${code}`, message: 'as the test wants it' } };
}

/** A proxy between an adapter and the service that makes single calls fail. */
export async function startFaultProxy(target: string): Promise<FaultProxy> {
  const calls: ProxiedCall[] = [];
  const server = createServer(async (incoming, outgoing): Promise<unknown> => {
    const parts: Buffer[] = [];
    for await (const part of incoming) parts.push(part);
    const operation = String(incoming.headers['x-amz-target']).split('.').at(-1) ?? '';
    const call = { operation, body: JSON.parse(Buffer.concat(parts).toString()) };
    calls.push(call);
    const outcome = proxy.decide(call);
    if (outcome?.kind === 'reset') return incoming.socket.destroy();
    if (outcome?.kind === 'answer') {
      outgoing.writeHead(outcome.status, { 'content-type': 'application/x-amz-json-1.0' });
      return outgoing.end(typeof outcome.body === 'string' ? outcome.body : JSON.stringify(outcome.body));
    }
    const body = outcome?.kind === 'pass' ? JSON.stringify(outcome.body) : Buffer.concat(parts);
    let answer: Awaited<ReturnType<typeof send>>;
    try {
      answer = await send(target, incoming.headers, body);
    } catch {
      // The service has closed the connection, so the proxy closes it too.
      return incoming.socket.destroy();
    }
    proxy.onAnswered(call);
    if (outcome?.kind === 'lost') return incoming.socket.destroy();
    const change = outcome?.kind === 'pass' ? outcome.change : undefined;
    const text = change === undefined ? answer.text : JSON.stringify(change(JSON.parse(answer.text)));
    outgoing.writeHead(answer.status, { 'content-type': 'application/x-amz-json-1.0' });
    return outgoing.end(text);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('not listening on a port');
  const proxy: FaultProxy = {
    endpoint: `http://127.0.0.1:${address.port}`,
    decide: () => undefined,
    onAnswered: () => undefined,
    calls,
    count: (operation) => calls.filter((call) => call.operation === operation).length,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return proxy;
}

function send(
  target: string,
  headers: IncomingHttpHeaders,
  body: string | Buffer,
): Promise<{ readonly status: number; readonly text: string }> {
  return new Promise((resolve, reject) => {
    const { 'content-length': _, ...rest } = headers;
    const outgoing = forward(target, {
      method: 'POST',
      headers: { ...rest, 'content-length': Buffer.byteLength(body) },
    });
    outgoing.on('error', reject);
    outgoing.on('response', async (response) => {
      const parts: Buffer[] = [];
      for await (const part of response) parts.push(part);
      resolve({ status: response.statusCode ?? 500, text: Buffer.concat(parts).toString() });
    });
    outgoing.end(body);
  });
}
