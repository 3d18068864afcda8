import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { npmCall } from '../../../services/cli/package/bill.ts';
import { place, rollcall, world } from './support.ts';

const root = resolve(import.meta.dirname, '../../..');
const json = (path: string): unknown => JSON.parse(readFileSync(path, 'utf8'));

const packed = z.tuple([z.object({ filename: z.string(), files: z.array(z.object({ path: z.string() })) })]);
const bill = z.object({
  metadata: z.object({ component: z.object({ name: z.literal('rollcall'), version: z.string() }) }),
  components: z.array(
    z.object({
      name: z.string(),
      version: z.string(),
      scope: z.enum(['required', 'excluded']),
      purl: z.string(),
      hashes: z.array(z.object({ alg: z.literal('SHA-512'), content: z.string() })).min(1),
      licenses: z.array(z.unknown()).min(1),
    }),
  ),
});
const lock = z.object({
  packages: z.record(
    z.string(),
    z.object({
      name: z.string().optional(),
      version: z.string(),
      integrity: z.string().optional(),
      deprecated: z.string().optional(),
    }),
  ),
});

/** `npm pack`, unpacked elsewhere: what somebody has who installs it, which brings nothing else along. */
let directory: string;
let files: readonly string[];
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'rollcall-package-'));
  const told = execFileSync('npm', ['pack', '--json', '--silent', '--pack-destination', directory], {
    cwd: root,
    encoding: 'utf8',
    env: { ...process.env, npm_config_cache: join(directory, 'cache') },
  });
  const [{ filename, files: listed }] = packed.parse(JSON.parse(told));
  files = listed.map(({ path }) => path);
  execFileSync('tar', ['-xzf', join(directory, filename), '-C', directory]);
}, 120_000);
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const inPackage = (path: string): string => join(directory, 'package', path);

/** Every package of the lock file, once, as `name@version`. */
function locked(): readonly string[] {
  const packages = Object.entries(lock.parse(json(join(root, 'package-lock.json'))).packages);
  const keys = packages
    .filter(([path]) => path !== '')
    .map(([path, { name, version }]) => `${name ?? path.replace(/^.*node_modules\//, '')}@${version}`);
  return [...new Set(keys)].sort();
}

const keyOf = ({ name, version }: { readonly name: string; readonly version: string }) => `${name}@${version}`;
const billOfPackage = () => bill.parse(json(inPackage('dist/cli/sbom.cdx.json')));

describe('the npm package', () => {
  it('has the bundle, what is told about it, and nothing else', () => {
    const unexpected = files.filter((path) => !/^dist\/cli\/[\w.-]+\.js$/.test(path));
    expect(unexpected.sort()).toEqual([
      'CHANGELOG.md',
      'LICENSE',
      'README.md',
      'dist/cli/THIRD-PARTY-NOTICES.txt',
      'dist/cli/sbom.cdx.json',
      'package.json',
      'services/cli/bin.mjs',
    ]);
    expect(json(inPackage('package.json'))).not.toHaveProperty('dependencies');
  });

  it('looks at an organization, far from any checkout', async () => {
    const { env } = await world();
    const cwd = place({ 'policy.yaml': 'version: 1\ndefaults: { computeOptimizer: Active }\n' });
    const options = { cwd, env, entry: [inPackage('services/cli/bin.mjs')] };
    const { version } = z.object({ version: z.string() }).parse(json(join(root, 'package.json')));
    expect(await rollcall(['--version'], options)).toMatchObject({ code: 0, stdout: `${version}\n` });
    const plan = await rollcall(['plan', '--policy', 'policy.yaml', '--json'], options);
    expect(plan, plan.stderr).toMatchObject({ code: 2 });
    expect(JSON.parse(plan.stdout)).toMatchObject({ coverage: { listed: expect.any(Number) } });
  });

  it('says in one line that a Node is too old', async () => {
    const older =
      'data:text/javascript,Object.defineProperty(process,"versions",{value:{...process.versions,node:"20.1.0"}})';
    const options = { cwd: place(), entry: ['--import', older, inPackage('services/cli/bin.mjs')] };
    const { code, stdout, stderr } = await rollcall(['status'], options);
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(/^rollcall needs Node\.js 24 or newer; this is 20\.1\.0\.[^\n]*\n$/);
  });
});

describe('the bill of materials', () => {
  it.each([
    ['linux', undefined, { command: 'npm', args: ['sbom', '--x=y'], shell: false }],
    ['linux', '/n/npm-cli.js', { command: 'node', args: ['/n/npm-cli.js', 'sbom', '--x=y'], shell: false }],
    ['linux', '/y/yarn.js', { command: 'npm', args: ['sbom', '--x=y'], shell: false }],
    ['win32', 'C:\\n\\npm-cli.js', { command: 'node', args: ['C:\\n\\npm-cli.js', 'sbom', '--x=y'], shell: false }],
    // Only a shell starts npm's batch file.
    ['win32', undefined, { command: 'npm sbom --x=y', args: [], shell: true }],
  ] as const)('is asked of npm, on %s with npm_execpath %s', (platform, npm, call) => {
    expect(npmCall(['sbom', '--x=y'], { platform, node: 'node', npm })).toEqual(call);
  });

  it('names what the lock file names, each with a hash and a licence', () => {
    expect(billOfPackage().components.map(keyOf).sort()).toEqual(locked());
  });

  it('tells what is in the bundles from what builds and tests them; each of the former has its licence given along', () => {
    const required = billOfPackage().components.filter(({ scope }) => scope === 'required');
    const names = required.map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(['@aws-sdk/client-sts', 'hono', 'preact', 'uplot', 'zod']));
    for (const name of ['vitest', 'typescript', 'esbuild', 'dynalite', 'osls']) expect(names).not.toContain(name);
    const notices = readFileSync(inPackage('dist/cli/THIRD-PARTY-NOTICES.txt'), 'utf8');
    for (const each of required) expect(notices).toContain(`\n${keyOf(each)} (`);
  });
});

describe('the lock file', () => {
  it('has nothing that its author has given up, and a hash for everything', () => {
    const { packages } = lock.parse(json(join(root, 'package-lock.json')));
    const faults = Object.entries(packages).filter(
      ([path, { deprecated, integrity }]) => path !== '' && (deprecated !== undefined || integrity === undefined),
    );
    expect(faults).toEqual([]);
  });
});
