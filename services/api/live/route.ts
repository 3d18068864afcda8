import * as z from 'zod';
import { ApiProblem } from '../problem.ts';
import { NONE, streamRoute } from '../route.ts';
import { streamText } from '../stream.ts';
import { events } from './events.ts';

export const liveRoutes = [
  streamRoute({
    method: 'get',
    path: '/api/events',
    operationId: 'events',
    types: { 'text/event-stream': null },
    summary:
      'Server-sent events: `progress` (Progress), `entry` (LedgerEntry), `gap` (Gap: reload). Resume with Last-Event-ID; an entry may be sent twice',
    ...NONE,
    query: z.strictObject({
      lastEventId: z.string().max(128).optional().describe('Replaces the header, which some clients cannot set'),
    }),
    handle: async ({ system, principal, headers, signal, query }) => {
      const leave = system.feed.enter(principal.actor);
      if (leave === null) {
        throw new ApiProblem(503, 'TooManyReaders', 'Too many event streams are open.', {
          headers: { 'retry-after': '30' },
        });
      }
      const lastEventId = headers.get('last-event-id') ?? query.lastEventId ?? null;
      const text = events(system, { lastEventId, signal, lasting: system.streams });
      return streamText(system, text, { 'content-type': 'text/event-stream' }, { leave });
    },
  }),
];
