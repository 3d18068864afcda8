import * as z from 'zod';
import type { ApiRole } from '../../shared/config/api-env.ts';
import { safeParseUntrusted, type UntrustedResult } from '../../shared/domain/safe-parse.ts';
import { ApiProblem, type Complaint } from './problem.ts';
import type { SCHEMAS, SchemaName } from './schemas.ts';
import type { ApiSystem, Principal } from './system.ts';

/** A request of an admitted caller. Its parts are not validated yet. */
export interface RawCall {
  readonly system: ApiSystem;
  readonly principal: Principal;
  readonly search: URLSearchParams;
  readonly params: Readonly<Record<string, string>>;
  readonly headers: Headers;
  /** The body as JSON. @throws ApiProblem */
  readonly json: () => Promise<unknown>;
  /** Aborts when the caller disconnects. */
  readonly signal: AbortSignal;
}

/** A request with validated parts. */
export interface Call<Q, P, B> extends Pick<RawCall, 'system' | 'principal' | 'signal' | 'headers'> {
  readonly query: Q;
  readonly params: P;
  readonly body: B;
}

export type ReadLane = 'heavy' | 'lists' | 'light';

/** An endpoint: the app and the OpenAPI document are both derived from it. */
export interface Route {
  readonly method: 'get' | 'post';
  /** The path, with `{name}` for each parameter, as in OpenAPI. */
  readonly path: string;
  readonly operationId: string;
  readonly summary: string;
  readonly query: z.ZodObject;
  readonly params: z.ZodObject;
  /** Only for `post`. */
  readonly body: z.ZodObject;
  readonly answer: AnswerSpec;
  /** The role that the caller needs. Operators may do everything. */
  readonly role: ApiRole;
  /** Sent by machines, so the rate limit of reads applies and not the lower one of commands. */
  readonly frequent: boolean;
  /** Has a separate rate limit and reserved connections, so that other requests cannot block it. */
  readonly urgent: boolean;
  /** Reads every account or any number of entries, so only a few run at the same time. */
  readonly heavy: boolean;
  /** The query parameter with which the route is heavy; `null`: none. */
  readonly heavyWith: string | null;
  /** The queue in which its reads wait for their turns: `heavy` if they read any number of entries, `lists` if they only pass over all accounts. */
  readonly lane: ReadLane;
  /** Without a query, its answer is the same for all clients, so simultaneous requests share one answer. */
  readonly shared: boolean;
  /** @throws ApiProblem */
  readonly run: (call: RawCall) => Promise<Response>;
}

/** The answer's media types, each with its schema; `null`: text. */
export type AnswerTypes = Readonly<Record<string, SchemaName | null>>;
type AnswerSpec = { readonly schema: SchemaName } | { readonly types: AnswerTypes };

/** What an endpoint declares. Flags are false by default; the default lane follows from `heavy`; the default role is `operate` for a `post`, otherwise `read`. */
interface Spec<Q extends z.ZodObject, P extends z.ZodObject, B extends z.ZodObject>
  extends Pick<Route, 'method' | 'path' | 'operationId' | 'summary'>,
    Partial<Pick<Route, 'frequent' | 'urgent' | 'heavy' | 'heavyWith' | 'lane' | 'shared' | 'role'>> {
  readonly query: Q;
  readonly params: P;
  readonly body: B;
}

const nothing = z.strictObject({});
/** The input of an endpoint that takes no query, no path parameters and no body. */
export const NONE = { query: nothing, params: nothing, body: nothing };

/** An endpoint that answers with JSON of a known shape. */
export function jsonRoute<N extends SchemaName, Q extends z.ZodObject, P extends z.ZodObject, B extends z.ZodObject>(
  spec: Spec<Q, P, B> & {
    readonly answer: N;
    readonly handle: (call: Call<z.output<Q>, z.output<P>, z.output<B>>) => Promise<z.input<(typeof SCHEMAS)[N]>>;
  },
): Route {
  return routeOf(spec, { schema: spec.answer }, async (call) => Response.json(await spec.handle(call)));
}

/** An endpoint that answers with anything other than one JSON document. */
export function streamRoute<Q extends z.ZodObject, P extends z.ZodObject, B extends z.ZodObject>(
  spec: Spec<Q, P, B> & {
    readonly types: AnswerTypes;
    readonly handle: (call: Call<z.output<Q>, z.output<P>, z.output<B>>) => Promise<Response>;
  },
): Route {
  return routeOf(spec, { types: spec.types }, spec.handle);
}

function routeOf<Q extends z.ZodObject, P extends z.ZodObject, B extends z.ZodObject>(
  spec: Spec<Q, P, B>,
  answer: AnswerSpec,
  handle: (call: Call<z.output<Q>, z.output<P>, z.output<B>>) => Promise<Response>,
): Route {
  const { method, path, operationId, summary, query, params, body } = spec;
  const { frequent = false, urgent = false, heavy = false, heavyWith = null, shared = false } = spec;
  const { role = method === 'post' ? 'operate' : 'read', lane = heavy ? 'heavy' : 'light' } = spec;
  return {
    method,
    path,
    operationId,
    summary,
    frequent,
    urgent,
    heavy,
    heavyWith,
    lane,
    shared,
    role,
    query,
    params,
    body,
    answer,
    run: async ({ system, principal, signal, headers, ...raw }) => {
      const json = method === 'post' ? await raw.json() : {};
      const given = {
        query: safeParseUntrusted(query, queryOf(raw.search, query)),
        params: safeParseUntrusted(params, raw.params),
        body: safeParseUntrusted(body, json),
      };
      if (!given.query.success || !given.params.success || !given.body.success) throw badRequest(given);
      return handle({
        system,
        principal,
        signal,
        headers,
        query: given.query.data,
        params: given.params.data,
        body: given.body.data,
      });
    },
  };
}

/** The query as an object: a parameter that appears once is a string, unless its schema requires a list. */
function queryOf(search: URLSearchParams, schema: z.ZodObject): Record<string, unknown> {
  const names = [...new Set(search.keys())];
  return Object.fromEntries(
    names.map((name) => {
      const values = search.getAll(name);
      return [name, values.length > 1 || takesSeveral(schema, name) ? values : values[0]];
    }),
  );
}

function takesSeveral(schema: z.ZodObject, name: string): boolean {
  const field: unknown = Object.hasOwn(schema.shape, name) ? schema.shape[name] : undefined;
  const inner = field instanceof z.ZodOptional ? field.unwrap() : field;
  return inner instanceof z.ZodArray;
}

type Checked = Readonly<Record<'query' | 'params' | 'body', UntrustedResult<unknown>>>;

const PARTS: Readonly<Record<string, string>> = {
  query: 'query parameter',
  params: 'path parameter',
  body: 'body field',
};

/** `Invalid query parameter `limit`: …` */
function sentenceOf({ where, message }: Complaint): string {
  const [part = '', ...path] = where.split('.');
  const name = path.length === 0 ? '' : ` \`${path.join('.')}\``;
  return `Invalid ${path.length === 0 ? part : (PARTS[part] ?? part)}${name}: ${message}`;
}

const issuesOf = (given: UntrustedResult<unknown>): readonly z.core.$ZodIssue[] =>
  given.success ? [] : given.error.issues;

function badRequest(checked: Checked): ApiProblem {
  const errors = (['query', 'params', 'body'] as const).flatMap((part) =>
    issuesOf(checked[part]).map(
      ({ path, message }): Complaint => ({ where: [part, ...path.map(String)].join('.'), message }),
    ),
  );
  const [first] = errors;
  return new ApiProblem(400, 'BadRequest', first === undefined ? 'Invalid request' : sentenceOf(first), { errors });
}
