/** `npm run crash -- [--times 200] [--seed S]`: kills processes at random moments and checks their stores. */
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    times: { type: 'string', default: '200' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
  },
});
process.stdout.write(`${values.times} kills, seed ${values.seed}\n`);
const vitest = join(dirname(createRequire(import.meta.url).resolve('vitest/package.json')), 'vitest.mjs');
const { status } = spawnSync(process.execPath, [vitest, 'run', 'test/crash'], {
  cwd: resolve(import.meta.dirname, '../..'),
  env: { ...process.env, CRASH_TIMES: values.times, CRASH_SEED: values.seed },
  stdio: 'inherit',
});
process.exitCode = status ?? 1;
