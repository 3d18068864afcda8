import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { build } from 'esbuild';
import type { TestProject } from 'vitest/node';
import { bundleCli, CLI_BUNDLE } from '../../services/cli/package/bundle.ts';
import { embedDashboard } from '../../services/dashboard/embed.ts';

const root = resolve(import.meta.dirname, '../..');
let directory: string | null = null;

/**
 * Runs once before all tests. Bundles the programs that tests start as processes, as for the npm package: several hundred starts take half the processor
 * time of starts from source. Only the demo and the simulation run from source.
 */
export async function setup(project: TestProject): Promise<void> {
  const into = mkdtempSync(join(tmpdir(), 'rollcall-children-'));
  directory = into;
  await bundle(into);
  // In watch mode, the bundles must contain the changes.
  project.onTestsRerun(() => bundle(into));
  project.provide('children', into);
}

async function bundle(outdir: string): Promise<void> {
  await bundleCli(outdir, { name: 'cli' });
  await build({
    ...CLI_BUNDLE,
    entryPoints: {
      sandbox: join(root, 'services/sandbox/main.ts'),
      'limiter-worker': join(root, 'test/support/limiter-worker.ts'),
      'embedded-child': join(root, 'test/adapters/embedded/child.ts'),
      'world-child': join(root, 'test/support/world-child.ts'),
      'aws-worker': join(root, 'test/support/aws-worker.ts'),
      'aws-functions': join(root, 'test/support/aws-functions.ts'),
    },
    outdir,
    plugins: [embedDashboard],
  });
  writeFileSync(join(outdir, 'package.json'), '{ "type": "module" }\n');
}

export function teardown(): void {
  if (directory !== null) rmSync(directory, { recursive: true, force: true });
}
