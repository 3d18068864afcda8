import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import * as z from 'zod';
import { COMPILE_CACHE, NO_COMPILE_CACHE } from '../support/compile-cache.ts';
import type { Fault } from './fault.ts';
import { FAULTS } from './faults.ts';
import { History } from './history.ts';

/*
 * npm run simulate -- --seeds N [--from SEED]   runs N histories (default 100 from 1) on all cores; lists those that broke an invariant, and
 *                                               prints the trace of the first
 *                     --seed S                  runs one and prints its trace
 *                     --traces [--seeds N]      runs the stored histories again (default 200), and lists those that
 *                                               behave differently or broke an invariant
 *                     --traces --renew          stores their current behaviour
 *                     --faults [--fault NAME]   runs histories with a deliberate fault until one notices it
 */

const HERE = fileURLToPath(import.meta.url);
/** The stored behaviour of the first histories. */
const TRACES = fileURLToPath(new URL('../golden/traces.txt', import.meta.url));
const STORED_TRACES = 200;
/** The most histories that a process runs before it reports to its parent. */
const LARGEST_CHUNK = 100;
/** Smaller chunks with a fault, because the first history that notices it is enough. */
const CHUNK = 25;
/** A fault counts as not noticed after this many histories. */
const SEEDS_PER_FAULT = 2_000;

const reportSchema = z.object({
  seeds: z.number(),
  behaviours: z.array(z.string()),
  broken: z.array(z.object({ seed: z.number(), violations: z.array(z.string()) })),
  calls: z.number(),
  entries: z.number(),
  deaths: z.number(),
  virtualMs: z.number(),
});
type Report = z.infer<typeof reportSchema>;

async function live(from: number, count: number, stopAtFirst: boolean): Promise<Report> {
  const report: Report = { seeds: 0, behaviours: [], broken: [], calls: 0, entries: 0, deaths: 0, virtualMs: 0 };
  for (let seed = from; seed < from + count; seed += 1) {
    const { violations, behaviour, calls, entries, deaths, virtualMs } = await new History(seed, false).live();
    report.seeds += 1;
    report.behaviours.push(behaviour);
    for (const [name, value] of Object.entries({ calls, entries, deaths, virtualMs } as const))
      add(report, name, value);
    if (violations.length > 0) report.broken.push({ seed, violations: violations.slice(0, 5) });
    if (stopAtFirst && violations.length > 0) break;
  }
  return report;
}

function add(report: Report, name: string, value: number): void {
  if (name === 'calls' || name === 'entries' || name === 'deaths' || name === 'virtualMs') report[name] += value;
}

/** Runs histories in a separate process. */
async function inChild(from: number, count: number, fault: string | null): Promise<Report> {
  const preload = fault === null ? [] : ['--import', fileURLToPath(new URL('./with-fault.ts', import.meta.url))];
  const child = spawn(process.execPath, [...preload, HERE, '--chunk', String(count), '--from', String(from)], {
    // Sources with a fault must not enter the compile cache.
    env: {
      ...process.env,
      ...(fault === null ? COMPILE_CACHE : { ...NO_COMPILE_CACHE, ROLLCALL_SIMULATED_FAULT: fault }),
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let out = '';
  let err = '';
  child.stdout.on('data', (data: Buffer) => {
    out += data.toString();
  });
  child.stderr.on('data', (data: Buffer) => {
    err += data.toString();
  });
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  if (code !== 0) throw new Error(`seeds ${from} to ${from + count - 1} ended with ${code}: ${err.slice(-2_000)}`);
  return reportSchema.parse(JSON.parse(out));
}

function say(report: Report): void {
  for (const { seed, violations } of report.broken) {
    process.stdout.write(`seed ${seed}: ${violations.join(' · ')}\n  again: npm run simulate -- --seed ${seed}\n`);
  }
}

/** Runs many histories on all cores, and passes each report on with its first seed. */
async function inParallel(from: number, count: number, use: (report: Report, first: number) => void): Promise<void> {
  let next = from;
  const lanes = availableParallelism();
  const size = Math.max(1, Math.min(LARGEST_CHUNK, Math.ceil(count / lanes)));
  const lane = async (): Promise<void> => {
    while (next < from + count) {
      const first = next;
      next += size;
      use(await inChild(first, Math.min(size, from + count - first), null), first);
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
}

async function many(from: number, count: number): Promise<number> {
  const start = performance.now();
  const sum: Report = { seeds: 0, behaviours: [], broken: [], calls: 0, entries: 0, deaths: 0, virtualMs: 0 };
  await inParallel(from, count, (report) => {
    say(report);
    sum.seeds += report.seeds;
    sum.broken.push(...report.broken);
    for (const name of ['calls', 'entries', 'deaths', 'virtualMs'] as const) add(sum, name, report[name]);
  });
  const seconds = Math.round((performance.now() - start) / 100) / 10;
  const { behaviours: _, broken, ...counts } = sum;
  process.stdout.write(`${JSON.stringify({ ...counts, broken: broken.length, seconds })}\n`);
  const [first] = broken.toSorted((a, b) => a.seed - b.seed);
  // Only the first is printed in full; the others can be run again individually.
  return first === undefined ? 0 : one(first.seed);
}

/** Compares the behaviour of the first histories with the stored hashes, one per line. `renew` stores it. */
async function traces(count: number, renew: boolean): Promise<number> {
  const now: string[] = [];
  let broken = 0;
  await inParallel(1, count, (report, first) => {
    say(report);
    broken += report.broken.length;
    for (const [index, behaviour] of report.behaviours.entries()) now[first - 1 + index] = behaviour;
  });
  if (renew) writeFileSync(TRACES, `${now.join('\n')}\n`);
  const stored = readFileSync(TRACES, 'utf8').trimEnd().split('\n');
  if (stored.length < count) throw new Error(`${stored.length} traces are stored, not ${count}`);
  const different = now.flatMap((behaviour, index) => (behaviour === stored[index] ? [] : [index + 1]));
  process.stdout.write(`${JSON.stringify({ traces: count, different, broken })}\n`);
  return different.length + broken > 0 ? 1 : 0;
}

/** @returns whether a history noticed the fault. Without the fault that history must pass. */
async function noticed({ name, breaks }: Fault): Promise<boolean> {
  let lived = 0;
  for (let from = 1; from <= SEEDS_PER_FAULT; from += CHUNK) {
    const report = await inChild(from, CHUNK, name);
    const [first] = report.broken;
    lived += report.seeds;
    if (first === undefined) continue;
    if ((await inChild(first.seed, 1, null)).broken.length > 0)
      throw new Error(`seed ${first.seed} breaks an invariant without any fault: fix that first`);
    process.stdout.write(`${name}: noticed by seed ${first.seed} (${first.violations[0]})\n`);
    return true;
  }
  process.stdout.write(`${name}: NOT NOTICED by ${lived} histories; it would be ${breaks}\n`);
  return false;
}

async function faults(only: string | undefined): Promise<number> {
  const wanted = FAULTS.filter(({ name }) => only === undefined || name === only);
  if (wanted.length === 0)
    throw new Error(`there is no fault ${only}; there are ${FAULTS.map(({ name }) => name).join(', ')}`);
  const waiting = wanted.values();
  let missed = 0;
  const lane = async (): Promise<void> => {
    for (const fault of waiting) if (!(await noticed(fault))) missed += 1;
  };
  await Promise.all(Array.from({ length: availableParallelism() }, lane));
  process.stdout.write(`${JSON.stringify({ faults: wanted.length, noticed: wanted.length - missed })}\n`);
  return missed > 0 ? 1 : 0;
}

async function one(seed: number): Promise<number> {
  const { trace, violations } = await new History(seed, true).live();
  for (const line of trace) process.stdout.write(`${line}\n`);
  for (const violation of violations) process.stdout.write(`VIOLATION ${violation}\n`);
  return violations.length > 0 ? 1 : 0;
}

async function main(): Promise<number> {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean' } as const;
  const { values } = parseArgs({
    options: { seeds: text, from: text, seed: text, chunk: text, fault: text, faults: flag, traces: flag, renew: flag },
  });
  const number = (value: string | undefined, fallback: number): number => {
    const parsed = value === undefined ? fallback : Number(value);
    if (!Number.isInteger(parsed) || parsed < 0) throw new Error(`${value} is not a whole number`);
    return parsed;
  };
  // Aborted waits create thousands of exceptions whose stacks are not read.
  Error.stackTraceLimit = values.seed === undefined ? 2 : 20;
  if (values.chunk !== undefined) {
    const stopAtFirst = process.env['ROLLCALL_SIMULATED_FAULT'] !== undefined;
    process.stdout.write(JSON.stringify(await live(number(values.from, 1), number(values.chunk, 1), stopAtFirst)));
    return 0;
  }
  if (values.seed !== undefined) return one(number(values.seed, 1));
  if (values.traces === true) return traces(number(values.seeds, STORED_TRACES), values.renew === true);
  if (values.faults === true || values.fault !== undefined) return faults(values.fault);
  return many(number(values.from, 1), number(values.seeds, 100));
}

process.exitCode = await main();
