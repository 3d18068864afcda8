import type { BuildOptions } from 'esbuild';

/** How the CLI is bundled for the npm package. Tests and benchmarks use the same options, so that they run what users run. */
export const CLI_BUNDLE: BuildOptions = {
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node24',
  mainFields: ['module', 'main'],
  minifySyntax: true,
  keepNames: true,
  legalComments: 'none',
  logLevel: 'warning',
  // CommonJS libraries load Node's modules by `require`, which an ES module does not have.
  banner: {
    js: "import { createRequire as requireFrom } from 'node:module'; const require = requireFrom(import.meta.url);",
  },
};
