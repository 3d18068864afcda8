import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import * as z from 'zod';
import { keyOf } from '../../support/bundled-packages.ts';
import { place, spawned, world } from './support.ts';

const root = resolve(import.meta.dirname, '../../..');
const json = (path: string): unknown => JSON.parse(readFileSync(path, 'utf8'));

const bill = z.object({
  metadata: z.object({ component: z.object({ name: z.literal('rollcall'), version: z.string() }) }),
  components: z.array(
    z.object({
      group: z.string().optional(),
      name: z.string(),
      version: z.string(),
      scope: z.literal('required'),
      purl: z.string().startsWith('pkg:npm/'),
      hashes: z.array(z.object({ alg: z.literal('SHA-512'), content: z.hex().length(128) })).length(1),
      licenses: z.array(z.unknown()).min(1),
    }),
  ),
});
const lock = z.object({
  packages: z.record(
    z.string(),
    z.object({
      integrity: z.string().optional(),
      deprecated: z.string().optional(),
    }),
  ),
});

/** The package, installed from its tarball into an empty folder. */
let directory: string;
beforeAll(() => {
  // Not in the temporary directory of the tests, which may not permit to run a program.
  directory = mkdtempSync(join(inject('children'), 'package-'));
  const made = join(directory, 'made');
  execFileSync(process.execPath, [join(root, 'services/cli/build.ts'), made], { stdio: 'pipe' });
  // As before a release: the compiled code that this run caches must not be published.
  execFileSync(process.execPath, [join(made, 'bin.mjs'), '--version']);
  const options = {
    cwd: directory,
    encoding: 'utf8',
    env: { ...process.env, npm_config_cache: join(directory, 'cache') },
  } as const;
  const tarball = execFileSync('npm', ['pack', '--silent', made], options).trim();
  execFileSync('npm', ['install', '--silent', '--offline', '--prefix', directory, `./${tarball}`], options);
}, 120_000);
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const inPackage = (path: string): string => join(directory, 'node_modules/rollcall', path);
const billOfPackage = () => bill.parse(json(inPackage('sbom.cdx.json')));
const manifest = z.looseObject({ version: z.string() }).parse(json(join(root, 'package.json')));

describe('the npm package', () => {
  it('contains only the bundle and its description', () => {
    expect(readdirSync(inPackage('.')).sort()).toEqual([
      'CHANGELOG.md',
      'LICENSE',
      'README.md',
      'THIRD-PARTY-NOTICES.txt',
      'bin.mjs',
      'cli',
      'package.json',
      'sbom.cdx.json',
    ]);
    expect(readdirSync(inPackage('cli')).filter((file) => !/^[\w.-]+\.js$/.test(file))).toEqual([]);
  });

  it('has a manifest without scripts and dependencies that can be published', () => {
    const { name, version, description, keywords, license, type, engines } = manifest;
    expect(json(inPackage('package.json'))).toEqual({
      ...{ name, version, description, keywords, license, type, engines },
      bin: { rollcall: 'bin.mjs' },
      files: ['bin.mjs', 'cli', 'CHANGELOG.md', 'THIRD-PARTY-NOTICES.txt', 'sbom.cdx.json'],
    });
  });

  it('installs as one package, with a working command', () => {
    expect(readdirSync(join(directory, 'node_modules')).filter((name) => !name.startsWith('.'))).toEqual(['rollcall']);
    const command = join(directory, 'node_modules/.bin/rollcall');
    const run = (option: string): string => execFileSync(command, [option], { cwd: directory, encoding: 'utf8' });
    expect(run('--version')).toBe(`${manifest.version}\n`);
    expect(run('--help')).toMatch(/^Usage: rollcall /m);
  });

  it('keeps its compiled code in its own directory, and runs if it cannot', () => {
    const help = (): string =>
      execFileSync(process.execPath, [inPackage('bin.mjs'), '--help'], { cwd: directory, encoding: 'utf8' });
    const cache = inPackage('.cache');
    help();
    expect(readdirSync(cache, { recursive: true }).length).toBeGreaterThan(1);
    rmSync(cache, { recursive: true });
    writeFileSync(cache, 'a file where the directory should be');
    expect(help()).toMatch(/^Usage: rollcall /m);
    rmSync(cache);
  });

  it('makes a plan without the sources', async () => {
    const { env } = await world();
    const cwd = place({ 'policy.yaml': 'version: 1\ndefaults: { computeOptimizer: Active }\n' });
    const options = { cwd, env, entry: [inPackage('bin.mjs')] };
    const plan = await spawned(['plan', '--policy', 'policy.yaml', '--json'], options);
    expect(plan, plan.stderr).toMatchObject({ code: 2 });
    expect(JSON.parse(plan.stdout)).toMatchObject({ coverage: { listed: expect.any(Number) } });
  });

  it('reports an unsupported version of Node in one line', async () => {
    const older =
      'data:text/javascript,Object.defineProperty(process,"versions",{value:{...process.versions,node:"20.1.0"}})';
    const options = { cwd: place(), entry: ['--import', older, inPackage('bin.mjs')] };
    const { code, stdout, stderr } = await spawned(['status'], options);
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(/^rollcall needs Node\.js 24 or newer; this is 20\.1\.0\.[^\n]*\n$/);
  });
});

describe('the checkout', () => {
  it('cannot be packed or published by mistake', () => {
    expect(manifest).toMatchObject({ private: true });
    const pack = () => execFileSync('npm', ['pack', '--silent'], { cwd: root, encoding: 'utf8', stdio: 'pipe' });
    expect(pack).toThrow(/npm run npm-package/);
    expect(existsSync(join(root, `rollcall-${manifest.version}.tgz`))).toBe(false);
  });
});

describe('the bill of materials', () => {
  it('lists the packages in the CLI and the dashboard, with the licence text of each', () => {
    const { components } = billOfPackage();
    const names = components.map(({ group, name }) => (group === undefined ? name : `${group}/${name}`));
    const shipped = ['@aws-sdk/client-sts', '@preact/signals', 'hono', 'preact', 'zod'];
    expect(names).toEqual(expect.arrayContaining(shipped));
    for (const name of ['vitest', 'typescript', 'esbuild', 'dynalite', 'osls']) expect(names).not.toContain(name);
    const notices = readFileSync(inPackage('THIRD-PARTY-NOTICES.txt'), 'utf8');
    for (const each of components) expect(notices).toContain(`\n${keyOf(each)} (`);
  });

  it('contains the hashes of the lock file', () => {
    const { packages } = lock.parse(json(join(root, 'package-lock.json')));
    const integrity = packages['node_modules/zod']?.integrity ?? expect.fail('zod is not in the lock file');
    const zod = billOfPackage().components.find(({ name }) => name === 'zod');
    const hex = Buffer.from(integrity.replace(/^sha512-/, ''), 'base64').toString('hex');
    expect(zod?.hashes).toEqual([{ alg: 'SHA-512', content: hex }]);
  });
});

describe('the lock file', () => {
  it('has no deprecated package, and a hash for each', () => {
    const { packages } = lock.parse(json(join(root, 'package-lock.json')));
    const faults = Object.entries(packages).filter(
      ([path, { deprecated, integrity }]) => path !== '' && (deprecated !== undefined || integrity === undefined),
    );
    expect(faults).toEqual([]);
  });
});
