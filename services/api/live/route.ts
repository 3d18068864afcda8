import * as z from 'zod';
import { ApiProblem } from '../problem.ts';
import { NONE, streamRoute } from '../route.ts';
import { streamText } from '../stream.ts';
import { events } from './events.ts';

/** More connections than people look at dashboards; each asks the ledger now and then. */
const MOST_READERS = 50;

export const liveRoutes = [
  streamRoute({
    ...{ method: 'get', path: '/api/events', operationId: 'events', types: ['text/event-stream'] },
    summary:
      'Server-sent events: `progress` (Progress), `entry` (LedgerEntry), `gap` (Gap: read anew). Go on with Last-Event-ID; an entry may come twice',
    ...NONE,
    query: z.strictObject({
      lastEventId: z.string().max(128).optional().describe('In place of the header, which some clients cannot set'),
    }),
    handle: async ({ system, headers, signal, query }) => {
      if (system.feed.readers >= MOST_READERS) {
        throw new ApiProblem(503, 'TooManyReaders', 'Too many dashboards are watching.', {
          headers: { 'retry-after': '30' },
        });
      }
      const lastEventId = headers.get('last-event-id') ?? query.lastEventId ?? null;
      const text = events(system, { lastEventId, signal, lasting: system.streams });
      return streamText(system, text, { 'content-type': 'text/event-stream' }, system.feed.enter());
    },
  }),
];
