import * as z from 'zod';
import { react } from '../../shared/app/events/event-handler.ts';
import { ApiProblem } from './problem.ts';
import { jsonRoute, NONE } from './route.ts';

/** Receives the change events of AWS where no rule of EventBridge can invoke the process; a forwarder posts them here. */
export const eventRoutes = [
  jsonRoute({
    ...{ method: 'post', path: '/api/events', operationId: 'react', answer: 'Reaction' },
    ...{ role: 'events', frequent: true },
    summary: 'React to a CloudTrail event, in the format of EventBridge',
    ...NONE,
    // The reactor validates the event: it rejects a bad one with a reason, not with an error that the sender would retry.
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
