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
import { type FaultProxy, startFaultProxy } from '../adapters/aws/faults.ts';
import { Activity } from './activity.ts';
import type { AwsWorkerParts } from './aws-worker-parts.ts';
import { childFile } from './children.ts';
import { COMPILE_CACHE } from './compile-cache.ts';
import { HOST } from './host.ts';
import { type PretendStores, startPretendStores, TABLE } from './simulated-stores.ts';

/** A call that asked for a change, and whether its intent was in the table when it arrived. */
interface WitnessedCall {
  readonly operation: string;
  readonly accountId: string;
  readonly intended: boolean;
}

export interface Spawned {
  readonly process: ChildProcess;
  /** Resolves when it has said that it works; rejects if it ends before. */
  readonly ready: Promise<void>;
  readonly ended: Promise<{
    readonly code: number | null;
    readonly signal: string | null;
    readonly stdout: string;
    readonly stderr: string;
  }>;
}

/** A pretend organization with a pretend DynamoDB, SQS and EventBridge, reached by processes through the SDK's own settings. */
export interface AwsWorld {
  readonly running: RunningSandbox;
  readonly stores: PretendStores;
  /** Before the work queue, for what SQS does to messages. */
  readonly queueDoor: FaultProxy;
  /** Before the event bus. */
  readonly busDoor: FaultProxy;
  readonly env: Readonly<Record<string, string>>;
  readonly mutating: readonly WitnessedCall[];
  /** Puts a body on the work queue, past all faults. */
  send(body: string): Promise<void>;
  /** What the processes do: calls to the organization, to the queue, and writes to the table. */
  readonly activity: Activity;
  /** Called for each changing call before it takes effect. */
  onChange: (number: number) => void;
  /** The stores as the test sees them, past all faults. */
  look(): Promise<AwsStores>;
  /** A container. */
  worker(parts: AwsWorkerParts): Spawned;
  /** The Lambda functions, and what calls them. */
  functions(parts: AwsWorkerParts): Spawned;
  cli(args: readonly string[], cwd?: string, env?: Readonly<Record<string, string>>): Spawned;
}

const MUTATING = new Set(['UpdateEnrollmentStatus', 'UpdateEnrollmentConfiguration']);
/** A test reads the table to see what the processes do; that is no activity of theirs. */
const READING = new Set(['GetItem', 'BatchGetItem', 'Query', 'Scan', 'DescribeTable', 'DescribeContinuousBackups']);
const WORKER = childFile('aws-worker');
const FUNCTIONS = childFile('aws-functions');
const CLI = childFile('cli');

/** Starts a world that ends with the test. */
export async function startAwsWorld(sandbox: Omit<StartOptions, 'port' | 'clock'>): Promise<AwsWorld> {
  const running = await startSandbox({ ...sandbox, port: 0 });
  const stores = await startPretendStores();
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
    const settings = { PATH: process.env['PATH'] ?? '', HOME: tmpdir(), ...COMPILE_CACHE, ...env, ...more };
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
    // What they have asked for is answered before the stores are closed, or these fail under it.
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
  // A caller that does not wait until it is ready must not cause an unhandled rejection.
  ready.catch(() => undefined);
  const ended = once(child, 'close').then(([code, signal]) => ({
    ...{ code: typeof code === 'number' ? code : null, signal: typeof signal === 'string' ? signal : null },
    ...{ stdout, stderr },
  }));
  return { process: child, ready, ended };
}

const put = z.object({ Item: z.object({ body: z.object({ S: z.string() }) }) });

/** Listens at both doors: what is in the table, and what arrives at the organization, in the order of one process. */
function watch(running: RunningSandbox, stores: PretendStores, activity: Activity, onChange: () => void) {
  const mutating: WitnessedCall[] = [];
  const intents = new Set<string>();
  stores.onStored = ({ operation, body }) => {
    if (!READING.has(operation)) activity.happened();
    if (operation !== 'PutItem' || !body.includes('RemediationStarted')) return;
    const parsed = put.safeParse(JSON.parse(body));
    if (!parsed.success) return;
    const entry: unknown = JSON.parse(parsed.data.Item.body.S);
    if (isLedgerEntry(entry)) intents.add(`${entry.chain} ${entry.api?.operation}`);
  };
  const { sandbox } = running;
  const original = sandbox.handle.bind(sandbox);
  sandbox.handle = (request) => {
    const { operation, callerAccountId: accountId } = request;
    if (MUTATING.has(operation)) {
      // Each intent is good for the calls of its one undertaking; the ledger's checks say that each had one outcome.
      mutating.push({ operation, accountId, intended: intents.has(`${accountId} ${operation}`) });
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
