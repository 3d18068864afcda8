import { spawnSync } from 'node:child_process';
import { z } from 'zod';
import { type BundledPackage, keyOf } from './bundled.ts';

const component = z.looseObject({
  'bom-ref': z.string(),
  name: z.string(),
  version: z.string(),
  scope: z.string().optional(),
});
const npmBill = z.looseObject({
  bomFormat: z.literal('CycloneDX'),
  specVersion: z.string(),
  metadata: z.looseObject({ timestamp: z.string(), component: z.looseObject({ name: z.string() }) }),
  components: z.array(component),
});

/** A CycloneDX document; what of it the tests and the package rely on is named. */
export type Bill = Omit<z.infer<typeof npmBill>, 'serialNumber'>;

/**
 * The bill of materials that npm makes of the lock file. npm calls everything a development dependency, because the package that
 * is published has it all in its bundle; so what is in there is marked as required, and the rest, which builds and tests it, as excluded.
 * Without number and time, so that one lock file has one bill.
 */
export function billOfMaterials(root: string, bundled: readonly BundledPackage[]): Bill {
  const args = ['sbom', '--sbom-format=cyclonedx', '--sbom-type=application', '--package-lock-only'];
  const { status, stdout, stderr, error } = spawnSync('npm', args, { cwd: root, encoding: 'utf8', maxBuffer: 2 ** 26 });
  if (status !== 0) throw new Error(`npm ${args.join(' ')} failed: ${stderr.trim() || String(error)}`);
  const { serialNumber, metadata, components, ...bill } = npmBill.parse(JSON.parse(stdout));
  const shipped = new Set(bundled.map(keyOf));
  const { timestamp, ...rest } = metadata;
  return {
    ...bill,
    // npm calls it by the directory that it stands in.
    metadata: { ...rest, component: { ...metadata.component, name: 'rollcall' } },
    components: components.map((each) => ({ ...each, scope: shipped.has(keyOf(each)) ? 'required' : 'excluded' })),
  };
}
