import { rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { embedDashboard } from '../dashboard/embed.ts';

/**
 * Bundles the CLI for the npm package: Node does not strip types below `node_modules`, so what is installed has to be JavaScript.
 * Everything is in the bundle, so that an installed package needs nothing else. In parts, because `--help` must not load the AWS SDK.
 */
const root = fileURLToPath(new URL('../../', import.meta.url));
const outdir = `${root}dist/cli`;

rmSync(outdir, { recursive: true, force: true });
await build({
  entryPoints: [`${root}services/cli/main.ts`],
  outdir,
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node24',
  mainFields: ['module', 'main'],
  minifySyntax: true,
  keepNames: true,
  legalComments: 'linked',
  logLevel: 'warning',
  plugins: [embedDashboard],
  // Some libraries are CommonJS and ask for Node's own modules by `require`, which an ES module does not have.
  banner: {
    js: "import { createRequire as requireFrom } from 'node:module'; const require = requireFrom(import.meta.url);",
  },
});
