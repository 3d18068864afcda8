import { spawnSync } from 'node:child_process';
import { join, resolve } from 'node:path';
import { build } from 'esbuild';
import { lambdaBundle } from '../support/lambda-bundle.ts';
import { type Figure, figure, median } from './figure.ts';
import { inDirectory } from './workbench.ts';

const root = resolve(import.meta.dirname, '../..');
const FUNCTIONS = ['tick', 'scanner', 'worker', 'reactor', 'api'] as const;
const RUNS = 5;

/**
 * The time a new process takes to import a handler as deployed, compared with the same handler from its sources and node_modules:
 * the delay of a cold start.
 */
export async function coldStart(): Promise<readonly Figure[]> {
  return inDirectory(async (directory) => {
    const bundled: Record<string, number> = {};
    const sources: Record<string, number> = {};
    const ratios: number[] = [];
    for (const name of FUNCTIONS) {
      const source = join(root, `services/${name}/handler.ts`);
      const bundle = join(directory, `${name}.mjs`);
      await build({ ...lambdaBundle(), entryPoints: [source], outfile: bundle, logLevel: 'error' });
      const times = { bundle: [] as number[], source: [] as number[] };
      for (let run = 0; run < RUNS; run += 1) {
        times.bundle.push(importTime(bundle));
        times.source.push(importTime(source));
      }
      bundled[name] = Math.round(median(times.bundle));
      sources[name] = Math.round(median(times.source));
      ratios.push(median(times.bundle) / median(times.source));
    }
    return [
      figure({
        name: 'cold-start',
        runs: ratios,
        unit: 'import time of the deployed bundle / of the sources, median of the five handlers',
        target: { atMost: 0.6 },
        comparedTo: 'the same handler from its TypeScript sources and node_modules, in the same run',
        detail: { bundledMs: bundled, sourcesMs: sources },
      }),
    ];
  });
}

function importTime(path: string): number {
  const script = `const t = performance.now(); await import(${JSON.stringify(path)}); process.stdout.write(String(performance.now() - t));`;
  const run = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
  const time = Number(run.stdout);
  if (run.status !== 0 || !(time > 0)) throw new Error(`${path} cannot be imported: ${run.stderr.slice(-500)}`);
  return time;
}
