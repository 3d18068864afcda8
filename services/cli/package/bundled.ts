import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Metafile } from 'esbuild';
import * as z from 'zod';

/** A package of somebody else's of which something is in a bundle. */
export interface BundledPackage {
  readonly name: string;
  readonly version: string;
  /** As its package.json says it, e.g. `Apache-2.0`. */
  readonly licence: string;
  /** What its licence and notice files say. */
  readonly texts: readonly string[];
}

const manifest = z.object({ name: z.string(), version: z.string(), license: z.string() });

/** Licences that let their work be in a bundle which is given to others, if it carries their text. */
const ACCEPTED = new Set(['MIT', 'MIT-0', 'Apache-2.0', 'ISC', '0BSD', 'BSD-2-Clause', 'BSD-3-Clause', 'Unlicense']);

/** The innermost package of a path, e.g. `node_modules/a/node_modules/@b/c`. */
const PACKAGE = /node_modules\/(?:.*\/node_modules\/)?(?:@[^/]+\/)?[^/]+/;
const LEGAL = /^(licen[cs]e|notice|copying)/i;

/**
 * The packages with code in the bundles, sorted by name. A package that the bundler read and dropped as unused is not one of them.
 * @throws where a licence is not in {@link ACCEPTED}
 */
export function bundledPackages(
  root: string,
  bundles: readonly Pick<Metafile, 'outputs'>[],
): readonly BundledPackage[] {
  const directories = new Set<string>();
  const inputs = bundles.flatMap(({ outputs }) =>
    Object.values(outputs).flatMap((output) => Object.entries(output.inputs)),
  );
  for (const [path, { bytesInOutput }] of inputs) {
    const [directory] = PACKAGE.exec(path.replaceAll('\\', '/')) ?? [];
    if (directory !== undefined && bytesInOutput > 0) directories.add(directory);
  }
  // One version may be installed in several places.
  const packages = new Map<string, BundledPackage>();
  for (const directory of directories) {
    const each = readPackage(join(root, directory));
    packages.set(keyOf(each), each);
  }
  return [...packages.values()].sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
}

export const keyOf = ({ name, version }: { readonly name: string; readonly version: string }): string =>
  `${name}@${version}`;

function readPackage(directory: string): BundledPackage {
  const { name, version, license } = manifest.parse(JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8')));
  if (!ACCEPTED.has(license)) {
    throw new Error(
      `${name} ${version} is in the bundle under the licence ${license}: expected one of ${[...ACCEPTED].join(', ')}. ` +
        'Find out what it asks for, then add it to services/cli/package/bundled.ts.',
    );
  }
  const texts = readdirSync(directory)
    .filter((file) => LEGAL.test(file))
    .sort()
    .map((file) => readFileSync(join(directory, file), 'utf8').replaceAll('\r\n', '\n').trim());
  return { name, version, licence: license, texts };
}
