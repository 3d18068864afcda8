import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleCli } from '../../services/cli/package/bundle.ts';
import { type Figure, figure, median, round } from './figure.ts';
import { inDirectory } from './workbench.ts';

const CLI = fileURLToPath(new URL('../../services/cli', import.meta.url));
const MAIN = join(CLI, 'main.mjs');
const RUNS = 15;

/** Runs a module to its end. @returns the duration, ms */
async function timed(cwd: string, module: string, ...args: readonly string[]): Promise<number> {
  const start = performance.now();
  const child = spawn(process.execPath, [module, ...args], { cwd, stdio: 'ignore' });
  const [code] = await once(child, 'exit');
  const ms = performance.now() - start;
  if (code !== 0) throw new Error(`${args.join(' ')} ended with exit code ${code}`);
  return ms;
}

interface Command {
  readonly name: string;
  readonly args: readonly string[];
  /** The maximum for the installed command, as a multiple of an empty file. */
  readonly atMost: number;
}

/** The times of one command, ms, one per round. */
interface Times {
  readonly empty: number[];
  readonly installed: number[];
  readonly checkout: number[];
}

/**
 * The start-up time of commands that do little: installed, against an empty file, and from a checkout, against installed. Both forms have filled
 * their caches of compiled code. The measurements alternate, so that other work on the machine affects all of them.
 */
export function startUp(): Promise<readonly Figure[]> {
  return inDirectory(async (directory) => {
    const policy = join(directory, 'rollcall.yaml');
    await writeFile(policy, 'version: 1\ndefaults: { computeOptimizer: Active }\n');
    const commands: Command[] = [
      { name: '--help', args: ['--help'], atMost: 3 },
      { name: 'policy validate', args: ['policy', 'validate', '--policy', policy], atMost: 4 },
    ];
    const installed = await install(join(directory, 'package'));
    const empty = join(directory, 'empty.mjs');
    await writeFile(empty, 'export const nothing = null;\n');
    const figures: Figure[] = [];
    for (const command of commands) {
      const run = (file: string) => timed(directory, file, ...command.args);
      await run(installed);
      await run(MAIN);
      const times: Times = { empty: [], installed: [], checkout: [] };
      for (let round = 0; round < RUNS; round += 1) {
        times.empty.push(await timed(directory, empty));
        times.installed.push(await run(installed));
        times.checkout.push(await run(MAIN));
      }
      figures.push(...figuresOf(command, times));
    }
    return figures;
  });
}

/** Makes the files of the npm package that a start needs. @returns the entry point */
async function install(directory: string): Promise<string> {
  await bundleCli(join(directory, 'cli'));
  await writeFile(join(directory, 'package.json'), '{ "type": "module" }');
  await cp(join(CLI, 'bin.mjs'), join(directory, 'bin.mjs'));
  return join(directory, 'bin.mjs');
}

function figuresOf({ name, atMost }: Command, { empty, installed, checkout }: Times): readonly Figure[] {
  const ratios = (times: readonly number[], bases: readonly number[]) =>
    times.map((ms, n) => ms / (bases[n] ?? Number.NaN));
  return [
    figure({
      name: `start-up, rollcall ${name}, installed`,
      ...{ unit: '× an empty file', target: { atMost } },
      comparedTo: `node with an empty file: ${round(median(empty))} ms`,
      runs: ratios(installed, empty),
      detail: { ms: installed.map(round) },
    }),
    figure({
      name: `start-up, rollcall ${name}, from a checkout`,
      ...{ unit: '× installed', target: { atMost: 2 } },
      comparedTo: `the same command, installed: ${round(median(installed))} ms`,
      runs: ratios(checkout, installed),
      detail: { ms: checkout.map(round) },
    }),
  ];
}

/** `npm start -- --once`: from the command to its end, sandbox, scan, work and summary. */
export function demo(): Promise<readonly Figure[]> {
  return inDirectory(async (directory) => {
    const seconds = (await timed(directory, MAIN, 'demo', '--once')) / 1000;
    return [
      figure({
        name: 'demo',
        ...{ unit: 's', target: { atMost: 40 }, runs: [seconds] },
        bound: 'the throttling of its simulated organization',
      }),
    ];
  });
}
