import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Metafile } from 'esbuild';
import * as z from 'zod';

/** A third-party package with code in a bundle. */
export interface BundledPackage {
  readonly name: string;
  readonly version: string;
  /** Its licence and notice files. */
  readonly texts: readonly string[];
}

const manifest = z.object({ name: z.string(), version: z.string() });

/** The innermost package of a path, e.g. `node_modules/a/node_modules/@b/c`. */
const PACKAGE = /node_modules\/(?:.*\/node_modules\/)?(?:@[^/]+\/)?[^/]+/;
const LEGAL = /^(licen[cs]e|notice|copying)/i;

/** The packages with code in a bundle, by the paths that esbuild lists: to compare with the bill of materials. */
export function bundledPackages(root: string, { outputs }: Pick<Metafile, 'outputs'>): readonly BundledPackage[] {
  const directories = new Set<string>();
  for (const { inputs } of Object.values(outputs)) {
    for (const [path, { bytesInOutput }] of Object.entries(inputs)) {
      const [directory] = PACKAGE.exec(path.replaceAll('\\', '/')) ?? [];
      if (directory !== undefined && bytesInOutput > 0) directories.add(directory);
    }
  }
  // One version may be installed in several places.
  const packages = new Map(
    [...directories].map((each) => readPackage(join(root, each))).map((each) => [keyOf(each), each]),
  );
  return [...packages.values()].sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
}

export const keyOf = ({
  group,
  name,
  version,
}: {
  group?: string | undefined;
  name: string;
  version: string;
}): string => `${group === undefined ? '' : `${group}/`}${name}@${version}`;

function readPackage(directory: string): BundledPackage {
  const { name, version } = manifest.parse(JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8')));
  const texts = readdirSync(directory)
    .filter((file) => LEGAL.test(file))
    .sort()
    .map((file) => readFileSync(join(directory, file), 'utf8').replaceAll('\r\n', '\n').trim());
  return { name, version, texts };
}
