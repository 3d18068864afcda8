import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { CreateTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import dynalite from 'dynalite';
import * as z from 'zod';
import { createTableInput } from '../../shared/adapters/aws/dynamodb/schema.ts';
import { openAwsStores } from '../../shared/adapters/aws/store.ts';
import { systemClock, systemMonotonic } from '../../shared/adapters/system/clock.ts';
import { makeNewId } from '../../shared/adapters/system/ids.ts';
import { systemRandom } from '../../shared/adapters/system/random.ts';
import { createLimiter } from '../../shared/app/rate-limiter/rate-limiter.ts';
import type { MeteredCall } from '../../shared/ports/cloud.ts';
import type { Registers } from '../../shared/ports/registers.ts';
import { HOST } from '../support/host.ts';

/*
 * One budget for all workers (invariant 4), with separate processes: each worker calls as fast as the limiter allows, over one table.
 *
 *   node test/bench/limiter-processes.ts [--workers 4] [--rate 20] [--seconds 60] [--reserve-ms 2500] [--think-ms 0] [--kill 0]
 *
 * Prints one JSON line: the average rate, the busiest second (any window of 1,000 ms), and writes per call. `--think-ms`: each worker pauses
 * for a random time up to this between two calls, so that its slots expire. `--kill`: this many workers are killed halfway, with
 * their reservations.
 */

const TABLE = 'limiter';
const ACCESS = { region: 'eu-west-1', credentials: { accessKeyId: 'bench', secretAccessKey: 'bench' } };
const KEY: MeteredCall = { service: 'compute-optimizer', operation: 'UpdateEnrollmentStatus', meteredIn: 'member' };

const taskSchema = z.object({
  endpoint: z.string(),
  rate: z.number(),
  reserveMs: z.number(),
  thinkMs: z.number(),
  seconds: z.number(),
});
type Task = z.infer<typeof taskSchema>;

const countsSchema = z.object({ writes: z.number(), lost: z.number() });

interface Result {
  /** When each call was made, epoch ms. */
  readonly calls: readonly number[];
  /** `null`: it was killed before it reported. */
  readonly counts: z.infer<typeof countsSchema> | null;
}

/** Counts the writes, and those that lost a race. */
function counting(registers: Registers): {
  readonly counted: Registers;
  readonly counts: { writes: number; lost: number };
} {
  const counts = { writes: 0, lost: 0 };
  const counted: Registers = {
    read: (name) => registers.read(name),
    remove: (name, expected) => registers.remove(name, expected),
    list: (prefix) => registers.list(prefix),
    async write(name, value, expected) {
      counts.writes += 1;
      const version = await registers.write(name, value, expected);
      if (version === null) counts.lost += 1;
      return version;
    },
  };
  return { counted, counts };
}

async function work({ endpoint, rate, reserveMs, thinkMs, seconds }: Task): Promise<void> {
  const stores = await openAwsStores({
    ...HOST,
    ...{ table: TABLE, queueUrl: 'none', dlqUrl: 'none', check: false },
    ...{ clock: systemClock, newId: makeNewId(systemClock), random: systemRandom },
    dynamodb: { ...ACCESS, endpoint },
    sqs: ACCESS,
  });
  const { counted, counts } = counting(stores.registers);
  const times = { clock: systemClock, monotonic: systemMonotonic, storeTime: stores.time };
  const limiter = createLimiter({ registers: counted, ...times, ceiling: rate, reserveMs });
  // All workers begin together, regardless of their start time.
  process.stdout.write('ready\n');
  await once(process.stdin, 'data');
  const until = systemClock.now() + seconds * 1_000;
  for (;;) {
    await limiter.acquire(KEY);
    const now = systemClock.now();
    if (now >= until) break;
    process.stdout.write(`${now}\n`);
    limiter.report(KEY, 'ok');
    if (thinkMs > 0) await systemClock.sleep(systemRandom() * thinkMs);
  }
  await stores.close();
  process.stdin.destroy();
  process.stdout.write(`${JSON.stringify(counts)}\n`);
}

/** @param kill the worker is killed halfway. @param ready called when the worker has started */
async function runWorker(task: Task, kill: boolean, start: { ready(): void; all: Promise<unknown> }): Promise<Result> {
  const child = spawn(process.execPath, [fileURLToPath(import.meta.url), '--task', JSON.stringify(task)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  let killTimer: NodeJS.Timeout | undefined;
  void start.all.then(() => {
    child.stdin.write('go\n');
    if (kill) killTimer = setTimeout(() => child.kill('SIGKILL'), task.seconds * 500);
  });
  const calls: number[] = [];
  let counts: Result['counts'] = null;
  for await (const line of createInterface({ input: child.stdout })) {
    if (line === 'ready') start.ready();
    else if (line.startsWith('{')) counts = countsSchema.parse(JSON.parse(line));
    else calls.push(Number(line));
  }
  clearTimeout(killTimer);
  const [code] = await exited;
  if (code !== 0 && !kill) throw new Error(`a worker ended with exit code ${code}`);
  return { calls, counts };
}

/** Resolves once `count` have called `ready`. */
function gathering(count: number): { ready(): void; all: Promise<unknown> } {
  const { promise, resolve } = Promise.withResolvers<void>();
  let missing = count;
  const ready = (): void => {
    missing -= 1;
    if (missing === 0) resolve();
  };
  return { ready, all: promise };
}

/** The maximum number of calls in any window of `ms`, and the start of that window. */
function busiest(calls: readonly number[], ms: number): { readonly calls: number; readonly at: number } {
  let most = { calls: 0, at: 0 };
  let first = 0;
  for (const [last, at] of calls.entries()) {
    while ((calls[first] ?? at) <= at - ms) first += 1;
    if (last - first + 1 > most.calls) most = { calls: last - first + 1, at: calls[first] ?? at };
  }
  return most;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      task: { type: 'string' },
      workers: { type: 'string', default: '4' },
      rate: { type: 'string', default: '20' },
      seconds: { type: 'string', default: '60' },
      'reserve-ms': { type: 'string', default: '2500' },
      'think-ms': { type: 'string', default: '0' },
      kill: { type: 'string', default: '0' },
    },
  });
  if (values.task !== undefined) {
    await work(taskSchema.parse(JSON.parse(values.task)));
    return;
  }
  const [workers, rate, seconds] = [Number(values.workers), Number(values.rate), Number(values.seconds)];
  const [reserveMs, thinkMs] = [Number(values['reserve-ms']), Number(values['think-ms'])];
  const server = dynalite({ createTableMs: 0 });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('not listening on a port');
  const endpoint = `http://127.0.0.1:${address.port}`;
  const client = new DynamoDBClient({ ...ACCESS, endpoint });
  await client.send(new CreateTableCommand(createTableInput(TABLE)));
  client.destroy();
  const task = { endpoint, rate, reserveMs, thinkMs, seconds };
  const start = gathering(workers);
  const results = await Promise.all(
    Array.from({ length: workers }, (_, n) => runWorker(task, n < Number(values.kill), start)),
  );
  server.close();
  const calls = results.flatMap((result) => result.calls).sort((a, b) => a - b);
  const began = calls[0] ?? 0;
  const within = calls.filter((at) => at < began + seconds * 1_000);
  // Only of the surviving workers.
  const told = results.flatMap(({ calls: own, counts }) => (counts === null ? [] : [{ own: own.length, ...counts }]));
  const sum = (pick: (each: (typeof told)[number]) => number) => told.reduce((total, each) => total + pick(each), 0);
  const top = busiest(within, 1_000);
  const figures = {
    ...{ workers, budget: rate, seconds, reserveMs, thinkMs, killed: Number(values.kill), calls: within.length },
    averagePerSecond: Math.round((within.length / seconds) * 100) / 100,
    busiestSecond: top.calls,
    busiestSecondAtMs: top.at - began,
    // The rate of the survivors after the slots of the killed workers have expired.
    lastQuarterPerSecond:
      Math.round((within.filter((at) => at >= began + seconds * 750).length / (seconds / 4)) * 100) / 100,
    writesPerCall: Math.round((sum((each) => each.writes) / sum((each) => each.own)) * 1_000) / 1_000,
    lostWrites: sum((each) => each.lost),
    callsOfEach: results.map((result) => result.calls.length),
  };
  process.stdout.write(`${JSON.stringify({ name: 'limiter-processes', ...figures })}\n`);
}

await main();
