import { spawnSync } from 'node:child_process';
import * as z from 'zod';
import { type BundledPackage, keyOf } from './bundled.ts';

const component = z.looseObject({
  'bom-ref': z.string(),
  name: z.string(),
  version: z.string(),
  scope: z.string().optional(),
});
const bill = z.looseObject({
  bomFormat: z.literal('CycloneDX'),
  specVersion: z.string(),
  metadata: z.looseObject({ component: z.looseObject({ 'bom-ref': z.string(), name: z.string() }) }),
  components: z.array(component),
  dependencies: z.array(z.looseObject({ ref: z.string(), dependsOn: z.array(z.string()) })),
});

type Component = z.infer<typeof component>;

/** A CycloneDX document; the members that Rollcall uses are named. */
export type Bill = z.infer<typeof bill>;

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
 * The bill of materials that npm makes of the lock file, without serial number and time, so that equal lock files have equal bills.
 * npm marks every component as optional, because bundling makes all packages development dependencies: use {@link withScopes} or
 * {@link shippedIn}.
 */
export function billOfLockFile(root: string): Bill {
  const args = ['sbom', '--sbom-format=cyclonedx', '--sbom-type=application', '--package-lock-only'];
  const { platform, execPath: node, env } = process;
  const call = npmCall(args, { platform, node, npm: env['npm_execpath'] });
  const options = { cwd: root, shell: call.shell, encoding: 'utf8', maxBuffer: 2 ** 26 } as const;
  const { status, stdout, stderr, error } = spawnSync(call.command, call.args, options);
  // Where nothing could be started, there is no output at all.
  if (status !== 0) throw new Error(`npm ${args.join(' ')} failed: ${stderr?.trim() || String(error ?? status)}`);
  const { serialNumber, metadata, ...rest } = bill.parse(JSON.parse(stdout));
  const { timestamp, component, ...about } = metadata;
  // npm takes the name of the directory.
  return { ...rest, metadata: { ...about, component: { ...component, name: 'rollcall' } } };
}

/** Marks the components that are in an artefact as required, and those that only build and test it as excluded. */
export function withScopes(whole: Bill, bundled: readonly BundledPackage[]): Bill {
  const shipped = new Set(bundled.map(keyOf));
  const scoped = (each: Component): Component => ({
    ...each,
    scope: shipped.has(keyOf(each)) ? 'required' : 'excluded',
  });
  return { ...whole, components: whole.components.map(scoped) };
}

/** The part of the bill that describes one artefact: its packages, and how they depend on each other. */
export function shippedIn(artefact: string, whole: Bill, bundled: readonly BundledPackage[]): Bill {
  const { metadata } = whole;
  const components = withScopes(whole, bundled).components.filter(({ scope }) => scope === 'required');
  const refs = new Set([metadata.component, ...components].map((each) => each['bom-ref']));
  const dependencies = whole.dependencies
    .filter(({ ref }) => refs.has(ref))
    .map((each) => ({ ...each, dependsOn: each.dependsOn.filter((ref) => refs.has(ref)) }));
  return {
    ...whole,
    metadata: { ...metadata, component: { ...metadata.component, name: artefact } },
    components,
    dependencies,
  };
}
