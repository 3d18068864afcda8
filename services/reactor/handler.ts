import { accountReader } from '../../shared/app/events/account-reader.ts';
import { type Reaction, react } from '../../shared/app/events/event-handler.ts';
import { type AwsRuntime, composeFromEnvironment } from '../../shared/compose/lambda-runtime.ts';
import { type Compose, type LambdaContext, lazily } from '../../shared/compose/lazy-runtime.ts';

/** How long questions to Organizations about one event may be repeated, ms: what takes longer is left to a scan. */
const RETRY_MS = 20_000;

/**
 * Reacts to one event that EventBridge delivers (`shared/app/events/event-handler.ts`). Whatever is no event for us is logged and over; only what a store or the
 * policy's place could not do is thrown, and Lambda delivers the event again, twice at most.
 */
export function makeHandler(compose: Compose) {
  const open = lazily(compose);
  return async (event: unknown, context: LambdaContext): Promise<Reaction> => {
    const runtime = await open();
    return runtime.logger.within({ requestId: context.awsRequestId }, async () => {
      try {
        const reaction = await reactTo(runtime, event);
        runtime.metrics.add('EventsHeard', 1);
        if (reaction.rejected !== null) runtime.metrics.add('EventsRejected', 1);
        return reaction;
      } finally {
        runtime.flush();
      }
    });
  };
}

function reactTo(runtime: AwsRuntime, event: unknown): Promise<Reaction> {
  const { stores, clock, newId, logger } = runtime;
  const until = clock.now() + RETRY_MS;
  return react(
    {
      ...{ ...stores, clock, newId, logger, actor: 'rollcall-reactor' },
      // The cloud is made only for an event that needs it: finding out who we are takes calls.
      async readAccount(accountId, organization) {
        const { deps, policy } = await runtime.app();
        return accountReader(deps, policy, until)(accountId, organization);
      },
    },
    async () => (await runtime.policy()).hash,
    event,
  );
}

export const handler = makeHandler(() => composeFromEnvironment('reactor'));
