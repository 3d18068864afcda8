import { readFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import type { Plugin, PluginBuild } from 'esbuild';

const root = resolve(import.meta.dirname, '../../..');

/** Modules that every start loads: the imports of the entry point. */
const ALWAYS = ['services/cli/cli.ts', 'shared/config/environment.ts'];
/** Modules that most commands load after the command line is parsed. */
const FOR_COMMANDS = [
  'services/cli/errors.ts',
  'services/cli/run-command.ts',
  'services/cli/session.ts',
  'services/cli/snapshot.ts',
  'services/cli/ui/words.ts',
  'shared/config/read-bytes.ts',
  'shared/domain/enrollment/governing-configuration.ts',
  'shared/domain/policy/file/values.ts',
  'shared/domain/policy/types.ts',
  'shared/domain/safe-parse.ts',
];
/** Modules that read a policy. */
const POLICY = ['shared/config/policy-file.ts', 'shared/domain/policy/index.ts'];

/**
 * Makes the bundle start faster. esbuild makes a chunk for each set of entry points that share a module, and each lazily imported module is an entry
 * point: 42 small files for `--help`, at almost a millisecond each. With this plugin, each lazily loaded module also imports everything that is
 * loaded before it, so all of that has the same set and becomes one chunk. Only the chunks change, because those imports are already loaded.
 */
export const fewChunks: Plugin = {
  name: 'few-chunks',
  async setup(build) {
    const early = await closureOf(build, ['services/cli/process.ts', ...FOR_COMMANDS]);
    build.onLoad({ filter: /\.ts$/ }, ({ path }) => {
      const name = relative(root, path);
      if (!/^(services|shared)\//.test(name) || (early.has(name) && !FOR_COMMANDS.includes(name))) return null;
      const imports = [...ALWAYS, ...FOR_COMMANDS, ...(POLICY.includes(name) ? POLICY : [])];
      const lines = imports.map((each) => `import ${JSON.stringify(join(root, each))};`);
      return { contents: `${readFileSync(path, 'utf8')}\n${lines.join('\n')}`, loader: 'ts' };
    });
  },
};

/** The modules that these modules import, directly or not, without lazy imports and packages. */
async function closureOf({ esbuild }: PluginBuild, names: readonly string[]): Promise<ReadonlySet<string>> {
  const { metafile } = await esbuild.build({
    entryPoints: names.map((name) => join(root, name)),
    absWorkingDir: root,
    bundle: true,
    write: false,
    metafile: true,
    outdir: 'unused',
    format: 'esm',
    platform: 'node',
    packages: 'external',
    plugins: [
      {
        name: 'no-lazy-imports',
        setup: ({ onResolve }) =>
          onResolve({ filter: /./ }, ({ kind, path }) => (kind === 'dynamic-import' ? { path, external: true } : null)),
      },
    ],
  });
  return new Set(Object.keys(metafile.inputs));
}
