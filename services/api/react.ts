import * as z from 'zod';
import { react } from '../../shared/app/events/event-handler.ts';
import { ApiProblem } from './problem.ts';
import { jsonRoute, NONE } from './route.ts';

/** What AWS tells of changes, for a process that no rule of EventBridge's can call: whoever receives an event there posts it here. */
export const eventRoutes = [
  jsonRoute({
    ...{ method: 'post', path: '/api/events', operationId: 'react', answer: 'Reaction' },
    ...{ role: 'events', frequent: true },
    summary: "React to an event of CloudTrail's, in the shape in which EventBridge delivers it",
    ...NONE,
    // What of it makes sense is the reactor's to say: anything else is rejected with a reason, not with an error that is tried again.
    body: z.looseObject({}),
    handle: async ({ system, principal: { actor }, body }) => {
      const { stores, clock, newId, logger, reader } = system;
      if (reader === undefined) {
        throw new ApiProblem(404, 'NoReactorHere', 'Send events to the function that reacts to them, not to the API.');
      }
      const readAccount = reader();
      if (readAccount === null)
        throw new ApiProblem(503, 'NotReady', 'Nobody can be asked about accounts yet. Send the event again.');
      const policyHash = async () => (await system.policy()).policy.hash;
      return react({ ...stores, clock, newId, logger, actor, readAccount }, policyHash, body);
    },
  }),
];
