import { accountReader } from '../../shared/app/events/account-reader.ts';
import { type Reaction, react } from '../../shared/app/events/event-handler.ts';
import { type AwsRuntime, composeFromEnvironment } from '../../shared/compose/lambda-runtime.ts';
import { type Compose, handling, type LambdaContext, lazily } from '../../shared/compose/lazy-runtime.ts';

/** How long calls to Organizations are retried for one event, ms; after that, a scan covers the account. */
const RETRY_MS = 20_000;

/**
 * Reacts to one event from EventBridge (`shared/app/events/event-handler.ts`). An irrelevant event is logged and done. Only errors of a store
 * or of the policy source are thrown; Lambda then delivers the event again, at most twice.
 */
export function makeHandler(compose: Compose) {
  const open = lazily(compose);
  return async (event: unknown, context: LambdaContext): Promise<Reaction> => {
    const runtime = await open();
    return handling(runtime, { requestId: context.awsRequestId }, async () => {
      const reaction = await reactTo(runtime, event);
      runtime.metrics.add('EventsHeard', 1);
      if (reaction.rejected !== null) runtime.metrics.add('EventsRejected', 1);
      return reaction;
    });
  };
}

function reactTo(runtime: AwsRuntime, event: unknown): Promise<Reaction> {
  const { stores, clock, newId, logger } = runtime;
  const until = clock.now() + RETRY_MS;
  return react(
    {
      ...stores,
      clock,
      newId,
      logger,
      actor: 'rollcall-reactor',
      // The app is created only for an event that needs it, because identifying the caller takes AWS calls.
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
