import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { build } from 'esbuild';
import * as z from 'zod';
import { type BundledPackage, bundledPackages, keyOf } from '../support/bundled-packages.ts';
import { lambdaBundle } from '../support/lambda-bundle.ts';

const root = resolve(import.meta.dirname, '../..');
const BILL = 'sbom.cdx.json';
const NOTICES = 'THIRD-PARTY-NOTICES.txt';

const ref = z.string();
const bill = z.object({
  bomFormat: z.literal('CycloneDX'),
  metadata: z.object({ component: z.object({ 'bom-ref': ref, name: z.string() }) }),
  components: z.array(
    z.object({
      'bom-ref': ref,
      group: z.string().optional(),
      name: z.string(),
      version: z.string(),
      scope: z.literal('required'),
      purl: z.string(),
      hashes: z.array(z.object({ alg: z.literal('SHA-512'), content: z.string() })).min(1),
      licenses: z.array(z.unknown()).min(1),
    }),
  ),
  dependencies: z.array(z.object({ ref, dependsOn: z.array(ref) })),
});

/** A function's bundle, built again from its sources. */
interface Rebuilt {
  readonly code: Uint8Array;
  readonly packages: readonly BundledPackage[];
}

export async function rebuilt(name: string): Promise<Rebuilt> {
  const { outputFiles, metafile } = await build({
    ...lambdaBundle(),
    entryPoints: [`services/${name}/handler.ts`],
    absWorkingDir: root,
    outdir: 'unused',
    ...{ write: false, metafile: true, logLevel: 'error' },
  });
  const [code] = outputFiles;
  if (code === undefined) throw new Error(`${name} has no bundle`);
  return { code: code.contents, packages: bundledPackages(root, metafile) };
}

/** Faults in the bill of materials and the licence texts of an unpacked package, compared with its rebuilt bundle. */
export function contentFaults(name: string, directory: string, { code, packages }: Rebuilt): readonly string[] {
  const missing = [BILL, NOTICES].filter((file) => !existsSync(join(directory, file)));
  if (missing.length > 0) return missing.map((file) => `${name}.zip has no ${file}`);
  const same = readFileSync(join(directory, `services/${name}/handler.mjs`)).equals(code);
  // If this fails, the list of packages below is for another bundle.
  if (!same) return [`${name}.zip has another bundle than its sources make`];
  return [...billFaults(name, directory, packages), ...noticeFaults(name, directory, packages)];
}

function billFaults(name: string, directory: string, packages: readonly BundledPackage[]): readonly string[] {
  const read = bill.safeParse(JSON.parse(readFileSync(join(directory, BILL), 'utf8')));
  if (!read.success) return [`${name}.zip: ${BILL} is not a bill of this form: ${z.prettifyError(read.error)}`];
  const { metadata, components, dependencies } = read.data;
  const faults = difference(`${name}.zip: ${BILL}`, [...new Set(components.map(keyOf))], packages.map(keyOf));
  const { component } = metadata;
  if (component.name !== 'rollcall') faults.push(`${name}.zip: ${BILL} is the bill of ${component.name}`);
  const refs = [component, ...components].map((each) => each['bom-ref']);
  return [
    ...faults,
    ...difference(
      `${name}.zip: dependencies in ${BILL}`,
      dependencies.map((each) => each.ref),
      refs,
    ),
    ...dependencies
      .flatMap((each) => each.dependsOn.filter((on) => !refs.includes(on)))
      .map((on) => `${name}.zip: a dependency in ${BILL} is on ${on}, which is not a component`),
  ];
}

function noticeFaults(name: string, directory: string, packages: readonly BundledPackage[]): readonly string[] {
  const notices = readFileSync(join(directory, NOTICES), 'utf8');
  const named = [...notices.matchAll(/^(@?[^\s@]+@\S+) \([^)\n]+\)$/gm)].flatMap(([, key]) => key ?? []);
  const texts = packages.flatMap((each) => each.texts.map((text) => ({ key: keyOf(each), text })));
  const empty = /\)\n-{100}\s*(-{100}|$)/.test(notices);
  return [
    ...(empty ? [`${name}.zip: ${NOTICES} has a heading without a licence text`] : []),
    ...difference(`${name}.zip: ${NOTICES}`, named, packages.map(keyOf)),
    ...texts
      .filter(({ text }) => !notices.includes(text))
      .map(({ key }) => `${name}.zip: ${NOTICES} lacks the licence text of ${key}`),
  ];
}

function difference(place: string, found: readonly string[], expected: readonly string[]): string[] {
  const twice = found.filter((each, at) => found.indexOf(each) !== at);
  return [
    ...expected.filter((each) => !found.includes(each)).map((each) => `${place} lacks ${each}`),
    ...found
      .filter((each) => !expected.includes(each))
      .map((each) => `${place} lists ${each}, which is not in the bundle`),
    ...twice.map((each) => `${place} lists ${each} twice`),
  ];
}
