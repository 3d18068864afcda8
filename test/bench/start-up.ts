import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Figure, figure, median, round } from './figure.ts';
import { inDirectory } from './workbench.ts';

const MAIN = fileURLToPath(new URL('../../services/cli/main.ts', import.meta.url));
const RUNS = 7;

/** Runs a module to its end; how long that took, ms. */
async function timed(cwd: string, module: string, ...args: readonly string[]): Promise<number> {
  const start = performance.now();
  const child = spawn(process.execPath, [module, ...args], { cwd, stdio: 'ignore' });
  const [code] = await once(child, 'exit');
  const ms = performance.now() - start;
  if (code !== 0) throw new Error(`${args.join(' ')} ended with exit code ${code}`);
  return ms;
}

/** What a command costs that does nothing: from the sources, as in a checkout. */
export function startUp(): Promise<readonly Figure[]> {
  return inDirectory(async (directory) => {
    const empty = join(directory, 'empty.ts');
    await writeFile(empty, 'export const nothing: null = null;\n');
    const policy = join(directory, 'rollcall.yaml');
    await writeFile(policy, 'version: 1\ndefaults: { computeOptimizer: Active }\n');
    const commands = { '--help': ['--help'], 'policy validate': ['policy', 'validate', '--policy', policy] };
    const bare: number[] = [];
    const ours = new Map<string, number[]>();
    for (let run = 0; run < RUNS; run += 1) {
      bare.push(await timed(directory, empty));
      for (const [name, args] of Object.entries(commands)) {
        ours.set(name, [...(ours.get(name) ?? []), await timed(directory, MAIN, ...args)]);
      }
    }
    return [...ours].map(([name, ms]) =>
      figure({
        name: `start-up, rollcall ${name}`,
        ...{ unit: '× an empty TypeScript file', target: { atMost: 5 } },
        comparedTo: `node with an empty TypeScript file: ${round(median(bare))} ms`,
        runs: ms.map((each, n) => each / (bare[n] ?? Number.NaN)),
        detail: { ms: ms.map(round) },
      }),
    );
  });
}

/** `npm start -- --once`: from the command to its end, sandbox, scan, work and summary. */
export function demo(): Promise<readonly Figure[]> {
  return inDirectory(async (directory) => {
    const seconds = (await timed(directory, MAIN, 'demo', '--once')) / 1000;
    return [
      figure({
        name: 'demo',
        ...{ unit: 's', target: { atMost: 40 }, runs: [seconds] },
        bound: 'the throttling of its pretend organization',
      }),
    ];
  });
}
