import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { databasePath } from '../../../shared/adapters/embedded/file.ts';
import { type RestoreOptions, restoreEmbeddedStore } from '../../../shared/adapters/embedded/restore.ts';
import { MIGRATIONS } from '../../../shared/adapters/embedded/schema.ts';
import { replaceDamaged } from '../../../shared/adapters/embedded/set-aside.ts';
import type { EmbeddedStore } from '../../../shared/adapters/embedded/store.ts';
import { systemClock } from '../../../shared/adapters/system/clock.ts';
import { checkLink, EMPTY_CHAIN, headOf } from '../../../shared/domain/ledger/entry.ts';
import type { Reconcile } from '../../../shared/ports/restore.ts';
import { account, chainOf, facts, range, record, sealAll, work } from '../../contract/samples.ts';
import { HOST } from '../../support/host.ts';
import { runChild } from './processes.ts';
import { type Bench, makeBench } from './stores.ts';

let bench: Bench;
let file: string;
let copy: string;
beforeEach(() => {
  bench = makeBench();
  file = databasePath(bench.dataDir);
  copy = bench.path('backup.db');
});
afterEach(() => bench.dispose());

/** All of the backup and nothing of what it replaces; `restore.test.ts` is about what is kept. */
const onlyTheBackup: Reconcile<null> = (backup) => ({ registers: backup.registers(), drafts: [], report: null });

const restore = (options: Partial<RestoreOptions<null>> = {}) =>
  restoreEmbeddedStore({
    ...HOST,
    ...{ dataDir: bench.dataDir, file: copy, reconcile: onlyTheBackup, clock: systemClock, newId: bench.newId },
    ...options,
  });

async function fill(store: EmbeddedStore): Promise<void> {
  await store.ledger.append([...chainOf(account(1), 3), ...chainOf(account(2), 2)]);
  await store.records.advance([record(account(1), 3)]);
  await store.queue.send([work(1)]);
  await store.registers.write('lease', 'before', null);
  await store.snapshots.refresh([facts(1)]);
}

/** The hash of every entry in a store's file. */
function hashesIn(path: string): readonly string[] {
  const db = new DatabaseSync(path, { readOnly: true });
  try {
    return db
      .prepare('SELECT hash FROM ledger')
      .all()
      .map((row) => String(row['hash']));
  } finally {
    db.close();
  }
}

async function expectFilled(store: EmbeddedStore): Promise<void> {
  expect(await store.ledger.read(account(1), 0, 10)).toEqual(chainOf(account(1), 3));
  expect(await store.ledger.chains(null, 10)).toEqual([account(1), account(2)]);
  expect(await store.records.get(account(1))).toEqual(record(account(1), 3));
  expect((await store.registers.read('lease'))?.value).toBe('before');
  expect(await store.snapshots.get(account(1))).toEqual(facts(1));
  const [delivery, ...others] = await store.queue.receive(10, 1000);
  expect(delivery?.message).toEqual(work(1));
  expect(others).toEqual([]);
}

describe('backup', () => {
  it('is one complete file for the owner only, of which a store can be opened', async () => {
    const store = await bench.open();
    await fill(store);
    await store.backup(copy);
    expect(statSync(copy).mode & 0o777).toBe(0o600);
    expect(readdirSync(bench.path('.')).toSorted()).toEqual(['backup.db', 'data']);
    mkdirSync(bench.path('elsewhere'));
    writeFileSync(databasePath(bench.path('elsewhere')), readFileSync(copy));
    await expectFilled(await bench.open({ dataDir: bench.path('elsewhere') }));
  });

  it('is of one moment, while this and other processes write', async () => {
    const store = await bench.open({ clock: systemClock });
    const writing = Promise.all(range(2).map((n) => runChild('append', bench.dataDir, `process ${n}`)));
    const own = Promise.all(
      sealAll(
        account(50),
        range(200).map((n) => ({ reason: `${n}` })),
      ).map((entry) => store.ledger.append([entry])),
    );
    for (const n of range(5)) await store.backup(bench.path(`${n}.db`));
    await Promise.all([writing, own]);
    await store.backup(copy);
    let largest = 0;
    for (const name of [...range(5).map((n) => bench.path(`${n}.db`)), copy]) {
      const dataDir = `${name}.restored`;
      await restore({ file: name, dataDir });
      const restored = await bench.open({ dataDir });
      let entries = 0;
      for (const chain of await restored.ledger.chains(null, 100)) {
        let head = EMPTY_CHAIN;
        for (const entry of await restored.ledger.read(chain, 0, 10_000)) {
          expect(checkLink(head, entry)).toBeNull();
          head = headOf(entry);
          entries += 1;
        }
        expect(await restored.ledger.head(chain)).toEqual(head);
      }
      expect(entries).toBeGreaterThanOrEqual(largest);
      largest = entries;
    }
    expect(largest).toBe(200 + 2 * 5 * 60);
  });

  it('overwrites nothing', async () => {
    const store = await bench.open();
    writeFileSync(copy, 'dear');
    await expect(store.backup(copy)).rejects.toMatchObject({ code: 'Exists', resource: copy });
    expect(readFileSync(copy, 'utf8')).toBe('dear');
    await expect(store.backup(bench.dataDir)).rejects.toMatchObject({ code: 'Exists' });
    await expect(store.backup(file)).rejects.toMatchObject({ code: 'Exists' });
  });

  it('says where it cannot be written, and leaves nothing half made', async () => {
    const store = await bench.open();
    await expect(store.backup(bench.path('missing/backup.db'))).rejects.toMatchObject({ code: 'NotFound' });
    await expect(store.backup('/sys/backup.db')).rejects.toMatchObject({ code: 'NotWritable' });
    writeFileSync(bench.path('plain'), '');
    await expect(store.backup(bench.path('plain/backup.db'))).rejects.toMatchObject({ code: 'NotADirectory' });
    expect(readdirSync(bench.path('.')).toSorted()).toEqual(['data', 'plain']);
  });

  it('can be made by a command that only reads', async () => {
    await fill(await bench.open());
    const reader = await bench.open({ readOnly: true });
    await reader.backup(copy);
    await restore({ dataDir: bench.path('restored') });
    await expectFilled(await bench.open({ dataDir: bench.path('restored') }));
  });
});

describe('restore', () => {
  let backedUp: string;
  beforeEach(async () => {
    const store = await bench.open({ dataDir: bench.path('origin') });
    await fill(store);
    await store.backup(copy);
    await store.close();
    backedUp = readFileSync(copy, 'latin1');
  });
  afterEach(() => {
    // Whatever happens, a backup is only read.
    if (existsSync(copy)) expect(readFileSync(copy, 'latin1') === backedUp).toBe(true);
  });
  const names = () => readdirSync(bench.dataDir).toSorted();

  it('makes a store where there was none', async () => {
    expect(await restore()).toEqual({ path: file, copy: null, setAside: null, report: null });
    expect(names()).toEqual(['rollcall.db']);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(statSync(bench.dataDir).mode & 0o777).toBe(0o700);
    await expectFilled(await bench.open());
  });

  it('replaces the state of a store that is closed', async () => {
    const store = await bench.open();
    await store.ledger.append(chainOf(account(9), 50));
    await store.close();
    const { copy: kept } = await restore();
    expect(names()).toEqual([basename(kept ?? ''), 'rollcall.db']);
    expect(statSync(kept ?? '').mode & 0o777).toBe(0o600);
    const restored = await bench.open();
    expect((await restored.ledger.head(account(9))).seq).toBe(0);
    await expectFilled(restored);
  });

  it('replaces the state of a store that is open, here and elsewhere, and they go on with it', async () => {
    const store = await bench.open();
    const other = await bench.open();
    const reader = await bench.open({ readOnly: true });
    await store.ledger.append(chainOf(account(1), 5));
    await other.registers.write('lease', 'after', null);
    await restore();
    for (const each of [store, other, reader]) {
      expect((await each.ledger.head(account(1))).seq).toBe(3);
      expect((await each.registers.read('lease'))?.value).toBe('before');
    }
    const [next] = sealAll(account(1), [{}], await store.ledger.head(account(1)));
    if (next === undefined) throw new Error('no entry');
    expect(await other.ledger.append([next])).toEqual(['appended']);
    expect(await reader.ledger.head(account(1))).toEqual(headOf(next));
    await other.queue.send([work(2)]);
    expect((await store.queue.depth()).visible).toBe(2);
  });

  it('while another process works on the store, leaves one sound store, and copies of every entry that it removed', async () => {
    await (await bench.open()).close();
    let working = true;
    const child = runChild('append', bench.dataDir, 'process 1').finally(() => {
      working = false;
    });
    const copies: (string | null)[] = [];
    for (let times = 0; working; times += 1) {
      if (times < 40) copies.push((await restore()).copy);
      else await child;
    }
    const { lines } = await child;
    const store = await bench.open();
    const kept = new Set((await Promise.all([file, ...copies].map((each) => hashesIn(each ?? '')))).flat());
    expect(lines.filter(({ hash }) => !kept.has(String(hash)))).toEqual([]);
    for (const chain of await store.ledger.chains(null, 100)) {
      let head = EMPTY_CHAIN;
      for (const entry of await store.ledger.read(chain, 0, 10_000)) {
        expect(checkLink(head, entry)).toBeNull();
        head = headOf(entry);
      }
      expect(await store.ledger.head(chain)).toEqual(head);
    }
    expect((await store.ledger.head(account(2))).seq).toBeGreaterThanOrEqual(2);
  });

  it('makes every version of a register a new one', async () => {
    const store = await bench.open({ dataDir: bench.path('origin') });
    const before = await store.registers.read('lease');
    const seen = new Set([before?.version]);
    for (const round of range(3)) {
      await restore({ dataDir: bench.path('origin') });
      expect(await store.registers.write('lease', 'stale', before?.version ?? '')).toBeNull();
      const now = await store.registers.read('lease');
      expect(now?.value).toBe('before');
      const written = await store.registers.write('lease', round, now?.version ?? '');
      for (const version of [now?.version, written]) {
        expect(seen.has(version ?? undefined)).toBe(false);
        seen.add(version ?? undefined);
      }
    }
  });

  it('sets a damaged store aside and never deletes it', async () => {
    mkdirSync(bench.dataDir);
    writeFileSync(file, 'ruins');
    const { setAside } = await restore();
    expect(setAside).not.toBeNull();
    expect(readFileSync(setAside ?? '', 'utf8')).toBe('ruins');
    await expectFilled(await bench.open());
  });

  it('killed while it sets a damaged store aside, leaves a file that no process takes for a store', async () => {
    const store = await bench.open();
    await store.registers.write('lease', 'mine', null);
    await store.close();
    const ruins = readFileSync(file);
    const aside = `${file}.damaged-1`;
    // The draft is missing, so the last step fails: what is there then is what a killed process leaves.
    expect(() => replaceDamaged(file, { aside, draft: `${file}.gone` })).toThrow(/ENOENT/);
    await expect(bench.open()).rejects.toMatchObject({ code: 'Corrupt', resource: file });
    expect(readFileSync(aside).equals(ruins)).toBe(true);
    await restore();
    await expectFilled(await bench.open());
  });

  it('sets a log aside whose file is gone, lest it be mistaken for the new file’s', async () => {
    mkdirSync(bench.dataDir);
    writeFileSync(`${file}-wal`, 'orphan');
    const { setAside } = await restore();
    expect(readFileSync(`${setAside}-wal`, 'utf8')).toBe('orphan');
    await expectFilled(await bench.open());
  });

  it.each([
    ['no database', 'Corrupt', () => writeFileSync(copy, 'x'.repeat(5000))],
    ['an empty file', 'Corrupt', () => writeFileSync(copy, '')],
    ['a directory', 'Corrupt', () => mkdirSync(copy)],
    ['cut off', 'Corrupt', () => writeFileSync(copy, Buffer.from(backedUp, 'latin1').subarray(0, -8192))],
    ["another program's", 'ForeignFile', () => withCopy('PRAGMA application_id = 3')],
    ["a newer version's", 'NewerVersion', () => withCopy('PRAGMA user_version = 50')],
    ['missing', 'NotFound', () => undefined],
  ])('refuses a backup that is %s, and leaves the store as it is', async (_, code, spoil) => {
    const store = await bench.open();
    await store.registers.write('lease', 'mine', null);
    rm(copy);
    spoil();
    const error: unknown = await restore().catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code, resource: copy });
    if (code !== 'NotFound') expect(String(error)).toMatch(/The store was left as it is. Use another backup/);
    expect((await store.registers.read('lease'))?.value).toBe('mine');
    expect(names().filter((name) => name.includes('restore'))).toEqual([]);
    if (existsSync(copy) && statSync(copy).isFile()) backedUp = readFileSync(copy, 'latin1');
    else rm(copy);
  });

  it('finds damage anywhere in a large backup', async () => {
    const large = bench.path('large.db');
    const store = await bench.open({ dataDir: bench.path('origin') });
    await store.ledger.append(
      sealAll(
        account(7),
        range(60).map(() => ({ reason: 'x'.repeat(300_000) })),
      ),
    );
    await store.backup(large);
    const bytes = readFileSync(large);
    expect(bytes.length).toBeGreaterThan(17 * 2 ** 20);
    // An index leaf in the middle of nowhere: found by the full check alone.
    const root = rootPage(large, 'ledger_actor');
    bytes.fill(0xee, (root - 1) * 4096, root * 4096);
    writeFileSync(large, bytes);
    await expect(restore({ file: large })).rejects.toMatchObject({ code: 'Corrupt', resource: large });
    expect(existsSync(file)).toBe(false);
  });

  it('refuses to replace what is not ours to replace', async () => {
    mkdirSync(bench.dataDir);
    const db = new DatabaseSync(file);
    db.exec('CREATE TABLE mine (a)');
    db.close();
    await expect(restore()).rejects.toMatchObject({ code: 'ForeignFile', resource: file });
    const newer = new DatabaseSync(file);
    newer.exec(`PRAGMA application_id = ${0x524f4c4c}; PRAGMA user_version = 50`);
    newer.close();
    await expect(restore()).rejects.toMatchObject({ code: 'NewerVersion', resource: file });
    expect(names()).toEqual(['rollcall.db']);
  });

  it('brings an older backup forward', async () => {
    const migrations = [...MIGRATIONS, { name: 'more', up: (db: DatabaseSync) => db.exec('CREATE TABLE more (a)') }];
    await restore({ migrations });
    await expect(bench.open()).rejects.toMatchObject({ code: 'NewerVersion' });
    await expectFilled(await bench.open({ migrations }));
  });

  it('gives up when another process holds the lock, and leaves the store as it is', async () => {
    const store = await bench.open();
    await store.registers.write('lease', 'mine', null);
    const rival = new DatabaseSync(file);
    rival.exec('BEGIN IMMEDIATE');
    await expect(restore({ busyTimeoutMs: 100 })).rejects.toMatchObject({ code: 'Busy', resource: file });
    rival.close();
    expect((await store.registers.read('lease'))?.value).toBe('mine');
    expect(names().filter((name) => name.includes('restore'))).toEqual([]);
  });

  it('refuses a data directory that is a file', async () => {
    await expect(restore({ dataDir: copy })).rejects.toMatchObject({ code: 'NotADirectory' });
    await expect(restore({ dataDir: join(copy, 'deeper') })).rejects.toMatchObject({ code: 'NotADirectory' });
  });

  /** The backup with something changed in its header. */
  function withCopy(change: string): void {
    writeFileSync(copy, Buffer.from(backedUp, 'latin1'));
    const db = new DatabaseSync(copy);
    db.exec(change);
    db.close();
  }
});

function rm(path: string): void {
  rmSync(path, { recursive: true, force: true });
}

function rootPage(path: string, index: string): number {
  const db = new DatabaseSync(path, { readOnly: true });
  const row = db.prepare('SELECT rootpage FROM sqlite_schema WHERE name = ?').get(index);
  db.close();
  return Number(row?.['rootpage']);
}
