import type { LambdaEvent } from 'hono/aws-lambda';
import * as z from 'zod';
import { faultsOf } from '../../shared/compose/lambda-event.ts';
import { parseOutside } from '../../shared/domain/outside.ts';
import { ApiProblem, problemResponse } from './problem.ts';
import { SECURITY_HEADERS } from './security/headers.ts';

/** RFC 9110, 5.6.2; what a request could not be made of otherwise. */
const token = z.string().regex(/^[\w!#$%&'*+.^`|~-]+$/, 'expected the name of a method or header');
const headerValue = z.string().regex(/^[^\0\r\n]*$/, 'expected a text without line breaks');
/** The others cannot be made a `Request` of [fetch, 2.2.1]. */
const method = token.regex(/^(?!(connect|trace|track)$)/i, 'expected a method that a function can answer');
const host = z.string().regex(/^[\w.-]+(:\d{1,5})?$/, 'expected the name of a host');

/** What a function URL and an HTTP API hand over, payload format 2.0 [urls-invocation]: as much of it as a request is made of. */
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
  // hono reads an event of another kind from these: of a load balancer, of VPC Lattice.
  requestContext: z.looseObject({
    http: z.looseObject({ method }),
    domainName: host.optional(),
    elb: z.undefined().optional(),
    serviceArn: z.undefined().optional(),
  }),
});

/** An event that a request can be made of; otherwise the answer to it, which says what is wrong with it. */
export type ReadHttpEvent =
  | { readonly event: LambdaEvent; readonly answer: null }
  | { readonly event: null; readonly answer: HttpAnswer };

/** As Lambda takes it. */
export interface HttpAnswer {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly isBase64Encoded: boolean;
}

/** What is in the body of such a request means nothing [RFC 9110, 9.3.1]. */
const BODILESS: ReadonlySet<string> = new Set(['GET', 'HEAD']);

function methodOf(event: unknown): string {
  const parsed = parseOutside(httpEvent, event);
  return parsed.success ? parsed.data.requestContext.http.method.toUpperCase() : '';
}

export async function readHttpEvent(event: unknown): Promise<ReadHttpEvent> {
  if (isHttpEvent(event))
    return { event: BODILESS.has(methodOf(event)) ? { ...event, body: null } : event, answer: null };
  const parsed = parseOutside(httpEvent, event);
  const fault = parsed.success ? 'it cannot be read' : faultsOf(parsed.error);
  const expected = 'an HTTP request of a function URL or an HTTP API (payload format 2.0)';
  const problem = new ApiProblem(
    400,
    'BadEvent',
    `This function was invoked with something else than ${expected}: ${fault}.`,
  );
  const response = problemResponse(problem);
  const headers = { ...Object.fromEntries(response.headers), ...SECURITY_HEADERS, 'cache-control': 'no-store' };
  return {
    event: null,
    answer: { statusCode: response.status, headers, body: await response.text(), isBase64Encoded: false },
  };
}

function isHttpEvent(event: unknown): event is LambdaEvent {
  return parseOutside(httpEvent, event).success;
}
