import { readdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { place, refused, rollcall } from './support.ts';

test.each([
  [
    ['completion', 'powershell'],
    'error: unknown shell powershell: expected bash, zsh or fish\n  See: rollcall completion --help',
  ],
  [['status', 'now'], 'error: unexpected argument now\n  See: rollcall status --help'],
  [['halt', 'all', 'now'], 'error: unexpected arguments all now\n  See: rollcall halt --help'],
])('%j names the argument', async (args, message) => {
  expect(await refused(args)).toBe(message);
});

test.each([
  ['halt'],
  ['resume', 'all'],
  ['resume', '--yes'],
  ['suspend', '111122223333'],
  ['approve', '0123456789ab'],
  ['audit', 'list'],
  ['audit', 'verify'],
  ['dlq', 'list'],
  ['backup', 'b.db'],
])('%s without a store asks for the right folder before it names scan', async (...args) => {
  const cwd = place();
  const { code, stderr } = await rollcall(args, { cwd });
  expect([code, stderr]).toEqual([
    1,
    'error: there is no store in .rollcall\n' +
      '  Is this the wrong folder? Use --data-dir DIR or --store aws\n' +
      '  To create a new store, run: rollcall scan\n' +
      'rollcall: exit code 1 (error)\n',
  ]);
  expect(readdirSync(cwd)).toEqual([]);
});
