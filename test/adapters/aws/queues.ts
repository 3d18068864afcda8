import { CreateQueueCommand, GetQueueAttributesCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { createDeadLetterQueueInput, createQueueInput } from '../../../shared/adapters/aws/sqs/queue-check.ts';

/** The queues as in `infra/`. */
export async function makeQueues(
  client: SQSClient,
  name: string,
): Promise<{ readonly queueUrl: string; readonly dlqUrl: string }> {
  const { QueueUrl: dlqUrl = '' } = await client.send(
    new CreateQueueCommand(createDeadLetterQueueInput(`${name}-dead`)),
  );
  const command = new GetQueueAttributesCommand({ QueueUrl: dlqUrl, AttributeNames: ['QueueArn'] });
  const { Attributes } = await client.send(command);
  const input = createQueueInput(name, Attributes?.['QueueArn'] ?? '');
  const { QueueUrl: queueUrl = '' } = await client.send(new CreateQueueCommand(input));
  return { queueUrl, dlqUrl };
}
