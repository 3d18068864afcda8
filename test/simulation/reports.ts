import { spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import * as z from 'zod';
import { COMPILE_CACHE, NO_COMPILE_CACHE } from '../support/compile-cache.ts';
import { History } from './history.ts';
import { loadOtherVersion, OTHER_VERSION, type OtherVersion } from './other-version.ts';

const MAIN = fileURLToPath(new URL('./main.ts', import.meta.url));
/** The most histories that a process runs before it reports to its parent. */
const LARGEST_CHUNK = 100;

const reportSchema = z.object({
  seeds: z.number(),
  behaviours: z.array(z.string()),
  broken: z.array(z.object({ seed: z.number(), violations: z.array(z.string()) })),
  /** By history: how often it reached each rare state, and its calls as a measure of how long it takes. */
  rare: z.array(z.object({ seed: z.number(), calls: z.number(), counts: z.record(z.string(), z.number()) })),
  calls: z.number(),
  entries: z.number(),
  deaths: z.number(),
  virtualMs: z.number(),
});
/** What some histories did. */
export type Report = z.infer<typeof reportSchema>;

export const emptyReport = (): Report => {
  return { seeds: 0, behaviours: [], broken: [], rare: [], calls: 0, entries: 0, deaths: 0, virtualMs: 0 };
};

/** Runs histories in this process. */
export async function live(seeds: readonly number[], stopAtFirst: boolean): Promise<Report> {
  const report = emptyReport();
  const other = await otherVersion();
  for (const seed of seeds) {
    const {
      violations,
      behaviour,
      rare: counts,
      calls,
      entries,
      deaths,
      virtualMs,
    } = await new History(seed, false, other).live();
    const broken = violations.length === 0 ? [] : [{ seed, violations: violations.slice(0, 5) }];
    const rare = [{ seed, calls, counts }];
    addReport(report, { seeds: 1, behaviours: [behaviour], broken, rare, calls, entries, deaths, virtualMs });
    if (stopAtFirst && violations.length > 0) break;
  }
  return report;
}

/** The version that half of the processes have; `null`: all have this one. */
export async function otherVersion(): Promise<OtherVersion | null> {
  const root = process.env[OTHER_VERSION];
  return root === undefined ? null : loadOtherVersion(root);
}

/** Adds `more` to `sum`. */
export function addReport(sum: Report, more: Report): void {
  for (const name of ['seeds', 'calls', 'entries', 'deaths', 'virtualMs'] as const) sum[name] += more[name];
  sum.behaviours.push(...more.behaviours);
  sum.broken.push(...more.broken);
  sum.rare.push(...more.rare);
}

/** Runs histories in a separate process. @param fault the name of a deliberate fault, or `null` */
export async function inChild(seeds: readonly number[], fault: string | null): Promise<Report> {
  const preload = fault === null ? [] : ['--import', fileURLToPath(new URL('./with-fault.ts', import.meta.url))];
  const child = spawn(process.execPath, [...preload, MAIN, '--chunk', seeds.join(',')], {
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
  if (code !== 0) throw new Error(`seeds ${seeds[0]} to ${seeds.at(-1)} ended with ${code}: ${err.slice(-2_000)}`);
  return reportSchema.parse(JSON.parse(out));
}

/** Prints the broken histories. */
export function say(report: Report): void {
  for (const { seed, violations } of report.broken) {
    process.stdout.write(`seed ${seed}: ${violations.join(' · ')}\n  again: npm run simulate -- --seed ${seed}\n`);
  }
}

/** Runs many histories on all cores, and passes each report on with its first seed. */
export function inParallel(seeds: readonly number[], use: (report: Report, first: number) => void): Promise<void> {
  const size = Math.max(1, Math.min(LARGEST_CHUNK, Math.ceil(seeds.length / availableParallelism())));
  const chunks = Array.from({ length: Math.ceil(seeds.length / size) }, (_, n) =>
    seeds.slice(n * size, (n + 1) * size),
  );
  return onAllCores(chunks, async (chunk) => use(await inChild(chunk, null), chunk[0] ?? 0));
}

export function seedsFrom(from: number, count: number): readonly number[] {
  return Array.from({ length: count }, (_, n) => from + n);
}

/** Calls `work` for each item, as many at a time as there are cores. */
export async function onAllCores<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const waiting = items.values();
  const lane = async (): Promise<void> => {
    for (const item of waiting) await work(item);
  };
  await Promise.all(Array.from({ length: availableParallelism() }, lane));
}
