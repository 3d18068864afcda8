import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { cyclonedxEsbuildPlugin } from '@cyclonedx/cyclonedx-esbuild';
import type { Plugin } from 'esbuild';
import * as z from 'zod';

/**
 * Licences that allow redistribution in a bundle, and whether their text must be included. `same-text`: the text names no copyright holder, so
 * for a package that contains no licence text, that of another package with the same licence is used.
 */
const ACCEPTED: ReadonlyMap<string, 'required' | 'same-text' | 'optional'> = new Map([
  ['MIT', 'required'],
  ['ISC', 'required'],
  ['BSD-2-Clause', 'required'],
  ['BSD-3-Clause', 'required'],
  ['Apache-2.0', 'same-text'],
  ['MIT-0', 'optional'],
  ['0BSD', 'optional'],
  ['Unlicense', 'optional'],
]);

const LOCK_FILE = resolve(import.meta.dirname, '../../../package-lock.json');
const RULE = '-'.repeat(100);

const named = z.looseObject({ group: z.string().optional(), name: z.string(), version: z.string().optional() });
const component = named.extend({
  licenses: z.tuple([z.object({ license: z.object({ id: z.string() }) })]),
  evidence: z.object({
    licenses: z.array(z.object({ license: z.object({ text: z.object({ content: z.base64() }) }) })).default([]),
  }),
});
const bill = z.looseObject({
  metadata: z.looseObject({ component: z.looseObject({ 'bom-ref': z.string(), evidence: z.unknown() }) }),
  components: z.array(named.extend({ 'bom-ref': z.string(), scope: z.string() })),
  dependencies: z.array(z.looseObject({ ref: z.string(), dependsOn: z.array(z.string()).default([]) })),
});
const lockFile = z.object({
  packages: z.record(z.string(), z.object({ version: z.string(), integrity: z.string().optional() })),
});

type Component = z.infer<typeof component>;

const keyOf = ({ group, name, version }: z.infer<typeof named>): string =>
  `${group === undefined ? '' : `${group}/`}${name}@${version}`;

/**
 * Writes into a directory the bill of materials (`sbom.cdx.json`, CycloneDX) of the packages in a bundle and their licence texts
 * (`THIRD-PARTY-NOTICES.txt`).
 */
export function describeBundle(directory: string): Plugin {
  return {
    name: 'describe-bundle',
    setup: async (build) => {
      const outputFile = join(directory, 'sbom.cdx.json');
      const options = { outputFile, outputReproducible: true, gatherLicenseTexts: true, validate: true } as const;
      await cyclonedxEsbuildPlugin({ ...options, logLevel: 'silent' }).setup(build);
      build.onEnd(({ metafile }) => {
        // Without a metafile the build has failed; esbuild reports why.
        if (metafile === undefined) return;
        const { content, notices } = describe(JSON.parse(readFileSync(outputFile, 'utf8')));
        writeFileSync(outputFile, `${JSON.stringify(content, null, 2)}\n`);
        writeFileSync(join(directory, 'THIRD-PARTY-NOTICES.txt'), notices);
      });
    },
  };
}

/**
 * Keeps the packages of the lock file whose code is in the bundle. The plugin also lists generated files, sub-folders with their own
 * manifest (`preact/hooks`) and modules that contribute no code. The hashes come from the lock file; the licence texts move to the notices.
 */
function describe(written: unknown): { readonly content: unknown; readonly notices: string } {
  const hashes = lockedHashes();
  const { metadata, components, dependencies, ...rest } = bill.parse(written);
  const shipped = components.filter((each) => each.scope === 'required' && hashes.has(keyOf(each)));
  const { evidence, ...main } = metadata.component;
  const refs = new Set([main, ...shipped].map((each) => each['bom-ref']));
  const content = {
    ...rest,
    metadata: { ...metadata, component: main },
    components: shipped.map((each) => {
      const { evidence, ...about } = component.parse(each);
      return { ...about, hashes: [{ alg: 'SHA-512', content: hashes.get(keyOf(each)) }] };
    }),
    dependencies: dependencies
      .filter(({ ref }) => refs.has(ref))
      .map((each) => ({ ...each, dependsOn: each.dependsOn.filter((ref) => refs.has(ref)) })),
  };
  return { content, notices: noticesOf(shipped.map((each) => component.parse(each))) };
}

/** The SHA-512 of every package's tarball, by `name@version`. */
function lockedHashes(): ReadonlyMap<string, string> {
  const { packages } = lockFile.parse(JSON.parse(readFileSync(LOCK_FILE, 'utf8')));
  const hashes = new Map<string, string>();
  for (const [path, { version, integrity }] of Object.entries(packages)) {
    const [, base64] = /^sha512-(\S+)$/.exec(integrity ?? '') ?? [];
    const name = path.replace(/^.*node_modules\//, '');
    if (base64 !== undefined) hashes.set(`${name}@${version}`, Buffer.from(base64, 'base64').toString('hex'));
  }
  return hashes;
}

/** The text of the notices file. A text that several packages share appears once. */
function noticesOf(components: readonly Component[]): string {
  const sharing = new Map<string, Set<string>>();
  for (const each of components) {
    const text = textOf(each, components);
    const names = sharing.get(text) ?? new Set();
    sharing.set(text, names.add(`${keyOf(each)} (${licenceOf(each)})`));
  }
  const sections = [...sharing].map(([text, names]) => `${RULE}\n${[...names].join('\n')}\n${RULE}\n\n${text}\n`);
  return `Rollcall contains these third-party packages, under these licences.\n\n${sections.join('\n')}`;
}

const licenceOf = ({ licenses: [{ license }] }: Component): string => license.id;

function textOf(each: Component, all: readonly Component[]): string {
  const licence = licenceOf(each);
  const text = ACCEPTED.get(licence);
  if (text === undefined) {
    throw new Error(
      `${keyOf(each)} is in the bundle under the licence ${licence}: expected one of ${[...ACCEPTED.keys()].join(', ')}. ` +
        'Find out what it requires, then add it to services/cli/package/describe-bundle.ts.',
    );
  }
  const own = textsIn(each);
  if (own.length > 0) return own.join('\n\n');
  if (text === 'optional') return `${licence} does not require its text: https://spdx.org/licenses/${licence}.html`;
  const texts = all.filter((other) => licenceOf(other) === licence).map(textsIn);
  const [borrowed] = texts.find(({ length }) => length === 1) ?? [];
  if (text === 'same-text' && borrowed !== undefined) return borrowed;
  throw new Error(`${keyOf(each)} is in the bundle under the licence ${licence}, but its package has no licence text.`);
}

function textsIn({ evidence }: Component): readonly string[] {
  return evidence.licenses.map(({ license }) =>
    Buffer.from(license.text.content, 'base64').toString('utf8').replaceAll('\r\n', '\n').trim(),
  );
}
