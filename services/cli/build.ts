import { cpSync, existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, posix, resolve } from 'node:path';
import manifest from '../../package.json' with { type: 'json' };
import { bundleCli } from './package/bundle.ts';
import { describeBundle } from './package/describe-bundle.ts';
import { packedLinks, packedPaths } from './package/links.ts';
import { publishedManifest } from './package/manifest.ts';

/*
 * `node services/cli/build.ts [DIRECTORY]` builds the npm package in a directory (default `dist/npm`): the CLI as JavaScript, because Node does not strip
 * types below `node_modules`; its bill of materials and licences; templates and examples under the same paths as in the repository, because
 * `doctor` and the documentation name them; and its own manifest. All dependencies are bundled, so the installed package has none.
 */
const root = resolve(import.meta.dirname, '../..');
const directory = resolve(process.argv[2] ?? join(root, 'dist/npm'));

/** Documents whose links are made to work outside the repository. npm always packs README and LICENSE. */
const DOCUMENTS = ['README.md', 'CHANGELOG.md'];
const TEMPLATES = [
  'examples',
  'infra/container',
  'infra/examples',
  'infra/grafana',
  'infra/member-role.yml',
  'infra/organizations-events.yml',
  'infra/prometheus',
  'infra/organization.template.json',
  'infra/terraform',
];

/** The files that may name pages of the documentation, relative to the package: the templates, and the copy that `rollcall install` deploys. */
function templates(): readonly string[] {
  const files = TEMPLATES.flatMap((path) => {
    const place = join(directory, path);
    if (statSync(place).isFile()) return [path];
    const inside = readdirSync(place, { recursive: true, encoding: 'utf8' });
    return inside.map((file) => posix.join(path, file)).filter((file) => statSync(join(directory, file)).isFile());
  });
  const bundled = readdirSync(join(directory, 'cli')).filter((file) => file.startsWith('organization.template'));
  return [...files, ...bundled.map((file) => posix.join('cli', file))];
}

rmSync(directory, { recursive: true, force: true });
await bundleCli(join(directory, 'cli'), { plugins: [describeBundle(directory)] });
for (const path of ['LICENSE', ...TEMPLATES]) cpSync(join(root, path), join(directory, path), { recursive: true });
cpSync(join(root, 'services/cli/bin.mjs'), join(directory, 'bin.mjs'));
const { repository, tag, document } = publishedManifest(manifest, [
  // `cli` without the cache of compiled code, which the package has once it has run.
  ...['bin.mjs', 'cli', 'CHANGELOG.md', 'THIRD-PARTY-NOTICES.txt', 'sbom.cdx.json'],
  ...TEMPLATES,
]);
const isPacked = (path: string): boolean => existsSync(join(directory, path)) || DOCUMENTS.includes(path);
const targets = { repository, tag, isPacked };
for (const name of DOCUMENTS) {
  const text = readFileSync(join(root, name), 'utf8');
  writeFileSync(join(directory, name), packedLinks(text, targets));
}
for (const path of templates()) {
  const file = join(directory, path);
  const text = readFileSync(file, 'utf8');
  const isMarkdown = path.endsWith('.md');
  writeFileSync(
    file,
    isMarkdown ? packedLinks(text, { ...targets, folder: dirname(path) }) : packedPaths(text, targets),
  );
}
writeFileSync(join(directory, 'package.json'), `${JSON.stringify(document, null, 2)}\n`);
