import { DynamoDBClient, type DynamoDBClientConfig } from '@aws-sdk/client-dynamodb';
import { SQSClient, type SQSClientConfig } from '@aws-sdk/client-sqs';
import type { Network } from '../../domain/network.ts';
import type { Lane } from '../../domain/work-lane.ts';
import type { DeadLetterReason } from '../../ports/queue.ts';
import type { Clock, Monotonic, NewId, Random } from '../../ports/system.ts';
import type { StoreParts } from '../store-parts.ts';
import { clientSettings } from './client-settings.ts';
import { withCompleteAnswers } from './complete-answers.ts';
import { refuseSkew, ServerTimes, serverTime } from './dynamodb/clock-skew.ts';
import { dynamoLedger } from './dynamodb/ledger.ts';
import { dynamoRecords } from './dynamodb/records.ts';
import { dynamoRegisters } from './dynamodb/registers.ts';
import { findTableFaults } from './dynamodb/schema-check.ts';
import { dynamoSnapshots } from './dynamodb/snapshots.ts';
import { Dynamo } from './dynamodb/table-client.ts';
import { sqsDeadLetters } from './sqs/dead-letters.ts';
import { laneOfGroup } from './sqs/lanes.ts';
import { countMessages, sqsQueue } from './sqs/queue.ts';
import { findQueueFaults } from './sqs/queue-check.ts';
import { reasonAttributes, SqsQueue } from './sqs/queue-client.ts';
import { storeError } from './store-errors.ts';
import { createStoreRetry, type StoreRetry } from './store-retry.ts';

export interface AwsStoresOptions {
  /** The table's name (`ROLLCALL_TABLE`) and the queues' URLs (`ROLLCALL_QUEUE_URL`, `ROLLCALL_DLQ_URL`). */
  readonly table: string;
  readonly queueUrl: string;
  readonly dlqUrl: string;
  /** Default: direct connections. */
  readonly network?: Network;
  readonly clock: Clock;
  readonly monotonic: Monotonic;
  readonly newId: NewId;
  readonly random: Random;
  /** Overrides of the SDK's own settings. */
  readonly dynamodb?: DynamoDBClientConfig;
  readonly sqs?: SQSClientConfig;
  /** How long `queue.receive` waits for a message, s, 0 to 20 (default 0). */
  readonly receiveWaitSeconds?: number;
  /** How long each poll for dead letters waits, s (default 1). */
  readonly deadLetterWaitSeconds?: number;
  /** Maximum difference between this machine's clock and AWS's, ms (default: not checked). With a wrong clock, leases end too early or too late. */
  readonly maxClockSkewMs?: number;
  /** Whether to check table and queues first (default `true`). A Lambda function does not, because its deployment created both. */
  readonly check?: boolean;
}

/** The state of the aws runtime, in DynamoDB and SQS. When it is closed, calls in progress fail. All methods throw `StoreError`. */
export interface AwsStores extends StoreParts {
  /** Stores an unreadable body as a dead letter. For a body that did not come from `queue.receive` but from a Lambda event. */
  bury(body: string, reason: DeadLetterReason): Promise<void>;
  /** The lane of a message from a Lambda event, by its message group. */
  laneOfGroup(group: string | undefined): Lane;
}

/** @throws StoreError `ClockSkew`; `WrongShape`, which lists everything wrong about table and queues; or the error of the check itself */
export async function openAwsStores(options: AwsStoresOptions): Promise<AwsStores> {
  const { table, queueUrl, dlqUrl, clock, newId, random, receiveWaitSeconds = 0, deadLetterWaitSeconds = 1 } = options;
  const retry = createStoreRetry({ clock, random });
  const dynamodb = withCompleteAnswers(
    'dynamodb',
    new DynamoDBClient({ ...clientSettings(2_000, 10_000, options.network), ...options.dynamodb }),
  );
  // A long poll answers within 20 s.
  const sqs = withCompleteAnswers(
    'sqs',
    new SQSClient({ ...clientSettings(2_000, 30_000, options.network), ...options.sqs }),
  );
  const times = new ServerTimes(dynamodb, options.monotonic);
  const close = async (): Promise<void> => {
    dynamodb.destroy();
    sqs.destroy();
  };
  try {
    if (options.check !== false) await check(dynamodb, sqs, options, retry, times);
  } catch (error) {
    await close();
    throw error;
  }
  const dynamo = new Dynamo(dynamodb, table, retry);
  const work = new SqsQueue(sqs, queueUrl, retry);
  const dead = new SqsQueue(sqs, dlqUrl, retry);
  const counts = {
    queue: () => countMessages(sqs, queueUrl, retry),
    dlq: () => countMessages(sqs, dlqUrl, retry),
  };
  const registers = dynamoRegisters(dynamo, newId);
  return {
    ledger: dynamoLedger(dynamo),
    records: dynamoRecords(dynamo),
    queue: sqsQueue(work, dead, counts, { clock, waitSeconds: receiveWaitSeconds }),
    deadLetters: sqsDeadLetters(dead, work, {
      waitSeconds: deadLetterWaitSeconds,
      count: async () => {
        const { visible, hidden } = await counts.dlq();
        return visible + hidden;
      },
    }),
    registers,
    time: serverTime(times, registers),
    snapshots: dynamoSnapshots(dynamo, clock, newId),
    bury: (body, reason) => dead.send([{ body, attributes: reasonAttributes(reason) }]),
    laneOfGroup,
    close,
  };
}

async function check(
  dynamodb: DynamoDBClient,
  sqs: SQSClient,
  options: AwsStoresOptions,
  retry: StoreRetry,
  times: ServerTimes,
): Promise<void> {
  const { table, queueUrl, dlqUrl, maxClockSkewMs = Number.POSITIVE_INFINITY } = options;
  const found = await Promise.all([
    findTableFaults(dynamodb, table, retry),
    findQueueFaults(sqs, queueUrl, dlqUrl, retry),
  ]);
  refuseSkew(times.last === null ? null : options.clock.now() - times.last.earliest, maxClockSkewMs);
  const faults = found.flat();
  if (faults.length === 0) return;
  const remedy = 'Deploy infra/, and check ROLLCALL_TABLE, ROLLCALL_QUEUE_URL, ROLLCALL_DLQ_URL and the Region.';
  throw storeError('WrongShape', 'the aws stores', faults.join('; '), remedy);
}
