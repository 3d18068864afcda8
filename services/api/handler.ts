import { type LambdaContext as HonoContext, handle, type LambdaEvent } from 'hono/aws-lambda';
import { composeFromEnvironment } from '../../shared/compose/aws.ts';
import { type Compose, lazily } from '../../shared/compose/lambda.ts';
import { createApi } from './app.ts';

/** The HTTP app behind Lambda's door: function URLs and HTTP APIs, payload version 2. */
export function makeHandler(compose: Compose) {
  const open = lazily(compose);
  return async (event: LambdaEvent, context: HonoContext) => {
    const runtime = await open();
    const { stores, logger } = runtime;
    const check = async (): Promise<void> => {
      await stores.registers.read('scan');
    };
    return runtime.logger.within({ requestId: context.awsRequestId }, async () => {
      try {
        return await handle(createApi({ check, logger }))(event, context);
      } finally {
        runtime.flush();
      }
    });
  };
}

export const handler = makeHandler(() => composeFromEnvironment('api'));
