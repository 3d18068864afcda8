import { join, resolve } from 'node:path';
import { type BuildOptions, build, type Plugin } from 'esbuild';
import { embedDashboard } from '../../dashboard/embed.ts';
import { embedVerifier } from '../../verifier/embed.ts';
import { fewChunks } from './few-chunks.ts';
import { leanBuiltins } from './lean-builtins.ts';

const root = resolve(import.meta.dirname, '../../..');

/** How programs are bundled for the npm package. Tests and benchmarks use the same options, so that they run what users run. */
export const CLI_BUNDLE: BuildOptions = {
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node24',
  mainFields: ['module', 'main'],
  // The same code as ES modules: a fifth smaller and faster to load than the CommonJS that `platform` selects.
  alias: { yaml: join(root, 'node_modules/yaml/browser/index.js') },
  minifySyntax: true,
  legalComments: 'none',
  logLevel: 'warning',
  // CommonJS libraries load Node's modules by `require`, which an ES module does not have.
  banner: {
    js: "import { createRequire as requireFrom } from 'node:module'; const require = requireFrom(import.meta.url);",
  },
};

/** Bundles the command line as `NAME.js`, and the files that it loads later, into a directory. */
export async function bundleCli(
  outdir: string,
  { name = 'main', plugins = [] }: { readonly name?: string; readonly plugins?: readonly Plugin[] } = {},
): Promise<void> {
  await build({
    ...CLI_BUNDLE,
    // The API's thread loads its own file.
    entryPoints: {
      [name]: join(root, 'services/cli/process.ts'),
      'api-thread': join(root, 'services/cli/api/thread.ts'),
    },
    absWorkingDir: root,
    outdir,
    plugins: [embedDashboard, embedVerifier, leanBuiltins, fewChunks, ...plugins],
  });
}
