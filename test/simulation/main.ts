import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { corpus, renewCorpus, tableOf } from './corpus.ts';
import type { Fault } from './fault.ts';
import { FAULTS } from './faults.ts';
import { History } from './history.ts';
import {
  addReport,
  emptyReport,
  inChild,
  inParallel,
  live,
  onAllCores,
  otherVersion,
  say,
  seedsFrom,
} from './reports.ts';
import { LAST_VERSION, withVersion } from './two-versions.ts';

/*
 * npm run simulate -- --seeds N [--from SEED]   runs N histories (default 100 from 1) on all cores; lists those that broke an invariant and how
 *                                               often each rare state was reached, and prints the trace of the first broken one
 *                     --seed S                  runs one and prints its trace
 *                     --traces [--seeds N]      runs the stored histories again (default 200), and lists those that
 *                                               behave differently or broke an invariant
 *                     --traces --renew          stores their current behaviour
 *                     --corpus                  runs the histories kept for the rare states, and lists the states that none of them reaches
 *                     --two-versions COMMIT     runs N histories in which half of the processes are of the version of that commit, in this clone's
 *                                               git history: 26e6caca or later; `last` is the last version
 *                     --corpus --renew          chooses them again among N histories (--seeds N, default 2,000)
 *                     --faults [--fault NAME]   runs histories with a deliberate fault until one notices it
 */

/** The stored behaviour of the first histories. */
const TRACES = fileURLToPath(new URL('../golden/traces.txt', import.meta.url));
const STORED_TRACES = 200;
/** The histories among which the corpus is chosen. */
const CORPUS_SEEDS = 2_000;
/** Small chunks with a fault, because the first history that notices it is enough. */
const CHUNK = 25;
/** A fault counts as not noticed after this many histories. */
const SEEDS_PER_FAULT = 2_000;

async function many(from: number, count: number): Promise<number> {
  const start = performance.now();
  const sum = emptyReport();
  await inParallel(seedsFrom(from, count), (report) => {
    say(report);
    addReport(sum, report);
  });
  const seconds = Math.round((performance.now() - start) / 100) / 10;
  const { behaviours: _, broken, rare, ...counts } = sum;
  process.stdout.write(tableOf(rare));
  process.stdout.write(`${JSON.stringify({ ...counts, broken: broken.length, seconds })}\n`);
  const [first] = broken.toSorted((a, b) => a.seed - b.seed);
  // Only the first is printed in full; the others can be run again individually.
  return first === undefined ? 0 : one(first.seed);
}

/** Compares the behaviour of the first histories with the stored hashes, one per line. `renew` stores it. */
async function traces(count: number, renew: boolean): Promise<number> {
  const now: string[] = [];
  let broken = 0;
  await inParallel(seedsFrom(1, count), (report, first) => {
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
    const report = await inChild(seedsFrom(from, CHUNK), name);
    const [first] = report.broken;
    lived += report.seeds;
    if (first === undefined) continue;
    if ((await inChild([first.seed], null)).broken.length > 0)
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
  let found = 0;
  let missed = 0;
  const look = async (fault: Fault): Promise<void> => {
    if (await noticed(fault)) found += 1;
    else missed += 1;
  };
  const forTwo = wanted.filter(({ twoVersions: two }) => two === true);
  await onAllCores(
    wanted.filter((fault) => !forTwo.includes(fault)),
    look,
  );
  if (forTwo.length > 0) await twoVersions(LAST_VERSION, () => onAllCores(forTwo, look).then(() => 0));
  process.stdout.write(`${JSON.stringify({ faults: wanted.length, noticed: found })}\n`);
  return missed > 0 ? 1 : 0;
}

/** @param commit the version that shares the stores with this one */
async function twoVersions(commit: string, run: () => Promise<number>): Promise<number> {
  const code = await withVersion(commit, run);
  if (code === null)
    process.stdout.write(`commit ${commit} is not in this clone, so there is no other version to run\n`);
  return code ?? 0;
}

async function one(seed: number): Promise<number> {
  const { trace, violations } = await new History(seed, true, await otherVersion()).live();
  for (const line of trace) process.stdout.write(`${line}\n`);
  for (const violation of violations) process.stdout.write(`VIOLATION ${violation}\n`);
  return violations.length > 0 ? 1 : 0;
}

async function main(): Promise<number> {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean' } as const;
  const { values } = parseArgs({
    options: {
      ...{ seeds: text, from: text, seed: text, chunk: text, fault: text, 'two-versions': text },
      ...{ faults: flag, traces: flag, corpus: flag, renew: flag },
    },
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
    const seeds = values.chunk.split(',').map((seed) => number(seed, 1));
    process.stdout.write(JSON.stringify(await live(seeds, stopAtFirst)));
    return 0;
  }
  if (values.traces === true) return traces(number(values.seeds, STORED_TRACES), values.renew === true);
  if (values.corpus === true) {
    return values.renew === true ? renewCorpus(number(values.seeds, CORPUS_SEEDS)) : corpus();
  }
  if (values.faults === true || values.fault !== undefined) return faults(values.fault);
  const { seed, 'two-versions': version } = values;
  const run = (): Promise<number> =>
    seed === undefined ? many(number(values.from, 1), number(values.seeds, 100)) : one(number(seed, 1));
  return version === undefined ? run() : twoVersions(version === 'last' ? LAST_VERSION : version, run);
}

process.exitCode = await main();
