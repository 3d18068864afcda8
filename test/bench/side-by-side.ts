import * as z from 'zod';
import { runTask, startSandbox } from './child.ts';
import { type Figure, figure, median, NO_TARGET, round, type Target } from './figure.ts';
import { add, type Count, type Sandbox } from './sandbox.ts';
import { accountsOr, roundsOr } from './size.ts';
import { applied } from './throttled.ts';
import { watched } from './until-active.ts';

const ACCOUNTS = 500;
const ROUNDS = 3;
/** A round trip to a Region on another continent, ms. */
const LATENCY_MS = 80;
/** AWS publishes no quotas for these operations. Like most of its services: a bucket per account and operation, with bursts of twice the rate. */
const RATE = 20;
const ORG_RATE = 20;
/** The maximum number of runs of a failing script. */
const SCRIPT_RUNS = 100;

const scripted = z.object({ failedAfterEach: z.array(z.number()), errors: z.record(z.string(), z.number()) });

/** The result of one method. */
interface Outcome {
  /** The time from the start of the process until every account is Active in the sandbox. */
  readonly seconds: number;
  readonly calls: number;
  readonly throttled: number;
  /** Accounts that the first run did not change. */
  readonly leftBehind: number;
  readonly runs: number;
}

interface Method {
  readonly name: string;
  readonly rounds: number;
  readonly run: (sandbox: Sandbox) => Promise<Pick<Outcome, 'leftBehind' | 'runs'>>;
}

async function byScript(sandbox: Sandbox, lanes: number | null): Promise<Pick<Outcome, 'leftBehind' | 'runs'>> {
  const input = { lanes, runs: SCRIPT_RUNS, boto3Attempts: null };
  const { failedAfterEach } = await runTask('by-script', input, scripted, sandbox);
  return { leftBehind: failedAfterEach[0] ?? 0, runs: failedAfterEach.length };
}

async function byRollcall(sandbox: Sandbox, callsPerSecond: number, concurrency: number) {
  const { open } = await runTask('apply', { callsPerSecond, concurrency }, applied, sandbox);
  return { leftBehind: open.length, runs: 1 };
}

/** Each method in turn adopts all accounts of the same simulated organization. */
export async function sideBySide(): Promise<readonly Figure[]> {
  const rounds = roundsOr(ROUNDS);
  const loop: Method = { name: 'a sequential SDK loop', rounds, run: (at) => byScript(at, 1) };
  const all: Method = { name: 'SDK paginator and Promise.all', rounds, run: (at) => byScript(at, null) };
  const ours: Method = { name: 'rollcall apply', rounds, run: (at) => byRollcall(at, 500, 16) };
  const outcomes = new Map<Method, Outcome[]>([loop, all, ours].map((method) => [method, []]));
  for (let round = 0; round < rounds; round += 1) {
    for (const [method, found] of outcomes) if (round < method.rounds) found.push(await measured(method));
  }
  const of = (method: Method): readonly Outcome[] => outcomes.get(method) ?? [];
  return [
    ...[...outcomes.keys()].map((method) => absoluteFigure(method, of(method))),
    ...[loop, all].flatMap((method) => compared(of(ours), method, of(method))),
  ];
}

async function measured({ name, run }: Method): Promise<Outcome> {
  const accounts = accountsOr(ACCOUNTS);
  const sandbox = await startSandbox({ accounts, drift: 1, latencyMs: LATENCY_MS, rate: RATE, orgRate: ORG_RATE });
  try {
    const start = performance.now();
    const { result, activeAt: at } = await watched(sandbox, run(sandbox));
    const { leftBehind, runs } = result;
    if (at === null) throw new Error(`${name} ended while accounts were not Active`);
    let sum: Count = { count: 0, throttled: 0, failed: 0 };
    for (const each of (await sandbox.calls()).values()) sum = add(sum, each);
    return { seconds: (at - start) / 1000, calls: sum.count, throttled: sum.throttled, leftBehind, runs };
  } finally {
    await sandbox.close();
  }
}

const world = (): string =>
  `${accountsOr(ACCOUNTS)} accounts, all Inactive; ${LATENCY_MS} ms an answer; ${RATE} calls/s of each account and operation, ${ORG_RATE} changes/s in all`;

function absoluteFigure({ name }: Method, found: readonly Outcome[]): Figure {
  const middle = (of: (outcome: Outcome) => number): number => round(median(found.map(of)));
  return figure({
    ...{ name: `adoption by ${name}`, unit: 's until every account is Active', target: NO_TARGET, bound: world() },
    runs: found.map(({ seconds }) => seconds),
    detail: {
      calls: middle(({ calls }) => calls),
      throttled: middle(({ throttled }) => throttled),
      leftBehindByFirstRun: middle(({ leftBehind }) => leftBehind),
      timesRun: middle(({ runs }) => runs),
      outcomes: found,
    },
  });
}

function compared(ours: readonly Outcome[], { name }: Method, theirs: readonly Outcome[]): Figure[] {
  const ratio = (what: string, of: (outcome: Outcome) => number, target: Target | null): Figure =>
    figure({
      ...{ name: `adoption, rollcall apply against ${name}: ${what}`, unit: '× theirs', target },
      comparedTo: `${name}: ${round(median(theirs.map(of)))}`,
      runs: ours.map((each, n) => ratioOf(of(each), of(theirs[n] ?? each))),
    });
  return [
    ratio('seconds', ({ seconds }) => seconds, { atMost: 1 }),
    ratio('throttled answers', ({ throttled }) => throttled, { atMost: 1 }),
    // An account is read before and after a change: four calls, compared with two of a script that does not verify.
    ratio('calls', ({ calls }) => calls, NO_TARGET),
  ];
}

/** The ratio of two counts: if theirs is 0, our count itself; 1 if both are 0. */
function ratioOf(ours: number, theirs: number): number {
  if (theirs === 0) return ours === 0 ? 1 : ours;
  return ours / theirs;
}
