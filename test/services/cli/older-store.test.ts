import { join } from 'node:path';
import { expect, test } from 'vitest';
import { MIGRATIONS } from '../../../shared/adapters/embedded/schema.ts';
import { openEmbeddedStore } from '../../../shared/adapters/embedded/store.ts';
import { systemClock } from '../../../shared/adapters/system/clock.ts';
import { makeNewId } from '../../../shared/adapters/system/ids.ts';
import { HOST } from '../../support/host.ts';
import { ENROLL, ended, expectRefusal, place, rollcall, start, world } from './support.ts';

/** A directory with a store of an earlier version. */
async function upgraded(): Promise<string> {
  const cwd = place({ 'rollcall.yaml': ENROLL });
  const migrations = MIGRATIONS.slice(0, 1);
  const newId = makeNewId(systemClock);
  const store = await openEmbeddedStore({
    ...HOST,
    dataDir: join(cwd, '.rollcall'),
    clock: systemClock,
    newId,
    migrations,
  });
  await store.close();
  return cwd;
}

test('commands that only read refuse a store of an earlier version, and apply upgrades it', async () => {
  const { env } = await world();
  const cwd = await upgraded();
  expectRefusal(await rollcall(['status'], { cwd }), cwd, ['.rollcall', 'rollcall.yaml'], 'schema version 1');
  const applied = await rollcall(['apply', '--yes'], { cwd, env });
  expect(applied.code, applied.stderr).toBe(0);
  expect((await rollcall(['status'], { cwd })).code).toBe(0);
});

test('serve upgrades it too', async () => {
  const { env } = await world();
  const cwd = await upgraded();
  const daemon = start(['serve', '--port', '0'], { cwd, env });
  const end = ended(daemon);
  let said = '';
  daemon.stderr?.on('data', (chunk: Buffer) => {
    const before = said;
    said += chunk.toString();
    if (said.includes(' serving ') && !before.includes(' serving ')) daemon.kill('SIGTERM');
  });
  expect(await end).toMatchObject({ code: 0 });
  expect(said).toContain(' serving ');
});
