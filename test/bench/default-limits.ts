import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { build } from 'esbuild';
import * as z from 'zod';
import { CLI_BUNDLE } from '../../services/cli/package/bundle.ts';
import { path, runTask, startSandbox } from './child.ts';
import { type Figure, figure, median, NO_TARGET, round, type Target } from './figure.ts';
import { add, type Count, type Sandbox } from './sandbox.ts';
import { accountsOr, roundsOr } from './size.ts';
import { notEnrolled, watched } from './until-active.ts';
import { inDirectory } from './workbench.ts';

const ACCOUNTS = 300;
const ROUNDS = 3;
/** A round trip to a Region on another continent, ms. */
const LATENCY_MS = 80;
/** AWS publishes no quotas for these operations: a bucket per account and operation, and one for the changes of the organization, with bursts of twice the rate. */
const RATE = 20;
const ORG_RATE = 20;
const POOL = 32;
/** boto3's attempts per call in the retry modes `standard` and `legacy`, its default. */
const STANDARD_ATTEMPTS = 3;
const LEGACY_ATTEMPTS = 5;
/** The maximum number of passes of a failing script. */
const SCRIPT_RUNS = 20;

/** A policy that sets no limits, with a guardrail that does not trip. */
const POLICY = `version: 1
defaults: { computeOptimizer: Active }
guardrails: { maxChanges: { percent: 100, atLeast: 1 } }
`;

const scripted = z.object({ failedAfterEach: z.array(z.number()), errors: z.record(z.string(), z.number()) });

/** The result of one method. */
interface Outcome {
  /** From the start of the process until every account is enrolled. The scripts are repeated until then. */
  readonly seconds: number;
  /** To the end of the process. Only Rollcall confirms the changes. */
  readonly untilExit: number;
  /** Calls for the changes, in addition to those of the scan, for each account that was changed. */
  readonly callsPerChange: number;
  readonly calls: number;
  readonly throttled: number;
  /** Active accounts that are not enrolled at the end. */
  readonly leftWrong: number;
  /** Accounts that the first pass of a script did not enroll. */
  readonly leftByFirstPass: number | null;
  /** Calls and throttled answers by operation. */
  readonly operations: Readonly<Record<string, string>>;
}

interface Method {
  readonly name: string;
  readonly run: (sandbox: Sandbox) => Promise<Pick<Outcome, 'leftByFirstPass'>>;
}

/** Each method in turn enrolls all accounts of the same simulated organization, with its default settings. */
export function defaultLimits(): Promise<readonly Figure[]> {
  return inDirectory(async (directory) => {
    const main = await installed(directory);
    const loop = scriptOf('a sequential boto3 loop', 1, STANDARD_ATTEMPTS);
    const pool = scriptOf(`a boto3 pool of ${POOL} threads, retry mode standard`, POOL, STANDARD_ATTEMPTS);
    const patient = scriptOf(`a boto3 pool of ${POOL} threads, default retries`, POOL, LEGACY_ATTEMPTS);
    const ours: Method = { name: 'rollcall apply', run: (sandbox) => apply(main, sandbox) };
    const outcomes = new Map<Method, Outcome[]>([loop, pool, patient, ours].map((method) => [method, []]));
    for (let n = 0; n < roundsOr(ROUNDS); n += 1) {
      for (const [method, found] of outcomes) found.push(await measured(method));
    }
    const of = (method: Method): readonly Outcome[] => outcomes.get(method) ?? [];
    return [
      ...[...outcomes].map(([{ name }, found]) => secondsOf(name, found)),
      compared(of(ours), pool.name, of(pool), { atMost: 0.8 }),
      compared(of(ours), patient.name, of(patient), { atMost: 0.8 }),
      compared(of(ours), loop.name, of(loop), { atMost: 0.4 }),
      ...countsOf(of(ours)),
    ];
  });
}

/** A competent user repeats a script until it reports no failure. */
function scriptOf(name: string, lanes: number, boto3Attempts: number): Method {
  const input = { lanes, runs: SCRIPT_RUNS, boto3Attempts };
  const run = async (sandbox: Sandbox) => {
    const { failedAfterEach } = await runTask('by-script', input, scripted, sandbox);
    return { leftByFirstPass: failedAfterEach[0] ?? null };
  };
  return { name, run };
}

/** Bundles the CLI as the npm package has it. @returns its main module */
async function installed(directory: string): Promise<string> {
  const outdir = join(directory, 'bundle');
  await build({ ...CLI_BUNDLE, entryPoints: { main: path('../../services/cli/process.ts') }, outdir });
  await writeFile(join(outdir, 'package.json'), '{ "type": "module" }');
  return join(outdir, 'main.js');
}

function apply(main: string, sandbox: Sandbox): Promise<Pick<Outcome, 'leftByFirstPass'>> {
  return inDirectory(async (directory) => {
    const policy = join(directory, 'rollcall.yaml');
    await writeFile(policy, POLICY);
    const args = ['--data-dir', join(directory, 'data'), 'apply', '--policy', policy, '--yes'];
    const env = { ...process.env, ...sandbox.environment };
    const child = spawn(process.execPath, [main, ...args], {
      cwd: directory,
      env,
      stdio: 'ignore',
    });
    const [code] = await once(child, 'exit');
    if (code !== 0) throw new Error(`rollcall apply ended with exit code ${code}`);
    return { leftByFirstPass: null };
  });
}

async function measured({ run }: Method): Promise<Outcome> {
  const accounts = accountsOr(ACCOUNTS);
  const sandbox = await startSandbox({ accounts, drift: 1, latencyMs: LATENCY_MS, rate: RATE, orgRate: ORG_RATE });
  try {
    const start = performance.now();
    const { result, activeAt } = await watched(sandbox, run(sandbox));
    const untilExit = (performance.now() - start) / 1000;
    const seconds = activeAt === null ? untilExit : (activeAt - start) / 1000;
    const leftWrong = await notEnrolled(sandbox);
    const counts = await sandbox.calls();
    const callsPerChange = callsForChanges(counts, accounts) / accepted(counts.get('UpdateEnrollmentStatus'));
    let sum: Count = { count: 0, throttled: 0, failed: 0 };
    for (const each of counts.values()) sum = add(sum, each);
    const operations = Object.fromEntries(
      [...counts]
        .filter(([, { count }]) => count > 0)
        .map(([name, { count, throttled }]) => [name, `${count}, ${throttled} throttled`]),
    );
    const { count: calls, throttled } = sum;
    return { seconds, untilExit, callsPerChange, calls, throttled, leftWrong, ...result, operations };
  } finally {
    await sandbox.close();
  }
}

/** AWS's largest page of Compute Optimizer's listing. */
const PAGE_SIZE = 100;

const accepted = ({ count, throttled, failed }: Count = { count: 0, throttled: 0, failed: 0 }): number =>
  count - throttled - failed;

/** A throttled call is repeated, so only its last attempt counts. One listing belongs to the scan. */
function callsForChanges(counts: ReadonlyMap<string, Count>, accounts: number): number {
  const operations = [
    'AssumeRole',
    'GetEnrollmentStatus',
    'UpdateEnrollmentStatus',
    'GetEnrollmentStatusesForOrganization',
  ];
  const made = operations.reduce((sum, operation) => sum + accepted(counts.get(operation)), 0);
  return made - Math.ceil(accounts / PAGE_SIZE);
}

const world = (): string =>
  `${accountsOr(ACCOUNTS)} accounts, all Inactive; ${LATENCY_MS} ms an answer; ${RATE} calls/s of each account and operation, ${ORG_RATE} changes/s in all`;

const middle = (found: readonly Outcome[], of: (outcome: Outcome) => number): number => round(median(found.map(of)));

function secondsOf(name: string, found: readonly Outcome[]): Figure {
  return figure({
    ...{ name: `default limits, ${name}`, unit: 's', target: NO_TARGET, bound: world() },
    runs: found.map(({ seconds }) => seconds),
    detail: {
      calls: middle(found, ({ calls }) => calls),
      throttled: middle(found, ({ throttled }) => throttled),
      untilExit: middle(found, ({ untilExit }) => untilExit),
      outcomes: found,
    },
  });
}

function compared(ours: readonly Outcome[], name: string, theirs: readonly Outcome[], target: Target): Figure {
  return figure({
    ...{ name: `default limits, rollcall apply against ${name}: seconds`, unit: '× theirs', target },
    comparedTo: `${name}: ${middle(theirs, ({ seconds }) => seconds)} s`,
    runs: ours.map(({ seconds }, n) => seconds / (theirs[n]?.seconds ?? Number.NaN)),
  });
}

function countsOf(ours: readonly Outcome[]): readonly Figure[] {
  const name = 'default limits, rollcall apply';
  return [
    figure({
      ...{ name: `${name}: accounts left wrong`, unit: 'accounts', target: { atMost: 0 } },
      runs: ours.map(({ leftWrong }) => leftWrong),
    }),
    figure({
      ...{ name: `${name}: throttled answers`, unit: '% of calls', target: { atMost: 2 } },
      runs: ours.map(({ calls, throttled }) => (100 * throttled) / calls),
    }),
    figure({ ...{ name: `${name}: calls`, unit: 'calls', target: NO_TARGET }, runs: ours.map(({ calls }) => calls) }),
    figure({
      // Two calls an account, and two listings of a hundredth of the accounts.
      ...{ name: `${name}: calls for the changes`, unit: '× changed accounts', target: { atMost: 2.07 } },
      runs: ours.map(({ callsPerChange }) => callsPerChange),
    }),
  ];
}
