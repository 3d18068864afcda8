import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { COMPILE_CACHE } from '../support/compile-cache.ts';
import { hasCommit, LAST_VERSION } from './two-versions.ts';

/** A shallow clone does not have the last version. CI runs in a full one. */
const isInClone = hasCommit(LAST_VERSION);
const MAIN = fileURLToPath(new URL('./main.ts', import.meta.url));

/** `npm run simulate -- …` in a separate process, because it replaces the timers of its process. */
async function simulate(...args: readonly string[]): Promise<{ readonly code: number | null; readonly out: string }> {
  const child = spawn(process.execPath, [MAIN, ...args], {
    env: { ...process.env, ...COMPILE_CACHE },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let out = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (data: Buffer) => {
      out += data.toString();
    });
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  return { code, out };
}

describe('the simulation', () => {
  // CI runs all stored histories, the corpus, and more histories of two versions (`.ci/run`).
  it('breaks no invariant in 6 histories, and each behaves as stored', async () => {
    expect(await simulate('--traces', '--seeds', '6')).toEqual({
      code: 0,
      out: '{"traces":6,"different":[],"broken":0}\n',
    });
  }, 300_000);

  it('repeats the same history for a seed', async () => {
    const first = await simulate('--seed', '12');
    expect(first.out).toContain('--- calm');
    expect((await simulate('--seed', '12')).out).toBe(first.out);
  }, 60_000);

  it('detects a deliberate fault, and reports the seed', async () => {
    const { code, out } = await simulate('--fault', 'call-without-intent');
    expect(out).toMatch(/call-without-intent: noticed by seed \d+ \(invariant 2: .* without an intent that is open\)/);
    expect(code).toBe(0);
  }, 120_000);

  it('loses nothing while processes of the last version share the stores', async () => {
    const { code, out } = await simulate('--two-versions', 'last', '--seeds', '3');
    expect(out).toMatch(isInClone ? /"broken":0/ : /is not in this clone/);
    expect(code).toBe(0);
  }, 300_000);

  it('detects a message that the last version cannot read', async () => {
    const { code, out } = await simulate('--fault', 'message-with-a-new-field');
    expect(out).toMatch(
      isInClone ? /noticed by seed \d+ \(invariant 1: a worker could not read/ : /is not in this clone/,
    );
    expect(code).toBe(0);
  }, 300_000);

  it('rejects unknown faults and invalid numbers', async () => {
    expect(await simulate('--fault', 'none-such')).toMatchObject({ code: 1 });
    expect(await simulate('--seeds', 'many')).toMatchObject({ code: 1 });
  }, 30_000);
});
