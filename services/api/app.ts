import { Hono } from 'hono';
import { HTTPException } from 'hono/http-exception';
import type { Logger } from '../../shared/ports/system.ts';

/** What the HTTP app is built from, whichever door it is reached through. */
export interface ApiParts {
  /** Answers whether what the app needs can be reached; throws what stands in the way. */
  readonly check: () => Promise<void>;
  readonly logger: Logger;
}

/** The HTTP API. Answers are JSON; an error is `{"error":{"code","message"}}`. */
export function createApi({ check, logger }: ApiParts): Hono {
  const app = new Hono();
  app.get('/api/health', async (context) => {
    try {
      await check();
      return context.json({ status: 'ok' });
    } catch (error) {
      logger.error('the health check failed', { error });
      return context.json({ status: 'unavailable' }, 503);
    }
  });
  app.notFound((context) => context.json({ error: { code: 'NotFound', message: 'there is no such page' } }, 404));
  app.onError((error, context) => {
    if (error instanceof HTTPException) {
      return context.json({ error: { code: 'Refused', message: error.message } }, error.status);
    }
    logger.error('a request failed', { error, path: context.req.path });
    return context.json({ error: { code: 'Internal', message: 'the request failed; the log says why' } }, 500);
  });
  return app;
}
