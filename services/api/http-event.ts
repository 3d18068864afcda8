import type { LambdaEvent } from 'hono/aws-lambda';
import * as z from 'zod';
import { faultsOf } from '../../shared/compose/lambda-event.ts';
import { safeParseUntrusted } from '../../shared/domain/safe-parse.ts';
import { ApiProblem, problemResponse } from './problem.ts';
import { SECURITY_HEADERS } from './security/headers.ts';

/** A name as in RFC 9110, 5.6.2. `Request` throws for any other name. */
const token = z.string().regex(/^[\w!#$%&'*+.^`|~-]+$/, 'expected the name of a method or header');
const headerValue = z.string().regex(/^[^\0\r\n]*$/, 'expected text without line breaks');
/** `Request` throws for CONNECT, TRACE and TRACK [fetch, 2.2.1]. */
const method = token.regex(/^(?!(connect|trace|track)$)/i, 'expected a method that a function can answer');
const host = z.string().regex(/^[\w.-]+(:\d{1,5})?$/, 'expected the name of a host');

/** The fields of an event of a function URL or an HTTP API, payload format 2.0, that a request needs [urls-invocation]. */
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
  // Refuses `elb` and `serviceArn`, by which hono would take the event for one of a load balancer or of VPC Lattice.
  requestContext: z.looseObject({
    http: z.looseObject({ method }),
    domainName: host.optional(),
    elb: z.undefined().optional(),
    serviceArn: z.undefined().optional(),
  }),
});

/** The event, or an error answer if it is not an HTTP request. */
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

export async function readHttpEvent(event: unknown): Promise<ReadHttpEvent> {
  const parsed = safeParseUntrusted(httpEvent, event);
  if (parsed.success && isHttpEvent(event)) {
    // The body of a GET or HEAD request has no meaning [RFC 9110, 9.3.1], and `Request` does not accept one.
    const bodiless = /^(get|head)$/i.test(parsed.data.requestContext.http.method);
    return { event: bodiless ? { ...event, body: null } : event, answer: null };
  }
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
