import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { build } from 'esbuild';
import type { TestProject } from 'vitest/node';
import { CLI_BUNDLE } from '../../services/cli/package/bundle.ts';
import { embedDashboard } from '../../services/dashboard/embed.ts';

const root = resolve(import.meta.dirname, '../..');
let directory: string | null = null;

/**
 * Once before all tests: what they start as processes, several hundred times in all, is bundled as it is for the npm package. The same from the
 * sources takes about twice the processor time to start. From their sources run the demo, the dashboard's house and the simulation.
 */
export async function setup(project: TestProject): Promise<void> {
  const into = mkdtempSync(join(tmpdir(), 'rollcall-children-'));
  directory = into;
  await bundle(into);
  // While Vitest watches, what has changed is to be in them.
  project.onTestsRerun(() => bundle(into));
  project.provide('children', into);
}

async function bundle(outdir: string): Promise<void> {
  await build({
    ...CLI_BUNDLE,
    entryPoints: {
      cli: join(root, 'services/cli/main.ts'),
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
