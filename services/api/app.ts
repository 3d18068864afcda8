import { Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import type { Door, Visit } from './door.ts';
import { openApi } from './openapi.ts';
import { servePage } from './pages.ts';
import { ApiProblem, problemOf, problemResponse } from './problem.ts';
import type { Route } from './route.ts';
import { ROUTES } from './routes.ts';
import { SECURITY_HEADERS } from './security/headers.ts';
import { type Rate, RateLimit } from './security/rate-limit.ts';
import type { ApiSystem, Principal } from './system.ts';

export interface ApiOptions {
  /** For one client: requests, operators' commands, and failed attempts to be let in. */
  readonly rates?: { readonly requests: Rate; readonly commands: Rate; readonly refusals: Rate };
}

/** A dashboard asks a few times a second while somebody types; nobody guesses tokens at the third rate. */
export const RATES = {
  requests: { perSecond: 50, burst: 200 },
  commands: { perSecond: 1, burst: 20 },
  refusals: { perSecond: 0.2, burst: 20 },
};
const MAX_BODY_BYTES = 64 * 1024;
const MAX_URL_LENGTH = 8_192;

/**
 * The HTTP API and, where the door has them, the dashboard's files. Answers are JSON, errors RFC 9457 problems; every answer has the
 * security headers. Nothing is answered before the door has admitted the request, and nothing of the API but its health and its
 * description before it knows who asks.
 */
export function createApi(
  system: ApiSystem,
  door: Door,
  { rates = RATES }: ApiOptions = {},
): Hono<{ Bindings: Visit }> {
  const { logger, clock } = system;
  const app = new Hono<{ Bindings: Visit }>();
  const limits = {
    requests: new RateLimit(clock, rates.requests),
    commands: new RateLimit(clock, rates.commands),
    refusals: new RateLimit(clock, rates.refusals),
  };

  app.use(async (context, next) => {
    await next();
    const own = { ...SECURITY_HEADERS, ...door.headers };
    for (const [name, value] of Object.entries(own)) context.res.headers.set(name, value);
    if (!context.res.headers.has('cache-control')) context.res.headers.set('cache-control', 'no-store');
  });
  app.use(async ({ req, env }, next) => {
    limits.requests.take(door.client(env));
    if (req.url.length > MAX_URL_LENGTH) {
      throw new ApiProblem(414, 'AddressTooLong', `An address may have ${MAX_URL_LENGTH} characters.`);
    }
    door.admit(req.raw.headers, !isApi(req.path) && isRead(req.method));
    await next();
  });

  app.get('/api/health', async () => {
    try {
      await system.stores.registers.read('scan');
      return Response.json({ status: 'ok' });
    } catch (error) {
      logger.error('the health check failed', { error });
      return Response.json({ status: 'unavailable' }, { status: 503 });
    }
  });
  const document = openApi(ROUTES, system.version);
  app.get('/openapi.json', () => Response.json(document));

  /** @throws ApiProblem 401, 429 for who has tried too often, 403 */
  const principalOf = (headers: Headers, visit: Visit, route: Route): Principal => {
    const client = door.client(visit);
    let principal: Principal;
    try {
      principal = door.identify(headers, visit);
    } catch (error) {
      limits.refusals.take(client);
      throw error;
    }
    requireRole(principal, route);
    if (route.method === 'post' && !route.frequent) limits.commands.take(client);
    return principal;
  };

  for (const route of ROUTES) {
    const path = route.path.replaceAll(/\{(\w+)\}/g, ':$1');
    app.on(route.method.toUpperCase(), path, limitedBody, async (context) => {
      const { req, env } = context;
      const principal = principalOf(req.raw.headers, env, route);
      const { search } = new URL(req.url);
      return route.run({
        ...{ system, principal, headers: req.raw.headers, signal: req.raw.signal },
        search: new URLSearchParams(search),
        params: req.param(),
        json: () => jsonOf(req.raw),
      });
    });
  }
  refuseOtherMethods(app);

  app.notFound(async ({ req }) => {
    const pages = isApi(req.path) || !isRead(req.method) ? null : await door.pages();
    const page = pages === null ? null : await servePage(pages, req.raw, req.path);
    return page ?? problemResponse(new ApiProblem(404, 'NotFound', 'There is nothing at this address.'));
  });
  app.onError((error, { req }) => {
    const known = problemOf(error);
    if (known === null || known.status >= 500) logger.error('a request failed', { error, path: req.path });
    return problemResponse(known ?? new ApiProblem(500, 'Internal', 'The request failed; the log says why.'));
  });
  return app;
}

const isApi = (path: string): boolean => path.startsWith('/api/') || path === '/api' || path === '/openapi.json';
const isRead = (method: string): boolean => method === 'GET' || method === 'HEAD';

/** @throws ApiProblem 403 */
function requireRole({ actor, role }: Principal, route: Route): void {
  if (role === 'operate' || role === route.role) return;
  if (role === 'events') {
    throw new ApiProblem(403, 'EventsOnly', `${actor} may hand over events with POST /api/events, and nothing else.`);
  }
  throw new ApiProblem(403, 'ReadOnly', `${actor} may read and not operate.`);
}

const limitedBody = bodyLimit({
  maxSize: MAX_BODY_BYTES,
  onError: () => {
    throw new ApiProblem(413, 'BodyTooLarge', `A body may have ${MAX_BODY_BYTES} bytes.`);
  },
});

/** Only JSON, which no page of another origin can send without being refused first. */
async function jsonOf(request: Request): Promise<unknown> {
  const type = request.headers.get('content-type')?.split(';')[0]?.trim().toLowerCase();
  if (type !== 'application/json') {
    throw new ApiProblem(415, 'NotJson', 'Send JSON, with Content-Type: application/json.');
  }
  const text = await request.text();
  try {
    return JSON.parse(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new ApiProblem(400, 'BadRequest', 'The body is not JSON.');
  }
}

function refuseOtherMethods(app: Hono<{ Bindings: Visit }>): void {
  const methods = new Map<string, string[]>([
    ['/api/health', ['GET', 'HEAD']],
    ['/openapi.json', ['GET', 'HEAD']],
  ]);
  for (const { path, method } of ROUTES) {
    const own = method === 'get' ? ['GET', 'HEAD'] : ['POST'];
    methods.set(path, [...(methods.get(path) ?? []), ...own]);
  }
  // What is written out goes before what may be anything.
  const paths = [...methods].sort(([a], [b]) => Number(a.includes('{')) - Number(b.includes('{')));
  for (const [path, allowed] of paths) {
    app.all(path.replaceAll(/\{(\w+)\}/g, ':$1'), () => {
      throw new ApiProblem(405, 'MethodNotAllowed', `Here one can ${allowed.join(', ')}.`, {
        headers: { allow: allowed.join(', ') },
      });
    });
  }
}
