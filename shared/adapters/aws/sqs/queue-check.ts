import { type CreateQueueCommandInput, GetQueueAttributesCommand, type SQSClient } from '@aws-sdk/client-sqs';
import * as z from 'zod';
import { StoreError } from '../../../ports/store-error.ts';
import type { StoreRetry } from '../store-retry.ts';

/** Maximum size of a message of the work queue. The dead-letter queue accepts larger ones, so that every message fits in with its reason. */
export const MAX_MESSAGE_BYTES = 64 * 1024;
/** Space for the reason of a dead letter. */
const REASON_BYTES = 4 * 1024;
/** After this many receives, SQS itself moves a message to the dead-letter queue. Workers usually do so much earlier. */
export const MAX_RECEIVES_BEFORE_REDRIVE = 20;

const FOURTEEN_DAYS_S = 14 * 86_400;

/** The required attributes of the dead-letter queue. The deployment adds encryption and a policy. */
export function createDeadLetterQueueInput(name: string): CreateQueueCommandInput {
  // The longest retention that SQS allows, because dead letters wait for a person.
  return { QueueName: name, Attributes: { MessageRetentionPeriod: String(FOURTEEN_DAYS_S) } };
}

/** The required attributes of the work queue. It is a standard queue, because workers do not depend on order. */
export function createQueueInput(name: string, deadLetterQueueArn: string): CreateQueueCommandInput {
  const redrive = { deadLetterTargetArn: deadLetterQueueArn, maxReceiveCount: MAX_RECEIVES_BEFORE_REDRIVE };
  return {
    QueueName: name,
    Attributes: {
      MaximumMessageSize: String(MAX_MESSAGE_BYTES),
      MessageRetentionPeriod: String(FOURTEEN_DAYS_S),
      VisibilityTimeout: '120',
      RedrivePolicy: JSON.stringify(redrive),
    },
  };
}

const redriveSchema = z.object({ deadLetterTargetArn: z.string(), maxReceiveCount: z.coerce.number() });

type Attributes = Readonly<Record<string, string>>;

/** Describes the differences of both queues from the required attributes. @throws StoreError if their attributes cannot be read */
export async function findQueueFaults(
  client: SQSClient,
  queueUrl: string,
  dlqUrl: string,
  retry: StoreRetry,
): Promise<readonly string[]> {
  const [queue, dlq] = await Promise.all([queueUrl, dlqUrl].map((url) => attributesOf(client, url, retry)));
  const faults: string[] = [];
  if (queue === undefined || queue === null) faults.push(`queue ${queueUrl} does not exist`);
  if (dlq === undefined || dlq === null) faults.push(`dead-letter queue ${dlqUrl} does not exist`);
  if (queueUrl === dlqUrl) faults.push(`queue ${queueUrl} is named as its own dead-letter queue`);
  else if (queue && dlq)
    faults.push(...redriveFaults(`queue ${queueUrl}`, queue, dlq), ...sizeFaults(queue, dlq, dlqUrl));
  for (const [url, found] of [[queueUrl, queue] as const, [dlqUrl, dlq] as const]) {
    if (found?.['FifoQueue'] === 'true') faults.push(`queue ${url} is a FIFO queue, expected a standard one`);
  }
  return faults;
}

async function attributesOf(client: SQSClient, url: string, retry: StoreRetry): Promise<Attributes | null> {
  const command = new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: ['All'] });
  try {
    const { Attributes } = await retry.run(`queue ${url}`, 'GetQueueAttributes', () => client.send(command));
    return { ...Attributes };
  } catch (error) {
    if (error instanceof StoreError && error.code === 'NotFound') return null;
    throw error;
  }
}

function redriveFaults(where: string, queue: Attributes, dlq: Attributes): readonly string[] {
  const policy = queue['RedrivePolicy'];
  if (policy === undefined || policy === '')
    return [`${where} has no redrive policy, expected one to the dead-letter queue`];
  const parsed = redriveSchema.safeParse(parseJson(policy));
  if (!parsed.success) return [`${where} has a redrive policy that cannot be read`];
  const { deadLetterTargetArn, maxReceiveCount } = parsed.data;
  const faults: string[] = [];
  if (deadLetterTargetArn !== dlq['QueueArn']) {
    faults.push(`${where} redrives to ${deadLetterTargetArn}, expected the dead-letter queue ${dlq['QueueArn']}`);
  }
  if (maxReceiveCount < MAX_RECEIVES_BEFORE_REDRIVE) {
    faults.push(`${where} redrives after ${maxReceiveCount} receives, expected ${MAX_RECEIVES_BEFORE_REDRIVE} or more`);
  }
  return faults;
}

function sizeFaults(queue: Attributes, dlq: Attributes, dlqUrl: string): readonly string[] {
  const largest = Number(queue['MaximumMessageSize'] ?? Number.NaN);
  const room = Number(dlq['MaximumMessageSize'] ?? Number.NaN);
  if (!(room < largest + REASON_BYTES)) return [];
  const needed = `${largest + REASON_BYTES}, so that every message of the queue fits in with the reason`;
  return [`dead-letter queue ${dlqUrl} takes messages of ${room} bytes, expected at least ${needed}`];
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
