import * as z from 'zod';
import { react } from '../../shared/app/events/event-handler.ts';
import { ApiProblem } from './problem.ts';
import { jsonRoute, NONE } from './route.ts';

/** Receives CloudTrail events from a forwarder, for a process that EventBridge cannot invoke. */
export const eventRoutes = [
  jsonRoute({
    method: 'post',
    path: '/api/events',
    operationId: 'react',
    answer: 'Reaction',
    role: 'events',
    frequent: true,
    summary: 'React to a CloudTrail event, in the format of EventBridge',
    ...NONE,
    // `react` validates the event. It answers an invalid one with the reason; after an error, the sender would retry.
    body: z.looseObject({}),
    handle: async ({ system, principal: { actor }, body }) => {
      const { stores, clock, newId, logger, reader } = system;
      if (reader === undefined) {
        throw new ApiProblem(404, 'NoReactorHere', 'Send events to the function that reacts to them, not to the API.');
      }
      const readAccount = reader();
      if (readAccount === null)
        throw new ApiProblem(503, 'NotReady', 'Accounts cannot be read yet. Send the event again.');
      const policyHash = async () => (await system.policy()).policy.hash;
      return react({ ...stores, clock, newId, logger, actor, readAccount }, policyHash, body);
    },
  }),
];
