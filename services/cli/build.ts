import { cpSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import * as z from 'zod';
import manifest from '../../package.json' with { type: 'json' };
import { bundleCli } from './package/bundle.ts';
import { describeBundle } from './package/describe-bundle.ts';

/*
 * `node services/cli/build.ts [DIRECTORY]` builds the npm package in a directory (default `dist/npm`), for `npm pack` and `npm publish`:
 * the CLI as JavaScript, because Node does not strip types below `node_modules`; its bill of materials and licences; and its own manifest.
 * All dependencies are bundled, so the installed package has none.
 */
const root = resolve(import.meta.dirname, '../..');
const directory = resolve(process.argv[2] ?? join(root, 'dist/npm'));

/** The members of the repository's `package.json` that the published one keeps. Scripts, dependencies and `private` apply only to a checkout. */
const published = z.object({
  name: z.string(),
  version: z.string(),
  description: z.string(),
  keywords: z.array(z.string()),
  license: z.string(),
  type: z.literal('module'),
  engines: z.object({ node: z.string() }),
});

rmSync(directory, { recursive: true, force: true });
await bundleCli(join(directory, 'cli'), { plugins: [describeBundle(directory)] });
for (const file of ['README.md', 'CHANGELOG.md', 'LICENSE']) cpSync(join(root, file), join(directory, file));
cpSync(join(root, 'services/cli/bin.mjs'), join(directory, 'bin.mjs'));
const generated = {
  ...published.parse(manifest),
  bin: { rollcall: 'bin.mjs' },
  // Without the cache of compiled code, which the package has once it has run.
  files: ['bin.mjs', 'cli', 'CHANGELOG.md', 'THIRD-PARTY-NOTICES.txt', 'sbom.cdx.json'],
};
writeFileSync(join(directory, 'package.json'), `${JSON.stringify(generated, null, 2)}\n`);
