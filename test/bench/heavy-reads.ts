import { setTimeout as sleep } from 'node:timers/promises';
import * as z from 'zod';
import { runTask, startSandbox } from './child.ts';
import { driftAndScan, startDaemon } from './daemon.ts';
import { type Figure, figure, median, round } from './figure.ts';
import type { Sandbox } from './sandbox.ts';
import { accountsOr, roundsOr } from './size.ts';
import { elapsed, inDirectory } from './workbench.ts';

const ACCOUNTS = 5_000;
const CLIENTS = 60;
const ROUNDS = 3;
/** The duration of each measurement, alternately with and without the clients. */
const WINDOW_MS = 10_000;
/** The interval between two health checks. */
const PROBE_MS = 50;
const CALLS_PER_SECOND = 50;
/** Accounts that drift at the start: more than are remediated during the measurement. */
const DRIFTED = 0.6;

interface Window {
  readonly perSecond: number;
  readonly healthMs: readonly number[];
}

/** The effect of 60 clients with heavy reads on the daemon: health-check latency and remediation rate. */
export async function heavyReads(): Promise<readonly Figure[]> {
  const sandbox = await startSandbox({ accounts: accountsOr(ACCOUNTS), drift: 0 });
  try {
    return await inDirectory((directory) => measured(sandbox, directory));
  } finally {
    await sandbox.close();
  }
}

async function measured(sandbox: Sandbox, directory: string): Promise<readonly Figure[]> {
  const daemon = await startDaemon(sandbox, directory, CALLS_PER_SECOND);
  try {
    await driftAndScan(sandbox, daemon.url, DRIFTED);
    const quiet: Window[] = [];
    const busy: Window[] = [];
    const answers: Record<string, number>[] = [];
    for (let n = 0; n < roundsOr(ROUNDS); n += 1) {
      quiet.push(await watch(sandbox, daemon.url));
      const input = { url: daemon.url, clients: CLIENTS, forMs: WINDOW_MS + 1_000 };
      const clients = runTask('heavy-clients', input, z.record(z.string(), z.number()), null);
      // Gives the clients time to start.
      await sleep(1_000);
      busy.push(await watch(sandbox, daemon.url));
      answers.push(await clients);
    }
    return judge(quiet, busy, answers);
  } finally {
    await daemon.close();
  }
}

async function watch(sandbox: Sandbox, url: string): Promise<Window> {
  const healthMs: number[] = [];
  const before = await sandbox.mutatingCalls();
  const start = performance.now();
  while (elapsed(start) < WINDOW_MS) {
    const asked = performance.now();
    const response = await fetch(`${url}api/health`);
    if (!response.ok) throw new Error(`health is ${response.status}: ${await response.text()}`);
    await response.arrayBuffer();
    healthMs.push(elapsed(asked));
    await sleep(Math.max(0, PROBE_MS - elapsed(asked)));
  }
  const seconds = elapsed(start) / 1_000;
  const after = await sandbox.mutatingCalls();
  return { perSecond: (after.count - before.count) / seconds, healthMs };
}

function judge(
  quiet: readonly Window[],
  busy: readonly Window[],
  answers: readonly Readonly<Record<string, number>>[],
): readonly Figure[] {
  const clients = `${CLIENTS} clients that read everything of ${accountsOr(ACCOUNTS)} accounts`;
  const slowest = ({ healthMs }: Window): number => Math.max(...healthMs);
  const middle = (windows: readonly Window[]): number => round(median(windows.flatMap(({ healthMs }) => healthMs)));
  return [
    figure({
      name: `/api/health with ${clients}`,
      ...{ unit: 'ms, the slowest answer', target: { atMost: 250 }, runs: busy.map(slowest) },
      comparedTo: `without them: ${round(median(quiet.map(slowest)))}`,
      detail: { medianMs: { with: middle(busy), without: middle(quiet) }, answers },
    }),
    figure({
      name: `remediation with ${clients}`,
      ...{ unit: '× the rate without them', target: { atLeast: 0.9 } },
      runs: busy.map(({ perSecond }, n) => perSecond / (quiet[n]?.perSecond ?? Number.NaN)),
      bound: `limits.callsPerSecond: ${CALLS_PER_SECOND}`,
      comparedTo: `without them: ${round(median(quiet.map(({ perSecond }) => perSecond)))} changes/s`,
    }),
  ];
}
