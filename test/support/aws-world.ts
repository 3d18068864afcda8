import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SendMessageCommand } from '@aws-sdk/client-sqs';
import { onTestFinished } from 'vitest';
import * as z from 'zod';
import { type RunningSandbox, type StartOptions, startSandbox } from '../../services/sandbox/start.ts';
import { type AwsStores, openAwsStores } from '../../shared/adapters/aws/store.ts';
import { isLedgerEntry } from '../../shared/adapters/stored-shapes.ts';
import { systemClock } from '../../shared/adapters/system/clock.ts';
import { makeNewId } from '../../shared/adapters/system/ids.ts';
import type { EnrollmentId } from '../../shared/domain/enrollment/kinds/index.ts';
import { type FaultProxy, startFaultProxy } from '../adapters/aws/faults.ts';
import { Activity } from './activity.ts';
import type { AwsWorkerParts } from './aws-worker-parts.ts';
import { CHILD_ENV, childFile } from './children.ts';
import { HOST } from './host.ts';
import { enrollmentChangedBy } from './mutating-calls.ts';
import { type SimulatedStores, startSimulatedStores, TABLE } from './simulated-stores.ts';

/** A mutating call, and whether its intent was in the table when it arrived. */
interface WitnessedCall {
  readonly enrollment: EnrollmentId;
  readonly operation: string;
  readonly accountId: string;
  readonly intended: boolean;
}

export interface Spawned {
  readonly process: ChildProcess;
  /** Resolves when the process is ready; rejects if it ends before. */
  readonly ready: Promise<void>;
  readonly ended: Promise<{
    readonly code: number | null;
    readonly signal: string | null;
    readonly stdout: string;
    readonly stderr: string;
  }>;
}

/** A simulated organization with a simulated DynamoDB, SQS and EventBridge, which processes reach through the SDK's own settings. */
export interface AwsWorld {
  readonly running: RunningSandbox;
  readonly stores: SimulatedStores;
  /** A proxy in front of the work queue, for faults of SQS. */
  readonly queueDoor: FaultProxy;
  /** A proxy in front of the event bus. */
  readonly busDoor: FaultProxy;
  readonly env: Readonly<Record<string, string>>;
  readonly mutating: readonly WitnessedCall[];
  /** Enqueues a body without faults. */
  send(body: string): Promise<void>;
  /** Calls of the processes to the organization and the queue, and their writes to the table. */
  readonly activity: Activity;
  /** Called for each mutating call before it takes effect. */
  onChange: (number: number) => void;
  /** The stores without faults, for the test. */
  look(): Promise<AwsStores>;
  /** A container. */
  worker(parts: AwsWorkerParts): Spawned;
  /** The Lambda functions and their callers. */
  functions(parts: AwsWorkerParts): Spawned;
  cli(args: readonly string[], cwd?: string, env?: Readonly<Record<string, string>>): Spawned;
}

/** Reads of the test itself do not count as activity. */
const READING = new Set(['GetItem', 'BatchGetItem', 'Query', 'Scan', 'DescribeTable', 'DescribeContinuousBackups']);
const WORKER = childFile('aws-worker');
const FUNCTIONS = childFile('aws-functions');
const CLI = childFile('cli');

/** Starts a world that ends with the test. */
export async function startAwsWorld(sandbox: Omit<StartOptions, 'port' | 'clock'>): Promise<AwsWorld> {
  const running = await startSandbox({ ...sandbox, port: 0 });
  const stores = await startSimulatedStores();
  const queueDoor = await startFaultProxy(stores.queueEndpoint);
  const busDoor = await startFaultProxy(running.endpoint);
  const activity = new Activity();
  queueDoor.onAnswered = activity.happened;
  const { mutating, witness } = watch(running, stores, activity, () => world.onChange(mutating.length));
  onTestFinished(witness);
  const env = {
    AWS_REGION: 'eu-west-1',
    AWS_ACCESS_KEY_ID: running.info.managementAccountId,
    AWS_SECRET_ACCESS_KEY: 'any',
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_CONFIG_FILE: join(tmpdir(), 'no-such-config'),
    AWS_SHARED_CREDENTIALS_FILE: join(tmpdir(), 'no-such-credentials'),
    AWS_ENDPOINT_URL: running.endpoint,
    AWS_ENDPOINT_URL_DYNAMODB: stores.tableEndpoint,
    AWS_ENDPOINT_URL_SQS: queueDoor.endpoint,
    AWS_ENDPOINT_URL_EVENTBRIDGE: busDoor.endpoint,
    ROLLCALL_TABLE: TABLE,
    ROLLCALL_QUEUE_URL: stores.queueUrl,
    ROLLCALL_DLQ_URL: stores.dlqUrl,
    ROLLCALL_EVENT_BUS: 'rollcall',
  };
  const opened: AwsStores[] = [];
  const children: ChildProcess[] = [];
  const start = (args: readonly string[], cwd = tmpdir(), more: Readonly<Record<string, string>> = {}): Spawned => {
    const settings = { PATH: process.env['PATH'] ?? '', HOME: tmpdir(), ...CHILD_ENV, ...env, ...more };
    const child = spawn(process.execPath, [...args], { cwd, env: settings, stdio: ['ignore', 'pipe', 'pipe'] });
    children.push(child);
    return spawned(child);
  };
  const world: AwsWorld = {
    ...{ running, stores, queueDoor, busDoor, env, mutating, activity },
    onChange: () => undefined,
    async send(MessageBody) {
      await stores.queues.send(new SendMessageCommand({ QueueUrl: stores.queueUrl, MessageBody }));
    },
    async look() {
      const settings = { region: 'eu-west-1', credentials: { accessKeyId: 'test', secretAccessKey: 'test' } };
      const { queueUrl, dlqUrl, tableEndpoint, queueEndpoint } = stores;
      const own = await openAwsStores({
        ...HOST,
        ...{ table: TABLE, queueUrl, dlqUrl, clock: systemClock, newId: makeNewId(systemClock), random: Math.random },
        dynamodb: { ...settings, endpoint: tableEndpoint },
        sqs: { ...settings, endpoint: queueEndpoint },
      });
      opened.push(own);
      return own;
    },
    worker: (parts) => start([WORKER, JSON.stringify(parts)]),
    functions: (parts) => start([FUNCTIONS, JSON.stringify(parts)]),
    cli: (args, cwd, more) => start([CLI, ...args], cwd, more),
  };
  onTestFinished(async () => {
    // Pending requests are answered before the stores are closed; otherwise they would fail.
    await Promise.all(children.map(killed));
    for (const each of opened) await each.close();
    await busDoor.close();
    await queueDoor.close();
    await stores.close();
    await running.close();
  });
  return world;
}

async function killed(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
}

function spawned(child: ChildProcess): Spawned {
  let stdout = '';
  let stderr = '';
  const ready = new Promise<void>((resolve, reject) => {
    child.stdout?.on('data', (part: Buffer) => {
      stdout += part.toString();
      if (stdout.includes('ready\n')) resolve();
    });
    child.stderr?.on('data', (part: Buffer) => {
      stderr += part.toString();
      if (stderr.includes(' serving ')) resolve();
    });
    child.once('close', () => reject(new Error(`ended before it was ready: ${stderr}`)));
  });
  // A caller that does not await readiness must not cause an unhandled rejection.
  ready.catch(() => undefined);
  const ended = once(child, 'close').then(([code, signal]) => ({
    ...{ code: typeof code === 'number' ? code : null, signal: typeof signal === 'string' ? signal : null },
    ...{ stdout, stderr },
  }));
  return { process: child, ready, ended };
}

const put = z.object({ Item: z.object({ body: z.object({ S: z.string() }) }) });

/** Observes the table and the calls to the organization, in one order. */
function watch(running: RunningSandbox, stores: SimulatedStores, activity: Activity, onChange: () => void) {
  const mutating: WitnessedCall[] = [];
  const intents = new Set<string>();
  stores.onStored = ({ operation, body }) => {
    if (!READING.has(operation)) activity.happened();
    if (operation !== 'PutItem' || !body.includes('RemediationStarted')) return;
    const parsed = put.safeParse(JSON.parse(body));
    if (!parsed.success) return;
    const entry: unknown = JSON.parse(parsed.data.Item.body.S);
    if (isLedgerEntry(entry)) intents.add(`${entry.chain} ${entry.enrollment} ${entry.api?.operation}`);
  };
  const { sandbox } = running;
  const original = sandbox.handle.bind(sandbox);
  sandbox.handle = (request) => {
    const { operation, callerAccountId: accountId } = request;
    const enrollment = enrollmentChangedBy(request);
    if (enrollment !== null) {
      // An intent covers the calls of one remediation; the ledger checks verify that each has one outcome.
      const intended = intents.has(`${accountId} ${enrollment} ${operation}`);
      mutating.push({ enrollment, operation, accountId, intended });
      onChange();
    }
    const answer = original(request);
    activity.happened();
    return answer;
  };
  return {
    mutating,
    witness: () => {
      sandbox.handle = original;
    },
  };
}
