import type { Message } from '@aws-sdk/client-sqs';
import type { LambdaContext } from '../../shared/compose/lazy-runtime.ts';

/** The events of Lambda functions, in the form of AWS [Lambda, SQS and EventBridge]. */

export interface SqsEvent {
  readonly Records: readonly {
    readonly messageId: string;
    readonly receiptHandle: string;
    readonly body: string;
    readonly attributes: Record<string, string>;
    readonly messageAttributes: Record<string, never>;
    readonly eventSource: 'aws:sqs';
    readonly eventSourceARN: string;
    readonly awsRegion: string;
  }[];
}

/** @param sentAt epoch ms; the queue's time may differ from the world's */
export function toRecord(
  message: Message,
  now: number,
  region: string,
  sentAt: number = now - 250,
): SqsEvent['Records'][number] {
  const group = message.Attributes?.MessageGroupId;
  return {
    messageId: message.MessageId ?? '',
    receiptHandle: message.ReceiptHandle ?? '',
    body: message.Body ?? '',
    attributes: {
      ApproximateReceiveCount: message.Attributes?.ApproximateReceiveCount ?? '1',
      SentTimestamp: String(sentAt),
      SenderId: 'AROAEXAMPLE',
      ApproximateFirstReceiveTimestamp: String(now),
      ...(group !== undefined && { MessageGroupId: group }),
    },
    messageAttributes: {},
    eventSource: 'aws:sqs',
    eventSourceARN: `arn:aws:sqs:${region}:000000000000:rollcall`,
    awsRegion: region,
  };
}

/** In the form of a bus rule and of the scheduler. */
export function busEvent(source: string, detailType: string, detail: unknown, region: string): object {
  return {
    ...{ version: '0', id: '17793124-05d4-b198-2fde-7ededc63b103', 'detail-type': detailType, source },
    ...{ account: '000000000000', time: '2026-01-01T00:00:00Z', region, resources: [], detail },
  };
}

/** Lambda's context, with this much time left by the given clock. */
export function lambdaContext(clock: { now(): number }, budgetMs = 900_000): LambdaContext {
  const end = clock.now() + budgetMs;
  return { awsRequestId: 'request-1', getRemainingTimeInMillis: () => Math.max(0, end - clock.now()) };
}
