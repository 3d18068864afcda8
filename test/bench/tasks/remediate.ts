import * as z from 'zod';
import { apply } from '../../../shared/app/runtime/apply.ts';
import type { ApplyResult } from '../../../shared/app/runtime/conclude-run.ts';
import { answer, inDirectory, policyOf, taskInput, withApp } from '../workbench.ts';
import { bySdkOnly } from './sdk-only.ts';

/*
 * Remediates the same accounts alternately by Rollcall with a durable ledger and by the AWS SDK only, in one process, and reports the rate
 * of each. Before each round, the parent process makes them drift.
 */

const input = z.object({
  accountIds: z.array(z.string()),
  rounds: z.number(),
  concurrency: z.number(),
  endpoint: z.string(),
});
const { accountIds, rounds, concurrency, endpoint } = input.parse(taskInput());

async function driftAll(): Promise<void> {
  const changes = accountIds.map((accountId) => ({ accountId, enrollment: 'computeOptimizer', status: 'Inactive' }));
  const body = JSON.stringify({ changes });
  // Not kept alive: an idle connection would keep this process from ending.
  const response = await fetch(`${endpoint}/_sandbox/drift`, {
    method: 'POST',
    body,
    headers: { connection: 'close' },
  });
  if (!response.ok) throw new Error(await response.text());
}

/** The rate of one round, and the processor time of this process for it. */
interface Round {
  readonly perSecond: number;
  readonly cpuMs: number;
}

function stopwatch(): () => Round {
  const start = performance.now();
  const cpu = process.cpuUsage();
  return () => {
    const { user, system } = process.cpuUsage(cpu);
    const perSecond = (accountIds.length * 1000) / (performance.now() - start);
    return { perSecond, cpuMs: (user + system) / 1000 / accountIds.length };
  };
}

/** From the queued work to the end of the last account; the scan is a separate figure. */
async function byRollcall(): Promise<Round> {
  await driftAll();
  const policy = policyOf('defaults: { computeOptimizer: Active }', { callsPerSecond: 1_000_000, concurrency });
  return inDirectory((dataDir) =>
    withApp(dataDir, policy, async ({ deps, settings, retrying }, run) => {
      let stop = stopwatch();
      let round = stop();
      const result = await apply(deps, settings, retrying, run, {
        waitMs: 0,
        stop: new AbortController().signal,
        onProgress: ({ kind }) => {
          if (kind === 'queued') stop = stopwatch();
          if (kind === 'worked') round = stop();
        },
      });
      requireAll(result);
      return round;
    }),
  );
}

function requireAll({ changes, open }: ApplyResult): void {
  if (changes.succeeded === accountIds.length && open.length === 0) return;
  throw new Error(`not all was remediated: ${JSON.stringify({ changes, open: open.slice(0, 3) })}`);
}

async function bySdk(): Promise<Round> {
  await driftAll();
  const stop = stopwatch();
  await bySdkOnly(accountIds, concurrency);
  return stop();
}

const rollcall: Round[] = [];
const sdk: Round[] = [];
for (let round = 0; round <= rounds; round += 1) {
  const ours = await byRollcall();
  const theirs = await bySdk();
  // The first round warms up the compiler.
  if (round === 0) continue;
  rollcall.push(ours);
  sdk.push(theirs);
}
answer({ rollcall, sdk });
