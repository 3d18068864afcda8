import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from 'vitest';
import { MIGRATIONS, type Migration } from '../../../shared/adapters/embedded/schema.ts';
import { account, chainOf, range, sealAll, time, work } from '../../contract/samples.ts';
import { bench, contents, file, makeStore, useDataDirectory, withDatabase } from './store-file.ts';

useDataDirectory();

describe('migration', () => {
  const addNote: Migration = {
    name: 'a note on registers',
    up: (db) =>
      db.exec("ALTER TABLE registers ADD COLUMN note TEXT NOT NULL DEFAULT ''; UPDATE registers SET note = name"),
  };
  const addIndex: Migration = {
    name: 'an index',
    up: (db) => db.exec('CREATE INDEX registers_note ON registers (note)'),
  };
  const version = (): number => {
    const db = new DatabaseSync(file, { readOnly: true });
    const row = db.prepare('PRAGMA user_version').get();
    db.close();
    return Number(row?.['user_version']);
  };

  it('of a store with a damaged entry succeeds, so that the store can be opened and verified', async () => {
    const store = await bench.open();
    await store.ledger.append(sealAll(account(1), [{ type: 'RemediationStarted' }]));
    await store.close();
    withDatabase((db) => {
      db.exec(`DROP INDEX ledger_approved; PRAGMA user_version = ${MIGRATIONS.length - 1}`);
      db.exec('UPDATE ledger SET body = substr(body, 1, 50)');
    });
    const migrated = await bench.open();
    expect((await migrated.ledger.changedSince(time(0))).get(account(1))).toMatchObject({ counted: true });
    await migrated.close();
  });

  it('applies each step and keeps all data', async () => {
    const store = await bench.open();
    await store.registers.write('x', { a: 1 }, null);
    await store.ledger.append(chainOf(account(1), 3));
    await store.close();
    expect(version()).toBe(MIGRATIONS.length);
    const migrated = await bench.open({ migrations: [...MIGRATIONS, addNote, addIndex] });
    expect((await migrated.registers.read('x'))?.value).toEqual({ a: 1 });
    expect((await migrated.ledger.read(account(1), 0, 10)).length).toBe(3);
    await migrated.close();
    expect(version()).toBe(MIGRATIONS.length + 2);
    withDatabase((db) => expect(db.prepare('SELECT note FROM registers').get()?.['note']).toBe('x'));
    await expect(bench.open()).rejects.toMatchObject({ code: 'NewerVersion' });
  });

  it('keeps messages of the version without lanes, and accepts further ones from it', async () => {
    const insert = (db: DatabaseSync, n: number): void => {
      const values = [`work ${n}`, JSON.stringify(work(n)), 0];
      db.prepare('INSERT INTO queue (work, body, visible_at) VALUES (?, ?, ?)').run(...values);
    };
    await (await bench.open({ migrations: MIGRATIONS.slice(0, 5) })).close();
    withDatabase((db) => insert(db, 1));
    const store = await bench.open();
    withDatabase((db) => insert(db, 2));
    await store.queue.send([work(3)], { lane: 'urgent' });
    const received = await store.queue.receive(10, 1_000);
    expect(received.map(({ message, lane }) => [message, lane])).toEqual([
      [work(3), 'urgent'],
      [work(1), 'bulk'],
      [work(2), 'bulk'],
    ]);
    await store.close();
  });

  it('creates a new store with all steps', async () => {
    await (await bench.open({ migrations: [...MIGRATIONS, addNote, addIndex] })).close();
    expect(version()).toBe(MIGRATIONS.length + 2);
  });

  it('rolls back completely to the previous version on failure', async () => {
    await makeStore();
    const broken: Migration = {
      name: 'broken',
      up: (db) => {
        db.exec('DELETE FROM ledger; CREATE TABLE half (a)');
        throw new Error('out of luck');
      },
    };
    await expect(bench.open({ migrations: [...MIGRATIONS, addNote, broken] })).rejects.toThrow(/out of luck/);
    expect(version()).toBe(MIGRATIONS.length + 1);
    withDatabase((db) => expect(db.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'half'").get()).toBeUndefined());
    const store = await bench.open({ migrations: [...MIGRATIONS, addNote] });
    expect(await store.ledger.read(account(1), 0, 10)).toHaveLength(3);
  });

  it('runs once if several processes find it due', async () => {
    await makeStore();
    const migrations = [...MIGRATIONS, addNote, addIndex];
    const stores = await Promise.all(range(4).map(() => bench.open({ migrations })));
    for (const store of stores) expect((await store.ledger.head(account(1))).seq).toBe(3);
    expect(version()).toBe(migrations.length);
  });

  it('is not run by a read-only command', async () => {
    await makeStore();
    const before = contents();
    const opening = bench.open({ readOnly: true, migrations: [...MIGRATIONS, addNote] });
    await expect(opening).rejects.toMatchObject({ code: 'OlderVersion' });
    expect(contents()).toEqual(before);
  });
});
