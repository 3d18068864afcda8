import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import * as z from 'zod';
import { type SimulatedStores, startSimulatedStores, TABLE } from '../support/simulated-stores.ts';
import { bundleTask, type StartedTask, startSandbox, startTask } from './child.ts';
import { type Figure, figure, round } from './figure.ts';
import type { Count, Sandbox } from './sandbox.ts';
import { accountsOr } from './size.ts';
import { inDirectory } from './workbench.ts';

const ACCOUNTS = 10_000;
/** The number of these accounts that are not Active. */
const DRIFTED = 0.5;
const WORKERS = 4;
/** The shared budget, calls per second. */
const BUDGET = 50;
const CONCURRENCY = 8;
const LATENCY_MS = 20;
const SAMPLE_INTERVAL_MS = 3_000;
/** Calls to the bus do not count towards the budget. */
const UNPACED: ReadonlySet<string> = new Set(['PutEvents']);
/** Only a hanging run takes this long. */
const LIMIT_MS = 3_600_000;

const served = z.object({
  outcomes: z.record(z.string(), z.number()),
  scanSeconds: z.number().nullable(),
  calls: z.record(z.string(), z.object({ count: z.number(), throttled: z.number() })),
  peakMb: z.number(),
});
type Served = z.infer<typeof served>;

/** The progress and the cost so far. */
interface Sample {
  readonly at: number;
  readonly open: number;
  readonly calls: number;
  readonly changes: Count;
  readonly writes: number;
}

/** Four containers that share table, queue and budget adopt an organization and remediate half of it. */
export function loadAws(): Promise<readonly Figure[]> {
  // From the bundle, as in containers, because type stripping needs memory too.
  return inDirectory(async (directory) => load(await bundleTask('serve-aws', directory)));
}

async function load(task: string): Promise<readonly Figure[]> {
  const accounts = accountsOr(ACCOUNTS);
  const sandbox = await startSandbox({ accounts, drift: DRIFTED, latencyMs: LATENCY_MS });
  const stores = await startSimulatedStores();
  const writes = countWrites(stores);
  const workers: StartedTask<Served>[] = [];
  try {
    const toChange = openOf(await sandbox.accounts());
    const start = performance.now();
    const input = { callsPerSecond: BUDGET, concurrency: CONCURRENCY };
    const environment = environmentFor(sandbox, stores);
    for (let n = 0; n < WORKERS; n += 1) workers.push(startTask(task, input, served, environment));
    // A container ends only on request; one that ends earlier has failed.
    const failed = Promise.race(workers.map(({ answered }) => answered)).then(() => {
      throw new Error('a worker ended by itself');
    });
    const samples = await Promise.race([watch(sandbox, () => writes.made), failed]);
    failed.catch(() => undefined);
    const done = await ended(workers);
    const duplicates = [...(await sandbox.changesOf()).values()].reduce(
      (more, count) => more + Math.max(0, count - 1),
      0,
    );
    return figuresOf({ accounts, toChange, start, samples, done, duplicates, writes });
  } finally {
    for (const { process } of workers) process.kill('SIGKILL');
    await stores.close();
    await sandbox.close();
  }
}

function environmentFor(sandbox: Sandbox, stores: SimulatedStores): Readonly<Record<string, string>> {
  return {
    ...sandbox.environment,
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_CONFIG_FILE: join(tmpdir(), 'no-such-config'),
    AWS_SHARED_CREDENTIALS_FILE: join(tmpdir(), 'no-such-credentials'),
    AWS_ENDPOINT_URL_DYNAMODB: stores.tableEndpoint,
    AWS_ENDPOINT_URL_SQS: stores.queueEndpoint,
    ROLLCALL_TABLE: TABLE,
    ROLLCALL_QUEUE_URL: stores.queueUrl,
    ROLLCALL_DLQ_URL: stores.dlqUrl,
    ROLLCALL_EVENT_BUS: 'rollcall',
  };
}

interface Writes {
  made: number;
  marks: number;
}

/** Publication marks are counted separately, because they depend on when the outbox is emptied. */
function countWrites(stores: SimulatedStores): Writes {
  const writes: Writes = { made: 0, marks: 0 };
  stores.onStored = ({ operation, body }) => {
    if (operation === 'BatchWriteItem') writes.made += body.split('PutRequest').length - 1;
    else if (operation === 'PutItem') writes.made += 1;
    else if (operation === 'UpdateItem') writes[body.includes('SET published') ? 'marks' : 'made'] += 1;
    else if (operation === 'DeleteItem') writes.made += 1;
  };
  return writes;
}

const openOf = (accounts: Awaited<ReturnType<Sandbox['accounts']>>): number =>
  accounts.filter(({ state, computeOptimizer }) => state === 'ACTIVE' && computeOptimizer.status !== 'Active').length;

/** Samples until the simulated organization has no drift. */
async function watch(sandbox: Sandbox, writes: () => number): Promise<readonly Sample[]> {
  const samples: Sample[] = [];
  const end = performance.now() + LIMIT_MS;
  while (performance.now() < end) {
    let calls = 0;
    for (const [operation, { count }] of await sandbox.calls()) if (!UNPACED.has(operation)) calls += count;
    const [open, changes] = [openOf(await sandbox.accounts()), await sandbox.mutatingCalls()];
    samples.push({ at: performance.now(), open, calls, changes, writes: writes() });
    if (open === 0) return samples;
    await sleep(SAMPLE_INTERVAL_MS);
  }
  throw new Error(`after ${LIMIT_MS / 60_000} minutes ${samples.at(-1)?.open} accounts are not Active`);
}

async function ended(workers: readonly StartedTask<Served>[]): Promise<readonly Served[]> {
  for (const { process } of workers) process.kill('SIGTERM');
  return Promise.all(workers.map(({ answered }) => answered));
}

interface Load {
  readonly accounts: number;
  readonly toChange: number;
  readonly start: number;
  readonly samples: readonly Sample[];
  readonly done: readonly Served[];
  readonly duplicates: number;
  readonly writes: Writes;
}

function figuresOf({ accounts, toChange, start, samples, done, duplicates, writes }: Load): readonly Figure[] {
  // While all containers have enough work: from the first change until a twentieth is left.
  const begun = samples.find(({ changes }) => changes.count > 0);
  const steady = samples.filter(
    (sample) => begun !== undefined && sample.at >= begun.at && sample.open >= toChange / 20,
  );
  const [first, last, end] = [steady.at(0), steady.at(-1), samples.at(-1)];
  if (first === undefined || last === undefined || end === undefined || last.at <= first.at) {
    throw new Error('the run was over before it could be judged');
  }
  const seconds = (last.at - first.at) / 1000;
  const changed = first.open - last.open;
  const of = `${accounts} accounts, ${toChange} remediated by ${WORKERS} processes`;
  const peaks = done.map(({ peakMb }) => peakMb);
  return [
    figure({
      ...{ name: `seconds for ${of}`, unit: '× the bound', target: { atMost: 1.3 } },
      bound: `${end.calls} calls / ${BUDGET} a second = ${round(end.calls / BUDGET)} s`,
      runs: [(end.at - start) / 1000 / (end.calls / BUDGET)],
      detail: {
        seconds: round((end.at - start) / 1000),
        scanSeconds: done.flatMap(({ scanSeconds }) => scanSeconds ?? []).map(round),
        outcomes: done.map(({ outcomes }) => outcomes),
      },
    }),
    figure({
      ...{ name: `calls a second for ${of}`, unit: '× the budget', bound: `${BUDGET} calls/s together` },
      ...{ target: { atLeast: 0.9 }, runs: [(last.calls - first.calls) / seconds / BUDGET] },
      detail: { overSeconds: round(seconds), remediationsPerSecond: round(changed / seconds) },
    }),
    figure({
      ...{ name: `writes a remediation, ${of}`, unit: 'writes to the table', target: { atMost: 10 } },
      bound: '4 ledger entries, and a record after each',
      runs: [(last.writes - first.writes) / changed],
      detail: { whole: writes, note: 'without the marks of publishing, one an entry' },
    }),
    figure({
      ...{ name: `changes made twice, ${of}`, unit: 'calls', target: { atMost: 0 }, bound: '0', runs: [duplicates] },
    }),
    figure({
      ...{ name: `memory of each process, ${of}`, unit: 'MB resident, the largest peak', target: { atMost: 300 } },
      ...{ bound: '300 MB', runs: [Math.max(...peaks)], detail: { each: peaks.map(round) } },
    }),
  ];
}
