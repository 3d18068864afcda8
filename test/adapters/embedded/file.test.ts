import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { databasePath } from '../../../shared/adapters/embedded/file.ts';
import { MIGRATIONS, type Migration } from '../../../shared/adapters/embedded/schema.ts';
import { sha256Hex } from '../../../shared/domain/canonical-hash.ts';
import { EMPTY_CHAIN } from '../../../shared/domain/ledger/entry.ts';
import { StoreError } from '../../../shared/ports/store-error.ts';
import { account, chainOf, facts, range, record, work } from '../../contract/samples.ts';
import { type Bench, makeBench } from './stores.ts';

let bench: Bench;
let file: string;
beforeEach(() => {
  bench = makeBench();
  file = databasePath(bench.dataDir);
});
afterEach(() => bench.dispose());

/** Everything in the data directory: a hash of each file, by name. The shared memory of a log counts by its name alone. */
function contents(): Readonly<Record<string, string>> {
  const hash = (name: string) => sha256Hex(readFileSync(join(bench.dataDir, name)).toString('latin1'));
  const names = readdirSync(bench.dataDir).toSorted();
  return Object.fromEntries(names.map((name) => [name, name.endsWith('-shm') ? '' : hash(name)]));
}

/** Opening fails so, and leaves everything as it is. */
async function expectRefused(code: string, message: RegExp): Promise<void> {
  const before = contents();
  for (const readOnly of [false, true]) {
    const error: unknown = await bench.open({ readOnly }).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(StoreError);
    expect(error).toMatchObject({ code, resource: file });
    expect(String(error)).toMatch(message);
    expect(contents()).toEqual(before);
  }
}

async function makeStore(entries = 3): Promise<void> {
  const store = await bench.open();
  await store.ledger.append(chainOf(account(1), entries));
  await store.close();
}

function withDatabase(change: (db: DatabaseSync) => void): void {
  const db = new DatabaseSync(file);
  change(db);
  db.close();
}

describe('making a store', () => {
  it('makes the directory and the file for the owner only, whatever the umask, and the log as well', async () => {
    const umask = process.umask(0);
    try {
      const store = await bench.open();
      await store.queue.send([work(1)]);
    } finally {
      process.umask(umask);
    }
    expect(statSync(bench.dataDir).mode & 0o777).toBe(0o700);
    const names = readdirSync(bench.dataDir).toSorted();
    expect(names).toEqual(['rollcall.db', 'rollcall.db-shm', 'rollcall.db-wal']);
    for (const name of names) expect(statSync(join(bench.dataDir, name)).mode & 0o777).toBe(0o600);
  });

  it('leaves one file when it is closed', async () => {
    await makeStore();
    expect(readdirSync(bench.dataDir)).toEqual(['rollcall.db']);
  });

  it('leaves a directory that exists as it is', async () => {
    mkdirSync(bench.dataDir, { mode: 0o755 });
    await makeStore();
    expect(statSync(bench.dataDir).mode & 0o777).toBe(0o755);
  });

  it('makes one store when several open it at the same time', async () => {
    const stores = await Promise.all(range(5).map(() => bench.open()));
    await stores[0]?.ledger.append(chainOf(account(1), 1));
    for (const store of stores) expect((await store.ledger.head(account(1))).seq).toBe(1);
    expect(readdirSync(bench.dataDir).filter((name) => name.endsWith('.new'))).toEqual([]);
  });

  it('refuses a data directory that is a file', async () => {
    writeFileSync(bench.dataDir, 'a file');
    await expect(bench.open()).rejects.toMatchObject({ code: 'NotADirectory', resource: bench.dataDir });
    await expect(bench.open({ readOnly: true })).rejects.toMatchObject({ code: 'NotADirectory' });
    await expect(bench.open({ dataDir: join(bench.dataDir, 'deeper') })).rejects.toMatchObject({
      code: 'NotADirectory',
    });
    expect(readFileSync(bench.dataDir, 'utf8')).toBe('a file');
  });

  it('with create: false refuses and makes nothing', async () => {
    await expect(bench.open({ create: false })).rejects.toMatchObject({ code: 'NotFound', resource: file });
    await expect(bench.open({ create: false, readOnly: true })).rejects.toMatchObject({ code: 'NotFound' });
    expect(existsSync(bench.dataDir)).toBe(false);
  });

  it('says so where nothing can be written', async () => {
    // Not even root can make a directory there.
    const error: unknown = await bench.open({ dataDir: '/sys/rollcall' }).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(StoreError);
    expect(error).toMatchObject({ code: 'NotWritable' });
  });
});

describe('reading only', () => {
  it('sees an empty store where there is none, and makes nothing', async () => {
    const store = await bench.open({ readOnly: true });
    expect(await store.ledger.head(account(1))).toEqual(EMPTY_CHAIN);
    expect(await store.ledger.query({ type: 'ScanStarted' }, { limit: 5 })).toEqual({ entries: [], next: null });
    expect(await store.queue.depth()).toEqual({ visible: 0, inFlight: 0, dead: 0 });
    expect(await store.queue.receive(1, 1000)).toEqual([]);
    expect(await store.registers.list('')).toEqual([]);
    expect(await store.snapshots.load()).toBeNull();
    await expect(store.backup(bench.path('backup.db'))).rejects.toMatchObject({ code: 'NotFound' });
    await store.close();
    expect(existsSync(bench.dataDir)).toBe(false);
  });

  it('refuses every write', async () => {
    await makeStore();
    const before = readFileSync(file);
    const store = await bench.open({ readOnly: true });
    const delivery = { message: work(1), receipt: '1.x', receives: 1 };
    const writes = [
      () => store.ledger.append(chainOf(account(2), 1)),
      () => store.ledger.markPublished(chainOf(account(1), 1)),
      () => store.records.advance([record(account(1), 1)]),
      () => store.records.snooze(account(1), 1, null),
      () => store.queue.send([work(1)]),
      () => store.queue.acknowledge([delivery]),
      () => store.queue.release(delivery, 1),
      () => store.queue.deadLetter(delivery, { code: 'x', message: 'x', entryId: null }),
      () => store.deadLetters.redrive(['x']),
      () => store.registers.write('x', 1, null),
      () => store.registers.remove('x', '1'),
      () => store.snapshots.refresh([facts(1)]),
    ];
    for (const write of writes) await expect(write()).rejects.toMatchObject({ code: 'NotWritable' });
    expect((await store.ledger.head(account(1))).seq).toBe(3);
    await store.close();
    expect(readFileSync(file).equals(before)).toBe(true);
  });

  it('sees what another process writes meanwhile', async () => {
    await makeStore();
    const reader = await bench.open({ readOnly: true });
    const writer = await bench.open();
    await writer.registers.write('lease', 'mine', null);
    expect((await reader.registers.read('lease'))?.value).toBe('mine');
  });
});

describe('a file that must not be touched', () => {
  beforeEach(() => makeStore());

  it('is one that is no database', async () => {
    writeFileSync(file, 'the quick brown fox jumps over the lazy dog'.repeat(100));
    await expectRefused('Corrupt', /not an SQLite database.*left as it is.*rollcall restore/);
  });

  it('is an empty one, and one of a few bytes', async () => {
    writeFileSync(file, '');
    await expectRefused('Corrupt', /the file is empty/);
    writeFileSync(file, 'SQLite');
    await expectRefused('Corrupt', /not an SQLite database/);
  });

  it('is one that is cut off', async () => {
    truncateSync(file, statSync(file).size - 4096);
    await expectRefused('Corrupt', /cut off: it has \d+ bytes of \d+/);
  });

  it('is one with damage inside', async () => {
    const bytes = readFileSync(file);
    // Behind the header page: the roots of tables and indices.
    bytes.fill(0xa5, 4096, 16_384);
    writeFileSync(file, bytes);
    await expectRefused('Corrupt', /damaged/);
  });

  it("is another program's", async () => {
    unlinkSync(file);
    withDatabase((db) => db.exec('CREATE TABLE mine (a); PRAGMA application_id = 7'));
    await expectRefused('ForeignFile', /another program \(application id 7\), expected Rollcall's/);
    unlinkSync(file);
    withDatabase((db) => db.exec('CREATE TABLE mine (a)'));
    await expectRefused('ForeignFile', /another program/);
  });

  it('is one of a newer version', async () => {
    withDatabase((db) => db.exec('PRAGMA user_version = 99'));
    await expectRefused('NewerVersion', /schema version 99.*newer Rollcall, expected at most \d+.*left as it is/);
  });

  it('is one of a newer version that only its log tells of', async () => {
    const db = new DatabaseSync(file);
    db.exec('PRAGMA wal_autocheckpoint = 0; PRAGMA user_version = 99');
    expect(readFileSync(file).readInt32BE(60)).toBe(MIGRATIONS.length);
    await expectRefused('NewerVersion', /schema version 99/);
    db.close();
  });

  it('is a log whose file is gone', async () => {
    const db = new DatabaseSync(file);
    db.exec('PRAGMA wal_autocheckpoint = 0; CREATE TABLE x (a)');
    unlinkSync(file);
    await expectRefused('Corrupt', /the file is gone, but its log/);
    db.close();
  });

  it('is no file at all', async () => {
    unlinkSync(file);
    mkdirSync(file);
    await expect(bench.open()).rejects.toMatchObject({ code: 'Corrupt', resource: file });
  });
});

describe('damage that shows later', () => {
  it('is told with its place, and the rest stays readable', async () => {
    await makeStore();
    withDatabase((db) => db.exec("UPDATE ledger SET body = 'no JSON' WHERE seq = 2"));
    const store = await bench.open();
    expect(await store.ledger.read(account(1), 2, 1)).toHaveLength(1);
    const error: unknown = await store.ledger.read(account(1), 1, 1).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'Corrupt', resource: file });
    expect(String(error)).toMatch(/a ledger entry is not JSON/);
    withDatabase((db) => db.exec(`UPDATE ledger SET body = '{"seq":"2"}' WHERE seq = 2`));
    await expect(store.ledger.read(account(1), 1, 1)).rejects.toThrow(/has not the shape/);
  });
});

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

  it('goes forward step by step and keeps everything', async () => {
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

  it('makes a new store with all steps', async () => {
    await (await bench.open({ migrations: [...MIGRATIONS, addNote, addIndex] })).close();
    expect(version()).toBe(MIGRATIONS.length + 2);
  });

  it('that fails leaves the version before it, whole', async () => {
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

  it('is done once when several processes find it due', async () => {
    await makeStore();
    const migrations = [...MIGRATIONS, addNote, addIndex];
    const stores = await Promise.all(range(4).map(() => bench.open({ migrations })));
    for (const store of stores) expect((await store.ledger.head(account(1))).seq).toBe(3);
    expect(version()).toBe(migrations.length);
  });

  it('is not done by a command that only reads', async () => {
    await makeStore();
    const before = contents();
    const opening = bench.open({ readOnly: true, migrations: [...MIGRATIONS, addNote] });
    await expect(opening).rejects.toMatchObject({ code: 'OlderVersion' });
    expect(contents()).toEqual(before);
  });
});
