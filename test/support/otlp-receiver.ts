import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';
import { onTestFinished } from 'vitest';
import { bytesOf, decode, type Fields, messagesOf, numberOf, textOf } from './protobuf.ts';

type Attributes = Readonly<Record<string, string | number | boolean>>;

export interface ReceivedSpan {
  readonly traceId: string;
  readonly spanId: string;
  /** Empty: it has no parent. */
  readonly parentId: string;
  readonly name: string;
  readonly kind: number;
  readonly failed: boolean;
  readonly attributes: Attributes;
  readonly events: readonly { readonly name: string; readonly attributes: Attributes }[];
  readonly resource: Attributes;
}

export interface OtlpReceiver {
  /** For `OTEL_EXPORTER_OTLP_ENDPOINT`. */
  readonly endpoint: string;
  readonly spans: ReceivedSpan[];
  readonly requests: Pick<IncomingMessage, 'url' | 'headers'>[];
}

/** A collector: a real HTTP server that receives spans by OTLP, in protobuf. @param status its answer to every request */
export async function otlpReceiver(status = 200): Promise<OtlpReceiver> {
  const spans: ReceivedSpan[] = [];
  const requests: OtlpReceiver['requests'] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { url, headers } = request;
      requests.push({ url, headers });
      const body = Buffer.concat(chunks);
      spans.push(...spansIn(headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body));
      response.writeHead(status, { 'content-type': 'application/x-protobuf' }).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { endpoint: `http://127.0.0.1:${portOf(server.address())}`, spans, requests };
}

/** The spans of an `ExportTraceServiceRequest`. Numbers of fields: opentelemetry/proto/trace/v1/trace.proto */
function spansIn(body: Buffer): ReceivedSpan[] {
  return messagesOf(decode(body), 1).flatMap((resourceSpans) => {
    const resource = messagesOf(resourceSpans, 1).map((each) => attributesOf(each, 1))[0] ?? {};
    return messagesOf(resourceSpans, 2)
      .flatMap((scope) => messagesOf(scope, 2))
      .map((span) => ({ ...spanOf(span), resource }));
  });
}

function spanOf(span: Fields): Omit<ReceivedSpan, 'resource'> {
  const hex = (number: number): string => bytesOf(span, number)[0]?.toString('hex') ?? '';
  return {
    ...{ traceId: hex(1), spanId: hex(2), parentId: hex(4), name: textOf(span, 5), kind: Number(numberOf(span, 6)) },
    attributes: attributesOf(span, 9),
    events: messagesOf(span, 11).map((event) => ({ name: textOf(event, 2), attributes: attributesOf(event, 3) })),
    failed: messagesOf(span, 15).some((status) => numberOf(status, 3) === 2n),
  };
}

function attributesOf(fields: Fields, number: number): Attributes {
  return Object.fromEntries(
    messagesOf(fields, number).flatMap((pair) => {
      const [value] = messagesOf(pair, 2);
      return value === undefined ? [] : [[textOf(pair, 1), anyOf(value)] as const];
    }),
  );
}

/** An `AnyValue`: text, truth or a whole number. */
function anyOf(value: Fields): string | number | boolean {
  if (value.has(1)) return textOf(value, 1);
  return value.has(2) ? numberOf(value, 2) === 1n : Number(numberOf(value, 3));
}

function portOf(address: AddressInfo | string | null): number {
  if (address === null || typeof address === 'string') throw new Error('not listening on a port');
  return address.port;
}
