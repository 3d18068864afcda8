import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { verifyShape } from './audit-shapes.ts';
import { runInProcess } from './in-process.ts';
import { errorShape } from './shapes.ts';
import { signedStore } from './signed-store.ts';
import { bare, json, rollcall } from './support.ts';

test('restore without a terminal replaces a store only with --yes', async () => {
  const { cwd, append } = await signedStore();
  const restore = (...args: string[]) => rollcall(['restore', 'b.db', ...args], { cwd });
  expect((await rollcall(['backup', 'b.db'], { cwd })).code).toBe(0);
  await append(2);
  const entries = async () => verifyShape.parse(json(await rollcall(['audit', 'verify', '--json'], { cwd }))).entries;
  const before = await entries();
  const refused = await restore();
  expect([refused.code, refused.stdout]).toEqual([1, '']);
  expect(refused.stderr).toMatch(
    /^error: restore asks for confirmation before it replaces the store, and this is not a terminal\n {2}The store: 5 entries, newest .*\. The backup: 3 entries, newest .*\.\n {2}To replace the store without confirmation: rollcall restore b\.db --yes$/m,
  );
  expect(errorShape.parse(json(await restore('--json'))).error.code).toBe('ConfirmationMissing');
  expect(await entries()).toBe(before);
  expect((await restore('--yes')).code).toBe(0);
  // Without a store there is nothing to confirm.
  const empty = ['--data-dir', 'new'];
  expect((await restore(...empty)).code).toBe(0);
  expect((await restore(...empty)).code).toBe(1);
});

test('restore on a terminal asks, and names what would be lost', async () => {
  const { cwd, append } = await signedStore();
  expect((await rollcall(['backup', 'b.db'], { cwd })).code).toBe(0);
  await append(2);
  const restore = (args: readonly string[], ...answers: string[]) =>
    runInProcess(['restore', ...args], {
      cwd,
      env: { ...bare({ cwd }), NO_COLOR: '1' },
      terminal: { columns: 100, answers },
    });
  const entries = async () => verifyShape.parse(json(await rollcall(['audit', 'verify', '--json'], { cwd }))).entries;
  const before = await entries();
  const refused = await restore(['b.db'], 'n');
  expect(refused.code).toBe(1);
  expect(refused.stderr).toMatch(
    /^Replace the store \(5 entries, newest 20\S+ \S+ UTC\) with b\.db \(3 entries, newest 20\S+ \S+ UTC\)\? \[y\/N\] Nothing was changed\.\n$/,
  );
  expect(await entries()).toBe(before);
  expect((await restore(['b.db'], 'y')).code).toBe(0);
  expect((await restore(['b.db', '--yes'])).stderr).not.toContain('[y/N]');
  // Nothing is asked about a backup that cannot be used.
  writeFileSync(join(cwd, 'text.db'), 'no database\n');
  for (const file of ['text.db', 'gone.db']) {
    const bad = await restore([file]);
    expect([bad.code, bad.stderr.includes('[y/N]')]).toEqual([1, false]);
  }
  expect(readFileSync(join(cwd, 'text.db'), 'utf8')).toBe('no database\n');
});
