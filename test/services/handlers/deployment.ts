import { AsyncLocalStorage } from 'node:async_hooks';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import {
  DeleteMessageCommand,
  type Message,
  PurgeQueueCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import dynalite from 'dynalite';
import { type RunningSandbox, type StartOptions, startSandbox } from '../../../services/sandbox/start.ts';
import { createTableInput } from '../../../shared/adapters/aws/dynamodb/schema.ts';
import type { Settings } from '../../../shared/app/context.ts';
import { type AwsRuntime, composeAws, type ScopedLogger } from '../../../shared/compose/lambda-runtime.ts';
import { readAwsEnv } from '../../../shared/config/aws-env.ts';
import type { TracingSettings } from '../../../shared/config/tracing-env.ts';
import type { MetricName, Metrics } from '../../../shared/ports/metrics.ts';
import type { LogFields } from '../../../shared/ports/system.ts';
import { makeQueues } from '../../adapters/aws/queues.ts';
import { buildFairQueues } from '../../support/fair-queues.ts';
import { type SqsEvent, toRecord } from '../../support/lambda-events.ts';
import { timeScale, type WorldClock, worldClock } from '../../support/world-clock.ts';
import { type PolicyParts, policyText } from '../../support/world-policy.ts';

/** A log line of a function. */
interface Line {
  readonly level: string;
  readonly message: string;
  readonly fields: LogFields;
}

/** A deployment as handlers see it: a simulated organization, a table, queues, a bus, a policy file. */
export interface Deployment {
  readonly sandbox: RunningSandbox;
  readonly clock: WorldClock;
  readonly env: Record<string, string>;
  readonly queues: SQSClient;
  readonly lines: Line[];
  readonly measured: Map<MetricName, number>;
  /** Creates a runtime as a container of the function does. */
  compose(service: string, settings?: Partial<Settings>): () => Promise<AwsRuntime>;
  writePolicy(parts: PolicyParts): void;
  /** Messages on the work queue, in the shape of an SQS event; they stay hidden as under Lambda. */
  sqsEvent(max?: number): Promise<SqsEvent>;
  send(body: string): Promise<void>;
  remove(records: SqsEvent['Records']): Promise<void>;
  /** All dead letters. */
  dead(): Promise<Message[]>;
  /** Events that reached the bus, by detail-type. */
  events(type?: string): readonly BusEvent[];
}

interface BusEvent {
  readonly source: string;
  readonly 'detail-type': string;
  readonly detail: unknown;
}

export interface DeployOptions {
  readonly sandbox?: Omit<StartOptions, 'port' | 'clock'>;
  readonly policy?: PolicyParts;
  readonly speed?: number;
  /** Where the functions send traces; default: nowhere. */
  readonly tracing?: TracingSettings;
  /** Puts a proxy between the functions and a store. @returns the URL of the proxy for that of the store */
  readonly doors?: { table(endpoint: string): Promise<Door>; queue(endpoint: string): Promise<Door> };
}

/** A proxy in front of a service. */
interface Door {
  readonly endpoint: string;
  close(): Promise<void>;
}

const REGION = 'eu-central-1';

/** Also works in scripts, without a test runner. Sets the SDK's variables for the whole process, so only one deployment can run at a time. */
export async function startDeployment(
  options: DeployOptions = {},
): Promise<{ readonly deployment: Deployment; close(): Promise<void> }> {
  // Not faster: on a busy machine a claim, or the time for retries, would expire before its work is done.
  const scale = timeScale(options.speed ?? 4);
  const clock = worldClock(scale);
  /** When a message was sent in world time. Later than that if the clock was set forward since, as if the queue's clock were fast. */
  const sentAt = ({ Attributes }: Message): number =>
    clock.now() - (Date.now() - Number(Attributes?.SentTimestamp)) * scale.speed;
  const sandbox = await startSandbox({ ...options.sandbox, port: 0, clock });
  const dynamo = dynalite({ createTableMs: 0, deleteTableMs: 0, updateTableMs: 0 });
  // A busy machine may delay a process for longer than an idle connection lives, and these tests are not about broken connections.
  dynamo.keepAliveTimeout = 600_000;
  await new Promise<void>((resolve) => dynamo.listen(0, '127.0.0.1', resolve));
  const tableEndpoint = `http://127.0.0.1:${portOf(dynamo.address())}`;
  const tableDoor = await options.doors?.table(tableEndpoint);
  const { app: fauxqs } = buildFairQueues();
  const sqsEndpoint = await fauxqs.listen({ port: 0, host: '127.0.0.1' });
  const directory = mkdtempSync(join(tmpdir(), 'rollcall-lambda-'));
  // Setting the SDK's variables is safe, because each test file runs in its own process.
  const settings = {
    AWS_REGION: REGION,
    AWS_ACCESS_KEY_ID: sandbox.info.managementAccountId,
    AWS_SECRET_ACCESS_KEY: 'any',
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_ENDPOINT_URL: sandbox.endpoint,
    AWS_ENDPOINT_URL_DYNAMODB: tableDoor?.endpoint ?? tableEndpoint,
  };
  Object.assign(process.env, settings);
  const table = new DynamoDBClient({});
  await table.send(new CreateTableCommand(createTableInput('rollcall')));
  table.destroy();
  // The queues' URLs have a name under `localhost`, which does not resolve everywhere, so the clients get an explicit endpoint.
  const queueDoor = await options.doors?.queue(sqsEndpoint);
  const sqs = { endpoint: queueDoor?.endpoint ?? sqsEndpoint, region: REGION };
  const queues = new SQSClient({ endpoint: sqsEndpoint, region: REGION });
  const { queueUrl, dlqUrl } = await makeQueues(queues, 'rollcall');
  const policy = join(directory, 'rollcall.yaml');
  const env = {
    ROLLCALL_TABLE: 'rollcall',
    ROLLCALL_QUEUE_URL: queueUrl,
    ROLLCALL_DLQ_URL: dlqUrl,
    ROLLCALL_EVENT_BUS: 'rollcall',
    ROLLCALL_POLICY: `file:${policy}`,
    ROLLCALL_STAGE: 'test',
    LAMBDA_TASK_ROOT: directory,
  };
  const lines: Line[] = [];
  const measured = new Map<MetricName, number>();
  const runtimes: AwsRuntime[] = [];
  const deployment: Deployment = {
    ...{ sandbox, clock, env, queues, lines, measured },
    compose: (service, own) => async () => {
      const logger = recordingLogger(lines);
      const metrics = recordingMetrics(measured);
      const runtime = await composeAws({
        ...{
          service,
          env: readAwsEnv(env),
          policyEnv: {},
          tracing: options.tracing ?? null,
          clock,
          logger,
          metrics,
          stores: { sqs, deadLetterWaitSeconds: 0 },
        },
        ...(own && { settings: own }),
      });
      runtimes.push(runtime);
      return runtime;
    },
    writePolicy: (parts) => writeFileSync(policy, policyText(parts)),
    async sqsEvent(max = 10) {
      const names = ['ApproximateReceiveCount', 'SentTimestamp', 'MessageGroupId'] as const;
      const { Messages = [] } = await queues.send(
        new ReceiveMessageCommand({
          QueueUrl: queueUrl,
          MaxNumberOfMessages: max,
          VisibilityTimeout: 900,
          MessageSystemAttributeNames: [...names],
        }),
      );
      return {
        Records: Messages.map((message) => toRecord(message, clock.now(), REGION, Math.round(sentAt(message)))),
      };
    },
    async send(body) {
      await queues.send(new SendMessageCommand({ QueueUrl: queueUrl, MessageBody: body }));
    },
    async remove(records) {
      for (const { receiptHandle } of records) {
        await queues.send(new DeleteMessageCommand({ QueueUrl: queueUrl, ReceiptHandle: receiptHandle }));
      }
    },
    async dead() {
      const command = new ReceiveMessageCommand({
        QueueUrl: dlqUrl,
        MaxNumberOfMessages: 10,
        MessageAttributeNames: ['All'],
        VisibilityTimeout: 0,
      });
      return (await queues.send(command)).Messages ?? [];
    },
    events: (type) => eventsOf(sandbox).filter((event) => type === undefined || event['detail-type'] === type),
  };
  deployment.writePolicy(options.policy ?? {});
  const close = async (): Promise<void> => {
    for (const runtime of runtimes) await runtime.close();
    await queues.send(new PurgeQueueCommand({ QueueUrl: queueUrl }));
    queues.destroy();
    await fauxqs.close();
    await queueDoor?.close();
    await tableDoor?.close();
    await new Promise((resolve) => dynamo.close(resolve));
    await sandbox.close();
    rmSync(directory, { recursive: true, force: true });
  };
  return { deployment, close };
}

function portOf(address: AddressInfo | string | null): number {
  if (address === null || typeof address === 'string') throw new Error('not listening on a port');
  return address.port;
}

function recordingLogger(lines: Line[]): ScopedLogger {
  const scope = new AsyncLocalStorage<LogFields>();
  const write = (level: string) => (message: string, fields?: LogFields) =>
    void lines.push({ level, message, fields: { ...scope.getStore(), ...fields } });
  return {
    ...{ debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') },
    within: (fields, work) => scope.run({ ...scope.getStore(), ...fields }, work),
  };
}

function recordingMetrics(measured: Map<MetricName, number>): Metrics {
  return {
    add: (name, value) => void measured.set(name, (measured.get(name) ?? 0) + value),
    flush: () => undefined,
  };
}

/** The events that the sandbox's bus received, in order. */
function eventsOf({ sandbox }: RunningSandbox): readonly BusEvent[] {
  return sandbox.events().map(({ Source, DetailType, Detail }) => ({
    source: String(Source),
    'detail-type': String(DetailType),
    detail: JSON.parse(String(Detail)),
  }));
}
