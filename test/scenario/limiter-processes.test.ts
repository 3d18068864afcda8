import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import * as z from 'zod';

const SCRIPT = fileURLToPath(new URL('../bench/limiter-processes.ts', import.meta.url));
const RATE = 20;
const SECONDS = 8;

const measured = z.object({ calls: z.number(), lastQuarterPerSecond: z.number(), callsOfEach: z.array(z.number()) });

// How close to the budget they come is a figure (`npm run bench -- shared-limiter`): here only what no busy machine can change.
it('processes share one budget over one table, and go on when one is killed', { timeout: 60_000 }, async () => {
  const args = [
    '--workers',
    '3',
    '--rate',
    String(RATE),
    '--seconds',
    String(SECONDS),
    '--reserve-ms',
    '1000',
    '--kill',
    '1',
  ];
  const { stdout } = await promisify(execFile)(process.execPath, [SCRIPT, ...args]);
  const { calls, lastQuarterPerSecond, callsOfEach } = measured.parse(JSON.parse(stdout));
  // Each for itself would make three times as many.
  expect(calls).toBeLessThanOrEqual(1.1 * RATE * (SECONDS + 1));
  expect(lastQuarterPerSecond).toBeGreaterThan(RATE / 10);
  for (const own of callsOfEach.slice(1)) expect(own).toBeGreaterThan(0);
});
