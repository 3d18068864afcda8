import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { CLI_BUNDLE } from '../../services/cli/package/bundle.ts';
import { embedDashboard } from '../../services/dashboard/embed.ts';
import { type Figure, figure, median, round } from './figure.ts';
import { inDirectory } from './workbench.ts';

const MAIN = fileURLToPath(new URL('../../services/cli/main.ts', import.meta.url));
const PACKAGED = fileURLToPath(new URL('../../services/cli/process.ts', import.meta.url));
const RUNS = 7;

/** Runs a module to its end. @returns the duration, ms */
async function timed(cwd: string, module: string, ...args: readonly string[]): Promise<number> {
  const start = performance.now();
  const child = spawn(process.execPath, [module, ...args], { cwd, stdio: 'ignore' });
  const [code] = await once(child, 'exit');
  const ms = performance.now() - start;
  if (code !== 0) throw new Error(`${args.join(' ')} ended with exit code ${code}`);
  return ms;
}

interface Form {
  readonly name: string;
  readonly main: string;
  /** The time that Node takes for an empty file of the same kind. */
  readonly empty: string;
}

/** The start-up time of a command that does nothing: from the sources, as in a checkout, and from the bundle, as installed. */
export function startUp(): Promise<readonly Figure[]> {
  return inDirectory(async (directory) => {
    const policy = join(directory, 'rollcall.yaml');
    await writeFile(policy, 'version: 1\ndefaults: { computeOptimizer: Active }\n');
    const commands = { '--help': ['--help'], 'policy validate': ['policy', 'validate', '--policy', policy] };
    const outdir = join(directory, 'bundle');
    await build({ ...CLI_BUNDLE, entryPoints: { main: PACKAGED }, outdir, plugins: [embedDashboard] });
    await writeFile(join(outdir, 'package.json'), '{ "type": "module" }');
    const forms: Form[] = [
      { name: 'from a checkout', main: MAIN, empty: join(directory, 'empty.ts') },
      { name: 'installed', main: join(outdir, 'main.js'), empty: join(directory, 'empty.mjs') },
    ];
    const figures: Figure[] = [];
    for (const form of forms) figures.push(...(await ofForm(directory, form, commands)));
    return figures;
  });
}

async function ofForm(
  directory: string,
  { name, main, empty }: Form,
  commands: Readonly<Record<string, readonly string[]>>,
): Promise<readonly Figure[]> {
  await writeFile(empty, 'export const nothing = null;\n');
  const bare: number[] = [];
  const ours = new Map<string, number[]>();
  // The first start of a checkout fills its cache of compiled sources.
  for (const args of Object.values(commands)) await timed(directory, main, ...args);
  for (let run = 0; run < RUNS; run += 1) {
    bare.push(await timed(directory, empty));
    for (const [command, args] of Object.entries(commands)) {
      ours.set(command, [...(ours.get(command) ?? []), await timed(directory, main, ...args)]);
    }
  }
  return [...ours].map(([command, ms]) =>
    figure({
      name: `start-up, rollcall ${command}, ${name}`,
      ...{ unit: '× an empty file', target: { atMost: 5 } },
      comparedTo: `node with an empty file of the same kind: ${round(median(bare))} ms`,
      runs: ms.map((each, n) => each / (bare[n] ?? Number.NaN)),
      detail: { ms: ms.map(round) },
    }),
  );
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
