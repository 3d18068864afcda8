import { lookAt } from '../../shared/app/look-at.ts';
import { type AwsRuntime, composeFromEnvironment } from '../../shared/compose/aws.ts';
import { type Compose, type LambdaContext, lazily } from '../../shared/compose/lambda.ts';
import { accountsOf, type CloudTrailEvent, cloudTrailEvent } from './cloud-trail.ts';

export interface ReactorResult {
  readonly queued: readonly string[];
  readonly unknown: readonly string[];
}

/**
 * Queues the accounts that an event is about for a look, within seconds of what happened. It does not refresh what is known of their
 * OU, tags and name: that takes the organization to be read, and is the scan's.
 * @throws ZodError for what is no event of CloudTrail's: EventBridge's rule lets nothing else through.
 */
export function makeHandler(compose: Compose) {
  const open = lazily(compose);
  return async (event: unknown, context: LambdaContext): Promise<ReactorResult> => {
    const parsed = cloudTrailEvent.parse(event);
    const runtime = await open();
    const fields = { requestId: context.awsRequestId, eventId: parsed.id, eventName: parsed.detail.eventName };
    return runtime.logger.within(fields, async () => {
      try {
        return await react(runtime, parsed);
      } finally {
        runtime.flush();
      }
    });
  };
}

async function react({ stores, logger, policy }: AwsRuntime, event: CloudTrailEvent): Promise<ReactorResult> {
  const accountIds = accountsOf(event);
  if (accountIds.length === 0) {
    logger.info('the event names no account to look at');
    return { queued: [], unknown: [] };
  }
  const result = await lookAt(stores, (await policy()).hash, accountIds);
  logger.info('accounts queued for a look', { queued: result.queued, unknown: result.unknown });
  return result;
}

export const handler = makeHandler(() => composeFromEnvironment('reactor'));
