import { execFile } from 'node:child_process';
import {
  appendFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const root = resolve(import.meta.dirname, '../../..');

interface Output {
  readonly stdout: string;
  readonly stderr: string;
}

/** A checkout with its own cache, filled by a first start. Its packages are links to those of this checkout. */
const checkout = mkdtempSync(join(tmpdir(), 'rollcall-checkout-'));
const cache = join(checkout, 'node_modules/.cache/rollcall');
let first: Output;
beforeAll(async () => {
  mkdirSync(join(checkout, 'node_modules'));
  for (const part of ['services', 'shared', 'package.json']) {
    cpSync(join(root, part), join(checkout, part), { recursive: true });
  }
  for (const name of readdirSync(join(root, 'node_modules'))) {
    if (!name.startsWith('.')) symlinkSync(join(root, 'node_modules', name), join(checkout, 'node_modules', name));
  }
  writeFileSync(join(checkout, 'rollcall.yaml'), 'version: 1\ndefaults: { computeOptimizer: Active }\n');
  first = await help();
});
afterAll(() => rmSync(checkout, { recursive: true, force: true }));

const PROGRAM = 'services/cli/help/overview.ts';
const HELP = { stdout: expect.stringContaining('Keep every account') };

const run = promisify(execFile);

/** Starts without a cache in the environment, and with Node's report on its use of cached code. @throws for any exit code but 0 */
function start(...args: readonly string[]): Promise<Output> {
  const env = { PATH: process.env['PATH'], NODE_DEBUG_NATIVE: 'COMPILE_CACHE' };
  return run(process.execPath, [join(checkout, 'services/cli/main.mjs'), ...args], {
    cwd: checkout,
    env,
    maxBuffer: 2 ** 24,
  });
}

const help = (): Promise<Output> => start('--help');
/** A command that needs zod and yaml. */
const validate = (): Promise<Output> => start('policy', 'validate');

/** Whether Node reported that it used cached code of this file. */
const usedCacheOf = (file: string, { stderr, stdout }: Output): boolean =>
  `${stderr}${stdout}`.split('\n').some((line) => line.includes(`${file} was accepted`));

describe('a checkout caches its compiled sources', () => {
  it('and uses them at the next start', async () => {
    expect(first).toMatchObject(HELP);
    expect(usedCacheOf(PROGRAM, first)).toBe(false);
    expect(usedCacheOf(PROGRAM, await help())).toBe(true);
  });

  it('and notices a changed file, even with the same size and time', async () => {
    const file = join(checkout, PROGRAM);
    const { atime, mtime } = statSync(file);
    const source = readFileSync(file, 'utf8');
    writeFileSync(file, source.replace('Keep every account', 'Hold every account'));
    utimesSync(file, atime, mtime);
    const changed = await help();
    expect(changed.stdout).toContain('Hold every account');
    expect(usedCacheOf(PROGRAM, changed)).toBe(false);
    expect(usedCacheOf('services/cli/cli.ts', changed)).toBe(true);
    writeFileSync(file, source);
  });

  it('and notices a changed package', async () => {
    const linked = join(checkout, 'node_modules/commander');
    rmSync(linked);
    cpSync(join(root, 'node_modules/commander'), linked, { recursive: true });
    await help();
    const file = join(linked, 'lib/help.js');
    appendFileSync(file, "process.stdout.write('a changed package');");
    const changed = await help();
    expect(changed.stdout).toContain('a changed package');
    expect(usedCacheOf('commander/lib/command.js', changed)).toBe(true);
  });

  it('and ignores damaged entries', async () => {
    for (const entry of readdirSync(cache, { recursive: true, withFileTypes: true })) {
      if (entry.isFile()) truncateSync(join(entry.parentPath, entry.name), 64);
    }
    const again = await help();
    expect(again).toMatchObject(HELP);
    expect(usedCacheOf(PROGRAM, again)).toBe(false);
  });

  it('and two processes can write it at the same time', async () => {
    rmSync(cache, { recursive: true });
    const both = await Promise.all([help(), help()]);
    const after = await help();
    for (const one of [...both, after]) expect(one).toMatchObject(HELP);
    expect(usedCacheOf(PROGRAM, after)).toBe(true);
  });

  it('and runs when the cache cannot be written', async () => {
    rmSync(cache, { recursive: true });
    writeFileSync(cache, 'a file where the directory should be');
    expect(await help()).toMatchObject(HELP);
  });
});

describe('a checkout bundles packages of many files', () => {
  const bundles = join(cache, 'packages');
  const VALID = { stdout: expect.stringContaining('rollcall.yaml is valid') };
  const usedBundle = (output: Output): boolean => usedCacheOf('packages/zod.mjs', output);
  const ownZod = join(checkout, 'node_modules/zod');
  beforeAll(async () => {
    rmSync(cache, { recursive: true });
    rmSync(ownZod);
    cpSync(join(root, 'node_modules/zod'), ownZod, { recursive: true });
    expect(await validate()).toMatchObject(VALID);
  });

  it('and uses the bundles at the next start', async () => {
    const again = await validate();
    expect(again).toMatchObject(VALID);
    expect(usedBundle(again)).toBe(true);
    expect(readdirSync(bundles).sort()).toEqual(['yaml.mjs', 'zod.mjs']);
  });

  it('and notices a changed package, even with the same size and time', async () => {
    const file = join(ownZod, 'v4/core/parse.js');
    const { atime, mtime } = statSync(file);
    const source = readFileSync(file, 'utf8');
    writeFileSync(file, source.replaceAll('success: true', 'success: null'));
    utimesSync(file, atime, mtime);
    await expect(validate()).rejects.toThrow('Command failed');
    writeFileSync(file, source);
    expect(await validate()).toMatchObject(VALID);
  });

  it.each(['zod.mjs', 'yaml.mjs'])('and replaces a damaged bundle: %s', async (name) => {
    const file = join(bundles, name);
    const { size } = statSync(file);
    truncateSync(file, size - 100);
    expect(await validate()).toMatchObject(VALID);
    expect(statSync(file).size).toBe(size);
  });

  it('and two processes can make the bundles at the same time', async () => {
    rmSync(bundles, { recursive: true });
    for (const one of await Promise.all([validate(), validate()])) expect(one).toMatchObject(VALID);
    expect(readdirSync(bundles).sort()).toEqual(['yaml.mjs', 'zod.mjs']);
    expect(usedBundle(await validate())).toBe(true);
  });

  it.each([
    ['the bundles cannot be written', (): void => writeFileSync(bundles, 'a file where the directory should be')],
    ['esbuild is not installed', (): void => rmSync(join(checkout, 'node_modules/esbuild'))],
  ])('and uses the packages themselves if %s', async (_, prepare) => {
    rmSync(bundles, { recursive: true });
    prepare();
    const output = await validate();
    expect(output).toMatchObject(VALID);
    expect(usedBundle(output)).toBe(false);
    rmSync(bundles, { recursive: true, force: true });
    mkdirSync(bundles);
  });

  it('and reports an unsupported version of Node in one line', async () => {
    const older =
      'data:text/javascript,Object.defineProperty(process,"versions",{value:{...process.versions,node:"20.1.0"}})';
    const ended = run(process.execPath, ['--import', older, join(checkout, 'services/cli/main.mjs'), '--help']);
    await expect(ended).rejects.toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringMatching(
        /^rollcall needs Node\.js 24 or newer; this is 20\.1\.0\.[^\n]*npm run rollcall[^\n]*\n$/,
      ),
    });
  });
});
