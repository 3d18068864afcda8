/* The checks of `doctor` for table, queues and bus. They change nothing. */

import { DynamoDBClient, type DynamoDBClientConfig } from '@aws-sdk/client-dynamodb';
import { DescribeEventBusCommand, EventBridgeClient, type EventBridgeClientConfig } from '@aws-sdk/client-eventbridge';
import { GetQueueAttributesCommand, SQSClient, type SQSClientConfig } from '@aws-sdk/client-sqs';
import { type CheckReason, type CheckResult, fail, pass, quoted, skipped, warn } from '../../domain/check-result.ts';
import type { Network } from '../../domain/network.ts';
import { StoreError } from '../../ports/store-error.ts';
import type { StoreTime } from '../../ports/store-time.ts';
import type { Monotonic } from '../../ports/system.ts';
import { clientSettings } from './client-settings.ts';
import { withCompleteAnswers } from './complete-answers.ts';
import { ServerTimes, serverTime } from './dynamodb/clock-skew.ts';
import { dynamoRegisters } from './dynamodb/registers.ts';
import { createTableInput } from './dynamodb/schema.ts';
import { findTableFaults } from './dynamodb/schema-check.ts';
import { Dynamo } from './dynamodb/table-client.ts';
import { createDeadLetterQueueInput, createQueueInput, findQueueFaults } from './sqs/queue-check.ts';
import { toStoreError } from './store-errors.ts';
import type { StoreRetry } from './store-retry.ts';
import { isNetworkCode } from './vendor-error-codes.ts';

export interface AwsInspectionOptions {
  readonly table: string | null;
  readonly queueUrl: string | null;
  readonly dlqUrl: string | null;
  /** Name or ARN; `null` if none is configured. */
  readonly bus: string | null;
  /** Overrides of the SDK's own settings. */
  readonly dynamodb?: DynamoDBClientConfig;
  readonly sqs?: SQSClientConfig;
  readonly eventBridge?: EventBridgeClientConfig;
  /** Default: direct connections. */
  readonly network?: Network;
  readonly monotonic: Monotonic;
}

export interface AwsInspection {
  table(): Promise<CheckResult>;
  queue(): Promise<CheckResult>;
  bus(): Promise<CheckResult>;
  /** DynamoDB's clock. The table must exist. */
  readonly time: StoreTime;
  close(): void;
}

const CONNECT_MS = 2_000;
const REQUEST_MS = 5_000;

export function inspectAws(options: AwsInspectionOptions): AwsInspection {
  const settings = () => clientSettings(CONNECT_MS, REQUEST_MS, options.network);
  const dynamodb = withCompleteAnswers('dynamodb', new DynamoDBClient({ ...settings(), ...options.dynamodb }));
  const sqs = withCompleteAnswers('sqs', new SQSClient({ ...settings(), ...options.sqs }));
  const times = new ServerTimes(dynamodb, options.monotonic);
  const registers = dynamoRegisters(new Dynamo(dynamodb, options.table ?? '', once), neverWritten);
  const events = withCompleteAnswers('events', new EventBridgeClient({ ...settings(), ...options.eventBridge }));
  return {
    table: () => checked(() => table(dynamodb, options.table)),
    queue: () => checked(() => queue(sqs, options.queueUrl, options.dlqUrl)),
    bus: () => checked(() => bus(events, options.bus)),
    time: serverTime(times, registers),
    close() {
      for (const client of [dynamodb, sqs, events]) client.destroy();
    },
  };
}

function neverWritten(): never {
  throw new Error('doctor writes nothing');
}

/** Makes one attempt only, so that an unreachable endpoint is reported within seconds. */
const once: StoreRetry = {
  maxRetries: 0,
  pause: async () => undefined,
  async run(resource, operation, call) {
    try {
      return await call(0);
    } catch (error) {
      throw toStoreError(error, resource, operation);
    }
  },
};

async function checked(check: () => Promise<CheckResult>): Promise<CheckResult> {
  try {
    return await check();
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    return fail(reasonOf(error), error.message);
  }
}

function reasonOf({ code, details }: StoreError): CheckReason {
  switch (code) {
    case 'Throttled':
      return 'unavailable';
    case 'Unavailable':
      return details.vendorCode !== undefined && isNetworkCode(details.vendorCode) ? 'unreachable' : 'unavailable';
    case 'Denied':
      return 'denied';
    case 'Unauthenticated':
      return 'unauthenticated';
    case 'NotFound':
      return 'missing';
    default:
      return 'wrong';
  }
}

async function table(client: DynamoDBClient, name: string | null): Promise<CheckResult> {
  if (name === null) return fail('missing', 'ROLLCALL_TABLE is not set', ['export ROLLCALL_TABLE=rollcall-prod']);
  const faults = await findTableFaults(client, name, once);
  if (faults.length === 0) return pass(`table ${name} has the keys and indexes that it needs`);
  const bare = name.split('/').at(-1) ?? name;
  if (faults.some((fault) => fault === `table ${name} does not exist`)) {
    const input = quoted(JSON.stringify(createTableInput(bare)));
    const message = `${faults.join('; ')}. Check the Region and the account, deploy with rollcall install, or make it:`;
    return fail('missing', message, [`aws dynamodb create-table --cli-input-json ${input}`]);
  }
  const message = `${faults.join('; ')}. Deploy it as infra/table.yml declares it:`;
  return fail('wrong', message, [`npx osls deploy --stage ${stageOf(bare)}`]);
}

/** The stage in a resource's name: the deployment names all resources `rollcall-STAGE`. */
function stageOf(name: string): string {
  return /^rollcall-([a-z][a-z0-9-]{0,19})$/.exec(name)?.[1] ?? 'STAGE';
}

async function queue(client: SQSClient, url: string | null, dlqUrl: string | null): Promise<CheckResult> {
  const unset = [...(url === null ? ['ROLLCALL_QUEUE_URL'] : []), ...(dlqUrl === null ? ['ROLLCALL_DLQ_URL'] : [])];
  if (url === null || dlqUrl === null) {
    const read = unset.map(
      (name) =>
        `export ${name}=$(aws sqs get-queue-url --queue-name rollcall-prod-${name.includes('DLQ') ? 'dead' : 'work'} --query QueueUrl --output text)`,
    );
    return fail('missing', `${unset.join(' and ')} ${unset.length === 1 ? 'is' : 'are'} not set`, read);
  }
  const faults = await findQueueFaults(client, url, dlqUrl, once);
  if (faults.length === 0) return pass(`${nameOf(url)} exists and redrives to ${nameOf(dlqUrl)}`);
  const fix = await queueCommands(client, url, dlqUrl);
  const missing = fix.some((command) => command.startsWith('aws sqs create-queue'));
  return fail(missing ? 'missing' : 'wrong', `${faults.join('; ')}. Deploy with rollcall install, or:`, fix);
}

/** The commands that create or correct the queues. */
async function queueCommands(client: SQSClient, url: string, dlqUrl: string): Promise<readonly string[]> {
  if (url === dlqUrl) return ['unset ROLLCALL_DLQ_URL'];
  const [work, dead] = await Promise.all([arnOf(client, url), arnOf(client, dlqUrl)]);
  const deadArn = dead ?? work?.replace(/[^:]+$/, nameOf(dlqUrl)) ?? null;
  const deadInput = createDeadLetterQueueInput(nameOf(dlqUrl));
  const workInput = createQueueInput(nameOf(url), deadArn ?? 'DEAD_LETTER_QUEUE_ARN');
  const attributes = (input: typeof workInput): string => quoted(JSON.stringify(input.Attributes ?? {}));
  return [
    ...(dead === null
      ? [`aws sqs create-queue --queue-name ${nameOf(dlqUrl)} --attributes ${attributes(deadInput)}`]
      : []),
    work === null
      ? `aws sqs create-queue --queue-name ${nameOf(url)} --attributes ${attributes(workInput)}`
      : `aws sqs set-queue-attributes --queue-url ${quoted(url)} --attributes ${attributes(workInput)}`,
  ];
}

async function arnOf(client: SQSClient, url: string): Promise<string | null> {
  const command = new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: ['QueueArn'] });
  try {
    const { Attributes } = await once.run(`queue ${url}`, 'GetQueueAttributes', () => client.send(command));
    return Attributes?.['QueueArn'] ?? null;
  } catch (error) {
    if (error instanceof StoreError && error.code === 'NotFound') return null;
    throw error;
  }
}

function nameOf(url: string): string {
  return url.split('/').at(-1) ?? url;
}

async function bus(client: EventBridgeClient, name: string | null): Promise<CheckResult> {
  if (name === null) return skipped('notUsed', 'no event bus is configured (notify.eventBus of the policy)');
  try {
    const command = new DescribeEventBusCommand({ Name: name });
    const { Arn } = await once.run(`event bus ${name}`, 'DescribeEventBus', () => client.send(command));
    return pass(`${Arn ?? name} is there`);
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    if (error.code === 'NotFound') {
      return fail('missing', `event bus ${name} does not exist in this account and Region`, [
        `aws events create-event-bus --name ${quoted(name.split('event-bus/').at(-1) ?? name)}`,
      ]);
    }
    // Rollcall itself only puts events, so it works without permission for DescribeEventBus.
    if (error.code === 'Denied') return warn('denied', `not known: ${error.message}`);
    if (error.details.vendorCode === 'UnknownOperationException') {
      return skipped('notUsed', `${name} cannot be checked: this endpoint does not know DescribeEventBus`);
    }
    throw error;
  }
}
