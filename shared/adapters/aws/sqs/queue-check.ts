import { type CreateQueueCommandInput, GetQueueAttributesCommand, type SQSClient } from '@aws-sdk/client-sqs';
import * as z from 'zod';
import { StoreError } from '../../../ports/store-error.ts';
import type { StoreRetry } from '../store-retry.ts';

/**
 * The most that a message may have. Ours have less than 2 KB. The dead-letter queue takes far more (256 KB at least, everywhere), so that any
 * body that comes off the queue fits into it together with the reason.
 */
export const MAX_MESSAGE_BYTES = 64 * 1024;
/** Room for the attributes that give the reason. */
const REASON_BYTES = 4 * 1024;
/** The backstop: a message that was received so often and never finished. Workers dead-letter long before. */
export const MAX_RECEIVES = 20;

const FOURTEEN_DAYS_S = 14 * 86_400;

/** The dead-letter queue as it has to be: the single definition, for tests and for the deployment, which adds encryption and policy. */
export function createDeadLetterQueueInput(name: string): CreateQueueCommandInput {
  // As long as SQS keeps anything: somebody has to look at it.
  return { QueueName: name, Attributes: { MessageRetentionPeriod: String(FOURTEEN_DAYS_S) } };
}

/** The work queue as it has to be. A standard queue: order means nothing to workers. */
export function createQueueInput(name: string, deadLetterQueueArn: string): CreateQueueCommandInput {
  const redrive = { deadLetterTargetArn: deadLetterQueueArn, maxReceiveCount: MAX_RECEIVES };
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

/**
 * What is missing or wrong about the two queues, in words; nothing if they are as declared here.
 * @throws StoreError if they could not be asked
 */
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
  if (maxReceiveCount < MAX_RECEIVES) {
    faults.push(`${where} redrives after ${maxReceiveCount} receives, expected ${MAX_RECEIVES} or more`);
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
