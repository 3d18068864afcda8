import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import * as z from 'zod';
import { runTask, startSandbox } from './child.ts';
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
const SCAN_WAIT_MS = 120_000;

const CLI = fileURLToPath(new URL('../../services/cli/main.ts', import.meta.url));

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
  const daemon = await startDaemon(sandbox, directory);
  try {
    await driftAndScan(sandbox, daemon.url);
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

async function startDaemon(sandbox: Sandbox, directory: string) {
  const policy = join(directory, 'rollcall.yaml');
  writeFileSync(
    policy,
    [
      'version: 1',
      'defaults: { computeOptimizer: Active }',
      'guardrails: { maxChanges: { percent: 100, atLeast: 1 } }',
      `limits: { callsPerSecond: ${CALLS_PER_SECOND}, concurrency: 8 }`,
      '',
    ].join('\n'),
  );
  const args = ['serve', '--policy', policy, '--data-dir', join(directory, 'store'), '--port', '0'];
  const child = spawn(process.execPath, ['--max-semi-space-size=8', CLI, ...args], {
    env: { ...process.env, ...sandbox.environment },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const exited = once(child, 'exit');
  const said = watchText(child.stderr);
  await said.until('ended: ');
  const url = /(http:\S+\/)/.exec(said.text())?.[1];
  if (url === undefined) throw new Error(`the daemon did not say where it is: ${said.text()}`);
  return {
    url,
    async close() {
      child.kill('SIGTERM');
      await exited;
    },
  };
}

/** Collects the output of a stream and waits for text in it. */
function watchText(stream: Readable) {
  let text = '';
  stream.on('data', (part: Buffer) => {
    text += part.toString();
  });
  return {
    text: () => text,
    async until(what: string): Promise<void> {
      const signal = AbortSignal.timeout(SCAN_WAIT_MS);
      while (!text.includes(what)) {
        await Promise.race([once(stream, 'data', { signal }), once(stream, 'end', { signal })]);
        if (stream.readableEnded) throw new Error(`the daemon ended: ${text}`);
      }
    },
  };
}

/** Returns when remediation has started. */
async function driftAndScan(sandbox: Sandbox, url: string): Promise<void> {
  const members = (await sandbox.accounts()).filter(({ state, management }) => state === 'ACTIVE' && !management);
  const drifted = members.slice(0, Math.floor(members.length * DRIFTED)).map(({ accountId }) => accountId);
  await sandbox.drift(drifted, 'computeOptimizer');
  const asked = await fetch(`${url}api/scan`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{}',
  });
  if (!asked.ok) throw new Error(`no scan: ${await asked.text()}`);
  const end = performance.now() + SCAN_WAIT_MS;
  while ((await sandbox.mutatingCalls()).count < 100) {
    if (performance.now() > end) throw new Error('the daemon remediates nothing');
    await sleep(PROBE_MS);
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
