import { spawnSync } from 'node:child_process';
import * as z from 'zod';
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

interface Machine {
  readonly platform: NodeJS.Platform;
  /** The running Node. */
  readonly node: string;
  /** `npm_execpath`: what runs a package's scripts says where it is itself. */
  readonly npm: string | undefined;
}

/**
 * How npm is called. By its own script, where npm told it; on Windows there is no program `npm` but a batch file, which only a shell starts.
 * `args` are words of ours without anything that a shell would understand.
 */
export function npmCall(args: readonly string[], { platform, node, npm }: Machine) {
  const script = npm !== undefined && /[\\/]npm-cli\.c?js$/.test(npm);
  if (script) return { command: node, args: [npm, ...args], shell: false };
  if (platform === 'win32') return { command: ['npm', ...args].join(' '), args: [], shell: true };
  return { command: 'npm', args: [...args], shell: false };
}

/**
 * The bill of materials that npm makes of the lock file. npm calls everything a development dependency, because the package that
 * is published has it all in its bundle; so what is in there is marked as required, and the rest, which builds and tests it, as excluded.
 * Without number and time, so that one lock file has one bill.
 */
export function billOfMaterials(root: string, bundled: readonly BundledPackage[]): Bill {
  const args = ['sbom', '--sbom-format=cyclonedx', '--sbom-type=application', '--package-lock-only'];
  const { platform, execPath: node, env } = process;
  const call = npmCall(args, { platform, node, npm: env['npm_execpath'] });
  const options = { cwd: root, shell: call.shell, encoding: 'utf8', maxBuffer: 2 ** 26 } as const;
  const { status, stdout, stderr, error } = spawnSync(call.command, call.args, options);
  // Where nothing could be started, there is no output at all.
  if (status !== 0) throw new Error(`npm ${args.join(' ')} failed: ${stderr?.trim() || String(error ?? status)}`);
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
