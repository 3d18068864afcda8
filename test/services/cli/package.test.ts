import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import * as z from 'zod';
import { readDockerfile } from '../../infra/dockerfile.ts';
import { startAwsWorld } from '../../support/aws-world.ts';
import { keyOf } from '../../support/bundled-packages.ts';
import { ENROLL, ended, place, said, saidBy, spawned, start, world } from './support.ts';

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
let tarball: string;
beforeAll(() => {
  // Not in the temporary directory of the tests, which may not permit to run a program.
  directory = mkdtempSync(join(inject('children'), 'package-'));
  const options = { encoding: 'utf8', env: { ...process.env, npm_config_cache: join(directory, 'cache') } } as const;
  // As the README says: `npm pack` in a checkout.
  const pack = ['pack', '--silent', '--pack-destination', directory];
  tarball = join(directory, execFileSync('npm', pack, { ...options, cwd: root }).trim());
  const install = ['install', '--silent', '--offline', '--prefix', directory, tarball];
  execFileSync('npm', install, { ...options, cwd: directory });
}, 120_000);
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const inPackage = (path: string): string => join(directory, 'node_modules/rollcall', path);
const billOfPackage = () => bill.parse(json(inPackage('sbom.cdx.json')));
const manifest = z.looseObject({ version: z.string() }).parse(json(join(root, 'package.json')));

describe('the npm package', () => {
  it('contains only the bundle, its description, and the templates and examples that the documentation names', () => {
    expect(readdirSync(inPackage('.')).sort()).toEqual([
      'CHANGELOG.md',
      'LICENSE',
      'README.md',
      'THIRD-PARTY-NOTICES.txt',
      'bin.mjs',
      'cli',
      'examples',
      'infra',
      'package.json',
      'sbom.cdx.json',
    ]);
    expect(existsSync(inPackage('infra/member-role.yml'))).toBe(true);
    expect(readdirSync(inPackage('examples'))).toEqual(readdirSync(join(root, 'examples')));
    expect(readdirSync(inPackage('cli')).filter((file) => !/^[\w.-]+\.js$/.test(file))).toEqual([]);
  });

  it('has a manifest without scripts and dependencies that can be published', () => {
    const { name, version, description, keywords, license, type, engines } = manifest;
    expect(json(inPackage('package.json'))).toMatchObject({
      ...{ name, version, description, keywords, license, type, engines },
      bin: { rollcall: 'bin.mjs' },
      files: expect.arrayContaining(['bin.mjs', 'cli', 'examples', 'infra/member-role.yml', 'sbom.cdx.json']),
    });
    const checkoutOnly = ['scripts', 'dependencies', 'devDependencies', 'private', 'allowScripts'];
    for (const member of checkoutOnly) expect(json(inPackage('package.json'))).not.toHaveProperty(member);
  });

  it('installs as one package, with a working command', () => {
    expect(readdirSync(join(directory, 'node_modules')).filter((name) => !name.startsWith('.'))).toEqual(['rollcall']);
    const command = join(directory, 'node_modules/.bin/rollcall');
    const run = (option: string): string => execFileSync(command, [option], { cwd: directory, encoding: 'utf8' });
    expect(run('--version')).toBe(`${manifest.version}\n`);
    expect(run('--help')).toMatch(/^Usage: rollcall /m);
  });

  it('runs the demo from its tarball with npx, without an installation', () => {
    const cwd = place();
    const env = { PATH: process.env['PATH'] ?? '', HOME: cwd, npm_config_cache: join(directory, 'cache') };
    const npx = ['--yes', '--offline', '--package', tarball, '--', 'rollcall', 'demo', '--help'];
    expect(execFileSync('npx', npx, { cwd, env, encoding: 'utf8' })).toMatch(/^Usage: rollcall demo /m);
  });

  it('has no link in its README to a file that is not in it', () => {
    const links = [
      ...readFileSync(inPackage('README.md'), 'utf8').matchAll(/\]\(([^)\s#]+)[^)]*\)|src(?:set)?="([^"]+)"/g),
    ];
    const targets = links.map(([, link, source]) => link ?? source ?? '').filter((each) => !/^https?:/.test(each));
    expect(targets.filter((target) => !existsSync(inPackage(target)))).toEqual([]);
  });

  it('says where to find the documentation pages that it names, because it does not contain them', () => {
    const files = readdirSync(inPackage('.'), { recursive: true, encoding: 'utf8' }).filter((file) =>
      statSync(inPackage(file)).isFile(),
    );
    const named = files.flatMap((file) => {
      const text = readFileSync(inPackage(file), 'utf8');
      return [...text.matchAll(/(.{13})docs\/[\w-]+\/[\w-]+\.md(?:#[\w-]+)?(.{0,27})/gs)].map((match) => ({
        file,
        match,
      }));
    });
    const isTemplate = (file: string): boolean =>
      file.startsWith('infra/') || /^cli\/organization\.template/.test(file);
    const unclear = named.filter(({ file, match: [, before = '', after = ''] }) => {
      const isFound = after.startsWith(' of the Rollcall repository') || before.endsWith('runbook_url: ');
      // The bundle names none; the descriptions of alarms name them for readers of the deployed stack.
      return file !== 'CHANGELOG.md' && file !== 'README.md' && !(isTemplate(file) && isFound);
    });
    expect(unclear.map(({ file, match: [page] }) => `${file}: ${page}`)).toEqual([]);
    expect(named.some(({ file }) => file.startsWith('cli/organization.template'))).toBe(true);
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

  it('names its own template in the commands of doctor', async () => {
    const { env, running } = await world();
    running.sandbox.setFaults([{ operation: 'GetEnrollmentStatus', kind: 'denied' }]);
    const doctor = await spawned(['doctor'], { cwd: place(), env, entry: [inPackage('bin.mjs')] });
    const [, template = ''] = /update-stack-set .*--template-body file:\/\/(\S+)/.exec(doctor.stdout) ?? [];
    expect(template, doctor.stdout).toBe(inPackage('infra/member-role.yml'));
    expect(existsSync(template)).toBe(true);
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

const filesOf = (path: string): readonly string[] => readdirSync(path, { recursive: true, encoding: 'utf8' }).sort();

describe('the container', { timeout: 180_000 }, () => {
  // The files of the package are those of the image.
  const healthCheck = (cwd: string, url: string) =>
    spawned([`${url}api/health`], { cwd, entry: [inPackage('infra/container/health-check.mjs')] });
  const { image } = readDockerfile();

  async function serves(args: readonly string[], cwd: string, env: Readonly<Record<string, string>>): Promise<void> {
    const data = join(cwd, 'data');
    mkdirSync(data);
    const settings = { ROLLCALL_POLICY: join(cwd, 'rollcall.yaml'), ROLLCALL_DATA_DIR: data };
    expect(Object.keys(image.environment)).toEqual(expect.arrayContaining(Object.keys(settings)));
    const token = { ROLLCALL_TOKEN_OPERATE: randomUUID() };
    const options = { cwd, env: { ...env, ...settings, ...token }, entry: [inPackage('bin.mjs')] };
    // Without an engine, nothing makes the file system read-only for root. So the cache cannot be written, and the test looks for new files.
    rmSync(inPackage('.cache'), { recursive: true, force: true });
    writeFileSync(inPackage('.cache'), 'a file where the directory should be');
    const before = filesOf(inPackage('.'));
    const daemon = start([...image.command, ...args, '--port', '0'], options);
    const end = ended(daemon);
    const [url] = await Promise.all([saidBy(daemon, /dashboard at (\S+)/), said(daemon, ' serving ')]);
    const healthy = await healthCheck(cwd, url);
    daemon.kill('SIGTERM');
    const { code, stderr } = await end;
    expect([healthy.code, healthy.stderr, code], stderr).toEqual([0, '', 0]);
    expect(readdirSync(cwd).sort()).toEqual(['data', 'rollcall.yaml']);
    expect(filesOf(inPackage('.'))).toEqual(before);
    rmSync(inPackage('.cache'));
    const stopped = await healthCheck(cwd, url);
    expect([stopped.code, stopped.stderr]).toEqual([1, expect.stringContaining(`${url}api/health: `)]);
  }

  it('serves with the embedded store, writes only into the data directory, and answers the health check', async () => {
    const { env } = await world();
    await serves([], place({ 'rollcall.yaml': ENROLL }), env);
  });

  it('serves with the store on AWS, writes no file, and answers the health check', async () => {
    const { env } = await startAwsWorld({ accounts: 12, drift: 0.3, seed: 3 });
    await serves(['--store', 'aws'], place({ 'rollcall.yaml': ENROLL }), env);
  });
});

describe('the checkout', () => {
  it('cannot be published by mistake', () => {
    expect(manifest).toMatchObject({ private: true });
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
