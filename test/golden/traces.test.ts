import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const SIMULATION = fileURLToPath(new URL('../simulation/main.ts', import.meta.url));

// `npm run simulate -- --traces` compares all 200.
test('the first 20 histories of the simulation do what is stored of them', () => {
  const { stdout, stderr } = spawnSync(process.execPath, [SIMULATION, '--traces', '--seeds', '20'], {
    encoding: 'utf8',
  });
  expect(stdout, stderr).toBe('{"traces":20,"different":[]}\n');
});
