import { BatchProcessor, EventType, processPartialResponse } from '@aws-lambda-powertools/batch';
import pLimit from 'p-limit';
import * as z from 'zod';
import type { WorkOutcome } from '../../shared/app/context.ts';
import { entryIdOf, recordDeadLetter } from '../../shared/app/ledger/dead-letter-entries.ts';
import { deliver } from '../../shared/app/reconciler/deliver.ts';
import { faultsOf, readEvent } from '../../shared/compose/lambda-event.ts';
import { type AwsRuntime, composeFromEnvironment, type PolicyApp } from '../../shared/compose/lambda-runtime.ts';
import { type Compose, handling, type LambdaContext, lazily } from '../../shared/compose/lazy-runtime.ts';
import { safeParseUntrusted } from '../../shared/domain/safe-parse.ts';
import type { Lane } from '../../shared/domain/work-lane.ts';
import type { MetricName } from '../../shared/ports/metrics.ts';
import type { DeadLetterReason } from '../../shared/ports/queue.ts';
import { readMessage } from '../../shared/ports/read-message.ts';

/** If less time than this is left, ms, the remaining messages return to the queue, so that each gets enough time in a later invocation. */
const RESERVE_MS = 90_000;
/**
 * How long messages wait, ms, if no work is possible at all, for example because the function's role lacks permissions. Without this pause,
 * SQS would deliver them again and again until they count as dead letters.
 */
const BROKEN_PAUSE_MS = 15 * 60_000;

const sqsEvent = z.object({ Records: z.array(z.unknown()).min(1) });
const EXPECTED = 'an SQS event with at least one record';

const sqsRecord = z.object({
  messageId: z.string().min(1),
  receiptHandle: z.string().min(1),
  body: z.string(),
  attributes: z.object({
    ApproximateReceiveCount: z.coerce.number().int().positive(),
    SentTimestamp: z.coerce.number(),
    /** Determines the lane. */
    MessageGroupId: z.string().optional(),
  }),
});
type SqsRecord = z.infer<typeof sqsRecord>;

/** The message id, which a malformed record may still have. */
const identified = z.object({ messageId: z.string().min(1) });
const readable = z.object({ body: z.string() });

/** Lambda deletes every message of the batch that is not listed here [ReportBatchItemFailures]. */
export interface BatchResponse {
  readonly batchItemFailures: readonly { readonly itemIdentifier: string }[];
}

/** The message stays on the queue, so Lambda must not delete it. */
class MessageRetained extends Error {
  override readonly name = 'MessageRetained';
}

/**
 * Reconciles the accounts that a batch of messages names, as many at a time as the policy allows. A message with an unreadable body goes to
 * the dead letters, with an entry in the ledger; a malformed SQS record stays on the queue. Neither delays the other messages.
 * @throws EventError for an event that is not an SQS batch
 */
export function makeHandler(compose: Compose, reserveMs: number = RESERVE_MS) {
  const open = lazily(compose);
  return async (event: unknown, context: LambdaContext): Promise<BatchResponse> => {
    const { Records } = readEvent(sqsEvent, event, EXPECTED);
    const runtime = await open();
    return handling(runtime, { requestId: context.awsRequestId }, async () => {
      const { records, kept } = await readRecords(runtime, Records);
      const hasTime = (): boolean => context.getRemainingTimeInMillis() >= reserveMs;
      const { batchItemFailures } = await workOn(runtime, records, hasTime);
      return { batchItemFailures: [...batchItemFailures, ...kept] };
    });
  };
}

/** Separates malformed records from readable ones. `kept`: messages that Lambda must not delete. */
async function readRecords(runtime: AwsRuntime, found: readonly unknown[]) {
  const records: SqsRecord[] = [];
  const kept: { readonly itemIdentifier: string }[] = [];
  for (const each of found) {
    const parsed = safeParseUntrusted(sqsRecord, each);
    if (parsed.success) {
      records.push(parsed.data);
      continue;
    }
    const fault = faultsOf(parsed.error);
    const named = safeParseUntrusted(identified, each);
    if (named.success) {
      const { messageId } = named.data;
      kept.push({ itemIdentifier: messageId });
      runtime.logger.error('a record of the batch is malformed; its message stays on the queue', { messageId, fault });
    } else {
      await buryUnnamed(runtime, each, fault);
    }
  }
  return { records, kept };
}

/** A message without a readable id cannot be reported as failed, so Lambda deletes it. Its body, if any, becomes a dead letter. */
async function buryUnnamed(runtime: AwsRuntime, record: unknown, fault: string): Promise<void> {
  const content = safeParseUntrusted(readable, record);
  const error = { code: 'UnreadableMessage', message: `the SQS record is malformed: ${fault}`, entryId: null };
  if (content.success) await bury(runtime, await runtime.app(), content.data.body, error);
  runtime.logger.error('a record of the batch is malformed and has no messageId', { fault, kept: content.success });
}

async function workOn(
  runtime: AwsRuntime,
  found: readonly SqsRecord[],
  hasTime: () => boolean,
): Promise<BatchResponse> {
  if (found.length === 0) return { batchItemFailures: [] };
  const app = await appFor(runtime, found);
  const lanes = pLimit(app.policy.policy.limits.concurrency);
  // A batch may mix the lanes; the sort is stable.
  const isBulk = (record: SqsRecord): number => Number(laneOf(runtime, record) === 'bulk');
  const inOrder = found.toSorted((a, b) => isBulk(a) - isBulk(b));
  const records = new Map(inOrder.map((record) => [record.messageId, record]));
  const handle = async ({ messageId }: { readonly messageId: string }): Promise<void> => {
    const record = records.get(messageId);
    if (record !== undefined) await lanes(() => one(runtime, app, record, hasTime()));
  };
  const processor = new BatchProcessor(EventType.SQS);
  // If every message fails, report them as usual: an error would return them to the queue too, but look like a crash.
  return processPartialResponse({ Records: [...records.values()] }, handle, processor, {
    throwOnFullBatchFailure: false,
  });
}

function laneOf({ stores }: AwsRuntime, { attributes }: SqsRecord): Lane {
  return stores.laneOfGroup(attributes.MessageGroupId);
}

/** The app for a batch. If a message was queued under another policy, the policy is read again: this container's may be outdated. */
async function appFor(runtime: AwsRuntime, records: readonly SqsRecord[]): Promise<PolicyApp> {
  const app = await runtime.app();
  const otherPolicy = records.some(({ body }) => {
    const { message } = readMessage(body);
    return message !== null && message.policyHash !== app.policy.hash;
  });
  return otherPolicy ? runtime.app(true) : app;
}

async function one(runtime: AwsRuntime, app: PolicyApp, record: SqsRecord, hasTime: boolean): Promise<void> {
  const { stores, logger, metrics, clock } = runtime;
  metrics.add('QueueLatency', Math.max(0, clock.now() - record.attributes.SentTimestamp));
  const { message, error: unreadable } = readMessage(record.body);
  if (message === null) {
    await bury(runtime, app, record.body, unreadable);
    logger.error('a message could not be read and was moved to the dead letters', {
      messageId: record.messageId,
      unreadable,
    });
    return;
  }
  const { runId } = message;
  await logger.within({ runId, messageId: record.messageId }, async () => {
    const { SentTimestamp: sentAt, ApproximateReceiveCount: receives } = record.attributes;
    const delivery = { message, receipt: record.receiptHandle, receives, sentAt, lane: laneOf(runtime, record) };
    if (!hasTime) {
      await stores.queue.release(delivery, 0);
      throw new MessageRetained('too little time is left');
    }
    const work = await app.work();
    try {
      const { end, outcomes } = await deliver(work, delivery, BROKEN_PAUSE_MS);
      for (const { outcome } of outcomes) count(runtime, outcome);
      if (end === 'dead') metrics.add('DeadLetters', 1);
      logger.info('message processed', { end, outcomes, kind: message.kind });
      if (end === 'released') throw new MessageRetained('returned to the queue');
    } catch (error) {
      if (!(error instanceof MessageRetained)) logger.error('a message could not be processed', { error });
      throw error;
    }
  });
}

/** Moves an unreadable message body to the dead letters, with an entry in the ledger. */
async function bury(
  { stores, metrics }: AwsRuntime,
  app: PolicyApp,
  body: string,
  error: DeadLetterReason,
): Promise<void> {
  const entry = await recordDeadLetter(app.deps, null, error);
  await stores.bury(body, { ...error, entryId: entryIdOf(entry) });
  metrics.add('DeadLetters', 1);
}

const COUNTED: Partial<Record<WorkOutcome, MetricName>> = {
  resolved: 'KeysResolved',
  blocked: 'KeysHeldUp',
  retrying: 'KeysHeldUp',
};

function count({ metrics }: AwsRuntime, outcome: WorkOutcome): void {
  const name = COUNTED[outcome];
  if (name !== undefined) metrics.add(name, 1);
}

export const handler = makeHandler(() => composeFromEnvironment('worker'));
