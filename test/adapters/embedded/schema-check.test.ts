import { readFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { lookAtEmbedded } from '../../../shared/adapters/embedded/doctor.ts';
import { databasePath } from '../../../shared/adapters/embedded/file.ts';
import { MIGRATIONS } from '../../../shared/adapters/embedded/schema.ts';
import { systemClock } from '../../../shared/adapters/system/clock.ts';
import { systemRandom } from '../../../shared/adapters/system/random.ts';
import { restoreStore } from '../../../shared/compose/restore.ts';
import { type Bench, makeBench } from './stores.ts';

let bench: Bench;
let file: string;
beforeEach(async () => {
  bench = makeBench();
  file = databasePath(bench.dataDir);
  const store = await bench.open();
  await store.registers.write('controls', 'halted', null);
  await store.close();
});
afterEach(() => bench.dispose());

function change(sql: string, path: string = file): void {
  const db = new DatabaseSync(path);
  db.enableDefensive(false);
  db.exec(sql);
  db.close();
}

const UNDO_HALT = `CREATE TRIGGER undo AFTER UPDATE ON registers BEGIN DELETE FROM registers WHERE name = 'controls'; END`;

const FOREIGN: readonly (readonly [string, string, RegExp])[] = [
  ['a trigger', UNDO_HALT, /trigger "undo" on table registers, which Rollcall never makes/],
  ['a view', 'CREATE VIEW seen AS SELECT * FROM registers', /view "seen", which Rollcall never makes/],
  ['another table', 'CREATE TABLE mine (a)', /table "mine", which Rollcall never makes/],
  ['another index', 'CREATE INDEX mine ON ledger (body)', /index "mine" on table ledger, which Rollcall never makes/],
  [
    'a view in the place of a table',
    'ALTER TABLE registers RENAME TO hidden; CREATE VIEW registers AS SELECT * FROM hidden WHERE 0',
    /view "registers", which Rollcall never makes/,
  ],
  [
    'a changed table',
    "ALTER TABLE queue ADD COLUMN more TEXT DEFAULT 'x'",
    /table "queue" with a definition that Rollcall never makes/,
  ],
  [
    'a changed index',
    'DROP INDEX ledger_changes; CREATE INDEX ledger_changes ON ledger (at, account_id, opt_out) WHERE 0',
    /index "ledger_changes" on table ledger with a definition/,
  ],
  ['an index missing', 'DROP INDEX records_wake', /no index "records_wake" on table records, which Rollcall makes/],
  ['a table missing', 'DROP TABLE dead_letters', /no table "dead_letters", which Rollcall makes/],
];

describe('a file changed by another program', () => {
  it.each(FOREIGN)('with %s is rejected and not changed', async (_, sql, found) => {
    change(sql);
    const before = readFileSync(file, 'latin1');
    for (const readOnly of [true, false]) {
      const refused: unknown = await bench.open({ readOnly }).catch((error: unknown) => error);
      expect(refused).toMatchObject({ code: 'ForeignSchema', resource: file });
      expect(String(refused)).toMatch(found);
      expect(String(refused)).toMatch(/restore a backup with `rollcall restore FILE`/);
    }
    expect(readFileSync(file, 'latin1') === before).toBe(true);
    const inspection = lookAtEmbedded(bench.dataDir, { clock: systemClock, random: systemRandom });
    expect(await inspection.database()).toMatchObject({ status: 'fail', fix: ['rollcall restore BACKUP'] });
  });

  it.each(FOREIGN)('with %s is rejected as a backup', async (_, sql, found) => {
    const backup = bench.path('backup.db');
    const store = await bench.open();
    await store.backup(backup);
    change(sql, backup);
    const options = {
      dataDir: bench.dataDir,
      file: backup,
      actor: 'user:test',
      clock: systemClock,
      newId: bench.newId,
    };
    const refused: unknown = await restoreStore(options).catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: 'ForeignSchema', resource: backup });
    expect(String(refused)).toMatch(found);
    expect((await store.registers.read('controls'))?.value).toBe('halted');
  });

  it('is detected by a process that has it open, before its next write', async () => {
    const store = await bench.open();
    const before = await store.registers.read('controls');
    change(UNDO_HALT);
    const written = store.registers.write('controls', 'halted again', before?.version ?? null);
    await expect(written).rejects.toMatchObject({ code: 'ForeignSchema' });
    await expect(store.pacing.write('limiter', 1, null)).rejects.toMatchObject({ code: 'ForeignSchema' });
    expect((await store.registers.read('controls'))?.value).toBe('halted');
  });

  it('may have the statistics of ANALYZE, even while it is open', async () => {
    const store = await bench.open();
    change('ANALYZE');
    expect(await store.registers.write('other', 1, null)).not.toBeNull();
    await store.close();
    expect((await (await bench.open()).registers.read('controls'))?.value).toBe('halted');
  });
});

it('an older version is compared with its own schema, then migrated', async () => {
  const dataDir = bench.path('older');
  await (await bench.open({ dataDir, migrations: MIGRATIONS.slice(0, 1) })).close();
  change('CREATE VIEW seen AS SELECT 1', databasePath(dataDir));
  await expect(bench.open({ dataDir })).rejects.toMatchObject({ code: 'ForeignSchema' });
  change('DROP VIEW seen', databasePath(dataDir));
  expect(await (await bench.open({ dataDir })).registers.read('controls')).toBeNull();
});

it('a daemon of an older version stops writing after a newer one migrated the file', async () => {
  const store = await bench.open();
  const migrations = [...MIGRATIONS, { name: 'more', up: (db: DatabaseSync) => db.exec('CREATE TABLE more (a)') }];
  await (await bench.open({ migrations })).close();
  await expect(store.registers.write('other', 1, null)).rejects.toMatchObject({ code: 'NewerVersion' });
});
