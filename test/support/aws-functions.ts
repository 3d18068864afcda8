import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DeleteMessageBatchCommand, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { makeHandler as makeScanner } from '../../services/scanner/handler.ts';
import { makeHandler as makeTick } from '../../services/tick/handler.ts';
import { makeHandler as makeWorker } from '../../services/worker/handler.ts';
import type { ScopedLogger } from '../../shared/adapters/aws/lambda/logger.ts';
import { systemClock } from '../../shared/adapters/system/clock.ts';
import { type AwsRuntime, composeAws } from '../../shared/compose/lambda-runtime.ts';
import { readAwsEnv } from '../../shared/config/aws-env.ts';
import { awsWorkerParts, SHORT_TIMES } from './aws-worker-parts.ts';
import { busEvent, lambdaContext, type SqsEvent, toRecord } from './lambda-events.ts';

/*
 * Simulates Lambda around the real handlers: a scheduler, an event source mapping and the rule that starts the scanner. Its only argument is JSON
 * (`AwsWorkerParts`). Prints `ready`. On SIGTERM it prints one JSON line with its results and ends.
 */
const TICK_MS = 3_000;
const { policyText } = awsWorkerParts.parse(JSON.parse(process.argv[2] ?? ''));
const termination = new AbortController();
process.on('SIGTERM', () => termination.abort());
const stop = termination.signal;

const directory = mkdtempSync(join(tmpdir(), 'rollcall-functions-'));
writeFileSync(join(directory, 'rollcall.yaml'), policyText);
const env = readAwsEnv({ ...process.env, ROLLCALL_POLICY: 'file:rollcall.yaml', LAMBDA_TASK_ROOT: directory });
const say = (level: string) => (message: string, fields?: unknown) =>
  void process.stderr.write(`${level} ${message} ${JSON.stringify(fields ?? {})}\n`);
const logger: ScopedLogger = {
  ...{ debug: () => undefined, info: () => undefined, warn: say('warn'), error: say('error') },
  within: (_fields, work) => work(),
};
const metrics = { add: () => undefined, flush: () => undefined };
const runtimes: AwsRuntime[] = [];
const compose = (service: string) => async (): Promise<AwsRuntime> => {
  const runtime = await composeAws({ service, env, policyEnv: {}, settings: SHORT_TIMES, logger, metrics });
  runtimes.push(runtime);
  return runtime;
};
const tick = makeTick(compose('tick'));
const scanner = makeScanner(compose('scanner'));
const worker = makeWorker(compose('worker'));
const region = process.env['AWS_REGION'] ?? '';
const sqs = new SQSClient(env.sqsEndpoint === null ? {} : { endpoint: env.sqsEndpoint });
const done = { ticks: 0, scans: 0, batches: 0, records: 0, kept: 0, failures: 0 };

/** A failed invocation is retried by the next one, as in AWS. */
async function attempt(what: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    done.failures += 1;
    say('error')(`${what} failed`, { message: String(error) });
    await systemClock.sleep(500, stop);
  }
}

async function oneTick(): Promise<void> {
  const { scanRequested } = await tick(
    busEvent('aws.scheduler', 'Scheduled Event', '{}', region),
    lambdaContext(systemClock, 55_000),
  );
  done.ticks += 1;
  if (scanRequested === null) return;
  await scanner(
    busEvent('rollcall.internal', 'Scan Requested', { runId: scanRequested }, region),
    lambdaContext(systemClock),
  );
  done.scans += 1;
}

async function oneBatch(): Promise<void> {
  const asked = new ReceiveMessageCommand({
    ...{ QueueUrl: env.queueUrl, MaxNumberOfMessages: 10, WaitTimeSeconds: 1, VisibilityTimeout: 15 },
    MessageSystemAttributeNames: ['ApproximateReceiveCount', 'SentTimestamp', 'MessageGroupId'],
  });
  const { Messages = [] } = await sqs.send(asked);
  if (Messages.length === 0) return;
  const now = systemClock.now();
  const sentAt = (message: (typeof Messages)[number]): number => Number(message.Attributes?.SentTimestamp ?? now);
  const event: SqsEvent = { Records: Messages.map((each) => toRecord(each, now, region, sentAt(each))) };
  const { batchItemFailures } = await worker(event, lambdaContext(systemClock));
  const kept = new Set(batchItemFailures.map(({ itemIdentifier }) => itemIdentifier));
  const Entries = event.Records.filter(({ messageId }) => !kept.has(messageId)).map(({ receiptHandle }, index) => {
    return { Id: String(index), ReceiptHandle: receiptHandle };
  });
  if (Entries.length > 0) await sqs.send(new DeleteMessageBatchCommand({ QueueUrl: env.queueUrl, Entries }));
  done.batches += 1;
  done.records += event.Records.length;
  done.kept += kept.size;
}

process.stdout.write('ready\n');
const ticking = async (): Promise<void> => {
  for (; !stop.aborted; await systemClock.sleep(TICK_MS, stop)) await attempt('a tick', oneTick);
};
const working = async (): Promise<void> => {
  while (!stop.aborted) await attempt('a batch', oneBatch);
};
// The concurrency that serverless.yml allows.
await Promise.all([ticking(), working(), working()]);
for (const runtime of runtimes) await runtime.close();
sqs.destroy();
rmSync(directory, { recursive: true, force: true });
process.stdout.write(`${JSON.stringify(done)}\n`);
