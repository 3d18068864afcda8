import type { LambdaEvent } from 'hono/aws-lambda';
import * as z from 'zod';
import { faultsOf } from '../../shared/compose/lambda-event.ts';
import { safeParseUntrusted } from '../../shared/domain/safe-parse.ts';
import { ApiProblem, problemResponse } from './problem.ts';
import { SECURITY_HEADERS } from './security/headers.ts';

/** A token by RFC 9110, 5.6.2; `Request` rejects anything else as a method. */
const token = z.string().regex(/^[\w!#$%&'*+.^`|~-]+$/, 'expected the name of a method or header');
const headerValue = z.string().regex(/^[^\0\r\n]*$/, 'expected text without line breaks');
/** `Request` throws for CONNECT, TRACE and TRACK [fetch, 2.2.1]. */
const method = token.regex(/^(?!(connect|trace|track)$)/i, 'expected a method that a function can answer');
const host = z.string().regex(/^[\w.-]+(:\d{1,5})?$/, 'expected the name of a host');

/** The event of a function URL or an HTTP API, payload format 2.0 [urls-invocation]; only the fields that a request needs. */
const httpEvent = z.looseObject({
  rawPath: z.string().startsWith('/'),
  rawQueryString: z.string().nullish(),
  headers: z
    .record(token, headerValue.nullish())
    .and(z.object({ host: host.nullish() }))
    .nullish(),
  cookies: z.array(headerValue).nullish(),
  body: z.string().nullish(),
  isBase64Encoded: z.boolean().nullish(),
  // With these fields hono would read the event as one of a load balancer or of VPC Lattice.
  requestContext: z.looseObject({
    http: z.looseObject({ method }),
    domainName: host.optional(),
    elb: z.undefined().optional(),
    serviceArn: z.undefined().optional(),
  }),
});

/** The event, if it can be turned into a request; otherwise an error answer that explains the fault. */
export type ReadHttpEvent =
  | { readonly event: LambdaEvent; readonly answer: null }
  | { readonly event: null; readonly answer: HttpAnswer };

/** An HTTP answer in the format that Lambda returns to the client. */
interface HttpAnswer {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly isBase64Encoded: boolean;
}

/** The body of a GET or HEAD request has no meaning [RFC 9110, 9.3.1]. */
const BODILESS: ReadonlySet<string> = new Set(['GET', 'HEAD']);

function methodOf(event: unknown): string {
  const parsed = safeParseUntrusted(httpEvent, event);
  return parsed.success ? parsed.data.requestContext.http.method.toUpperCase() : '';
}

export async function readHttpEvent(event: unknown): Promise<ReadHttpEvent> {
  if (isHttpEvent(event))
    return { event: BODILESS.has(methodOf(event)) ? { ...event, body: null } : event, answer: null };
  const parsed = safeParseUntrusted(httpEvent, event);
  const fault = parsed.success ? 'it cannot be read' : faultsOf(parsed.error);
  const expected = 'an HTTP request of a function URL or an HTTP API (payload format 2.0)';
  const problem = new ApiProblem(400, 'BadEvent', `This function was not invoked with ${expected}: ${fault}.`);
  const response = problemResponse(problem);
  const headers = { ...Object.fromEntries(response.headers), ...SECURITY_HEADERS, 'cache-control': 'no-store' };
  return {
    event: null,
    answer: { statusCode: response.status, headers, body: await response.text(), isBase64Encoded: false },
  };
}

function isHttpEvent(event: unknown): event is LambdaEvent {
  return safeParseUntrusted(httpEvent, event).success;
}
