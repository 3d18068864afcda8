import { Hono, type MiddlewareHandler } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { SCAN } from '../../shared/app/schedule/scan-schedule.ts';
import { SharedRead } from '../../shared/domain/shared-read.ts';
import type { Door, Visit } from './door.ts';
import { openApi } from './openapi.ts';
import { servePage } from './pages.ts';
import { ApiProblem, problemOf, problemResponse } from './problem.ts';
import type { RawCall, Route } from './route.ts';
import { ROUTES } from './routes.ts';
import { SECURITY_HEADERS } from './security/headers.ts';
import { HeavyReads } from './security/heavy-reads.ts';
import { type Rate, RateLimit } from './security/rate-limit.ts';
import type { ApiSystem, Principal } from './system.ts';

export interface ApiOptions {
  readonly rates?: Rates;
}

export interface Rates {
  /** Requests of one principal. The same rate applies separately to the requests of one address that need no authentication. */
  readonly requests: Rate;
  /** Operators' commands of one principal, except for urgent ones. */
  readonly commands: Rate;
  /** Urgent commands of one principal. Other requests do not count. */
  readonly urgent: Rate;
  /** Refused requests of one address. Beyond this rate they are answered with 429. */
  readonly refusals: Rate;
}

/** Enough for a dashboard, which sends a few requests a second while a user types. */
export const RATES: Rates = {
  requests: { perSecond: 50, burst: 200 },
  commands: { perSecond: 1, burst: 20 },
  urgent: { perSecond: 1, burst: 10 },
  refusals: { perSecond: 0.2, burst: 20 },
};
const MAX_BODY_BYTES = 64 * 1024;
const MAX_URL_LENGTH = 8_192;

/** The app's context of a request. */
interface Env {
  readonly Bindings: Visit;
  readonly Variables: { principal: Principal };
}

/**
 * The HTTP API and, if the door provides them, the dashboard's files. Errors are RFC 9457 problems.
 *
 * Before the body is read, admission checks the headers: host and origin, then authentication, content type, rates, role. Refused requests have
 * separate rate limits, so that they never use up the limits of admitted ones.
 */
export function createApi(system: ApiSystem, door: Door, { rates = RATES }: ApiOptions = {}): Hono<Env> {
  const { logger, clock } = system;
  const app = new Hono<Env>();
  const limits = {
    /** For requests that need no authentication. */
    open: new RateLimit(clock, rates.requests),
    requests: new RateLimit(clock, rates.requests),
    commands: new RateLimit(clock, rates.commands),
    urgent: new RateLimit(clock, rates.urgent),
    refusals: new RateLimit(clock, rates.refusals),
  };
  const heavyReads = new HeavyReads();
  const systemFor = ({ method, lane }: Route): ApiSystem => {
    const { reads } = system;
    if (method !== 'get' || reads === undefined) return system;
    return { ...system, stores: reads[lane] };
  };
  /** Runs `check`. If it throws, counts the request as refused. @throws the error of `check`, or ApiProblem 429 after too many refused requests */
  const counted = <T>(visit: Visit, check: () => T): T => {
    try {
      return check();
    } catch (error) {
      limits.refusals.take(door.client(visit));
      throw error;
    }
  };

  app.use(async (context, next) => {
    await next();
    const own = { ...SECURITY_HEADERS, ...door.headers };
    for (const [name, value] of Object.entries(own)) context.res.headers.set(name, value);
    if (!context.res.headers.has('cache-control')) context.res.headers.set('cache-control', 'no-store');
  });
  app.use(async ({ req, env }, next) => {
    counted(env, () => {
      if (req.url.length > MAX_URL_LENGTH) {
        throw new ApiProblem(414, 'AddressTooLong', `The URL is too long: at most ${MAX_URL_LENGTH} characters.`);
      }
      door.admit(req.raw.headers, !isApi(req.path) && isRead(req.method));
    });
    await next();
  });

  const open: MiddlewareHandler<Env> = async ({ env }, next) => {
    limits.open.take(door.client(env));
    await next();
  };
  app.get('/api/health', open, async () => {
    try {
      await system.stores.registers.read(SCAN.name);
      return Response.json({ status: 'ok' });
    } catch (error) {
      logger.error('the health check failed', { error });
      return Response.json({ status: 'unavailable' }, { status: 503 });
    }
  });
  const document = openApi(ROUTES, system.version);
  app.get('/openapi.json', open, () => Response.json(document));

  /** @throws ApiProblem 401, 403, 415, 429, 503 */
  const admitted = (headers: Headers, visit: Visit, route: Route): Principal => {
    const principal = counted(visit, () => {
      const found = door.identify(headers, visit);
      if (route.method === 'post') requireJson(headers);
      return found;
    });
    const { actor } = principal;
    const urgent = route.urgent && isAllowed(principal, route);
    if (!urgent) limits.requests.take(actor);
    requireRole(principal, route);
    if (urgent) limits.urgent.take(actor);
    else if (route.method === 'post' && !route.frequent) limits.commands.take(actor);
    visit.hold?.(actor, urgent);
    return principal;
  };

  for (const route of ROUTES) {
    const path = route.path.replaceAll(/\{(\w+)\}/g, ':$1');
    const admission: MiddlewareHandler<Env> = async (context, next) => {
      context.set('principal', admitted(context.req.raw.headers, context.env, route));
      await next();
    };
    const read = new SharedRead<string>();
    const plain = { of: route, system: systemFor(route) };
    const heavyRoute: Route = { ...route, heavy: true, lane: 'heavy' };
    const heavy = { of: heavyRoute, system: systemFor(heavyRoute) };
    app.on(route.method.toUpperCase(), path, admission, limitedBody, async ({ req, env, var: { principal } }) => {
      const { search } = new URL(req.url);
      const asked = new URLSearchParams(search);
      const used = route.heavyWith !== null && asked.has(route.heavyWith) ? heavy : plain;
      const call = {
        system: used.system,
        principal,
        headers: req.raw.headers,
        signal: req.raw.signal,
        search: asked,
        params: req.param(),
        json: () => jsonOf(req.raw),
      };
      const run = async (): Promise<Response> =>
        used.of.heavy ? limited(heavyReads.enter(principal.actor), env, route, call) : route.run(call);
      const answer = async (): Promise<Response> => {
        if (!route.shared || search !== '') return run();
        const text = await read.get(async () => (await run()).text());
        return new Response(text, { headers: { 'content-type': 'application/json' } });
      };
      const end = isShort(used.of) ? system.reads?.short.begin() : undefined;
      return end === undefined ? answer() : answer().finally(end);
    });
  }
  refuseOtherMethods(app, open);

  app.notFound(async ({ req, env }) => {
    limits.open.take(door.client(env));
    const pages = isApi(req.path) || !isRead(req.method) ? null : await door.pages();
    const page = pages === null ? null : await servePage(pages, req.raw, req.path);
    return page ?? problemResponse(new ApiProblem(404, 'NotFound', 'Nothing exists at this address.'));
  });
  app.onError((error, { req }) => {
    const known = problemOf(error);
    if (known === error && known.status === 503) {
      // A limit that was reached, not a fault: the client is told when to retry.
      logger.warn('a request was refused', { message: known.message, code: known.code, path: req.path });
    } else if (known === null || known.status >= 500) logger.error('a request failed', { error, path: req.path });
    return problemResponse(known ?? new ApiProblem(500, 'Internal', 'The request failed; see the log.'));
  });
  return app;
}

/** Addresses of the API that do not begin with `/api/`. */
const OTHER_ADDRESSES: ReadonlySet<string> = new Set(['/api', '/openapi.json', '/metrics']);

/** Whether long reads wait for its requests. A stream lasts until the client has enough. */
const isShort = ({ method, lane, answer }: Route): boolean =>
  method === 'get' && lane === 'light' && 'schema' in answer;

const isApi = (path: string): boolean => path.startsWith('/api/') || OTHER_ADDRESSES.has(path);
const isRead = (method: string): boolean => method === 'GET' || method === 'HEAD';

/** Runs a heavy read, and calls `leave` when the answer is complete; for a stream, when the stream has ended. */
async function limited(leave: () => void, { ended }: Visit, route: Route, call: RawCall): Promise<Response> {
  let lasts = false;
  try {
    const response = await route.run(call);
    lasts = 'types' in route.answer && ended !== undefined;
    if (lasts) ended?.(leave);
    return response;
  } finally {
    if (!lasts) leave();
  }
}

const isAllowed = ({ role }: Principal, route: Route): boolean => role === 'operate' || role === route.role;

/** @throws ApiProblem 403 */
function requireRole(principal: Principal, route: Route): void {
  if (isAllowed(principal, route)) return;
  const { actor, role } = principal;
  if (role === 'events') {
    throw new ApiProblem(403, 'EventsOnly', `${actor} may only send events with POST /api/events.`);
  }
  throw new ApiProblem(403, 'ReadOnly', `${actor} may read, but not operate.`);
}

const limitedBody = bodyLimit({
  maxSize: MAX_BODY_BYTES,
  onError: () => {
    throw new ApiProblem(413, 'BodyTooLarge', `A body may have at most ${MAX_BODY_BYTES} bytes.`);
  },
});

/** Accepts only JSON. A page of another site needs a preflight request before it can send JSON, and preflight requests are refused. @throws ApiProblem 415 */
function requireJson(headers: Headers): void {
  const type = headers.get('content-type')?.split(';')[0]?.trim().toLowerCase();
  if (type === 'application/json') return;
  throw new ApiProblem(415, 'NotJson', 'Send JSON, with Content-Type: application/json.');
}

async function jsonOf(request: Request): Promise<unknown> {
  const text = await request.text().catch((error: unknown) => {
    if (!request.signal.aborted) throw error;
    throw new ApiProblem(400, 'BadRequest', 'The connection ended before the body was complete.');
  });
  try {
    return JSON.parse(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new ApiProblem(400, 'BadRequest', 'The body is not JSON.');
  }
}

function refuseOtherMethods(app: Hono<Env>, open: MiddlewareHandler<Env>): void {
  const methods = new Map<string, string[]>([
    ['/api/health', ['GET', 'HEAD']],
    ['/openapi.json', ['GET', 'HEAD']],
  ]);
  for (const { path, method } of ROUTES) {
    const own = method === 'get' ? ['GET', 'HEAD'] : ['POST'];
    methods.set(path, [...(methods.get(path) ?? []), ...own]);
  }
  // Sorts literal paths before paths with parameters, which would match them too.
  const paths = [...methods].sort(([a], [b]) => Number(a.includes('{')) - Number(b.includes('{')));
  for (const [path, allowed] of paths) {
    app.all(path.replaceAll(/\{(\w+)\}/g, ':$1'), open, () => {
      throw new ApiProblem(405, 'MethodNotAllowed', `Allowed here: ${allowed.join(', ')}.`, {
        headers: { allow: allowed.join(', ') },
      });
    });
  }
}
