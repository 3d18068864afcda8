import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MIGRATIONS } from '../../../shared/adapters/embedded/schema.ts';
import { replaceDamaged } from '../../../shared/adapters/embedded/set-aside.ts';
import { checkLink, EMPTY_CHAIN, headOf } from '../../../shared/domain/ledger/entry.ts';
import { account, chainOf, range, sealAll, work } from '../../contract/samples.ts';
import { bench, copy, expectFilled, file, fill, restore, useStoreFile } from './filled-store.ts';
import { runChild } from './processes.ts';

useStoreFile();

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

function rm(path: string): void {
  rmSync(path, { recursive: true, force: true });
}

function rootPage(path: string, index: string): number {
  const db = new DatabaseSync(path, { readOnly: true });
  const row = db.prepare('SELECT rootpage FROM sqlite_schema WHERE name = ?').get(index);
  db.close();
  return Number(row?.['rootpage']);
}

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
    // A restore never changes the backup.
    if (existsSync(copy)) expect(readFileSync(copy, 'latin1') === backedUp).toBe(true);
  });
  const names = () => readdirSync(bench.dataDir).toSorted();

  it('creates a missing store', async () => {
    expect(await restore()).toEqual({ path: file, copy: null, setAside: null, report: null });
    expect(names()).toEqual(['rollcall.db']);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(statSync(bench.dataDir).mode & 0o777).toBe(0o700);
    await expectFilled(await bench.open());
  });

  it('replaces the state of a closed store', async () => {
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

  it('replaces the state of a store that this and another process have open, and both continue with it', async () => {
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

  it('while another process uses the store, leaves one intact store and copies of every removed entry', async () => {
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

  it('gives every register a new version', async () => {
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

  it('if killed while it sets a damaged store aside, leaves a file that no process opens as a store', async () => {
    const store = await bench.open();
    await store.registers.write('lease', 'mine', null);
    await store.close();
    const ruins = readFileSync(file);
    const aside = `${file}.damaged-1`;
    // The draft is missing, so the last step fails and leaves the same files as a killed process.
    expect(() => replaceDamaged(file, { aside, draft: `${file}.gone` })).toThrow(/ENOENT/);
    await expect(bench.open()).rejects.toMatchObject({ code: 'Corrupt', resource: file });
    expect(readFileSync(aside).equals(ruins)).toBe(true);
    await restore();
    await expectFilled(await bench.open());
  });

  it('sets aside a log without its file, so that the new file does not use it', async () => {
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
  ])('rejects a backup that is %s and does not change the store', async (_, code, spoil) => {
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
    // An index leaf in the middle of the file: only the full check detects it.
    const root = rootPage(large, 'ledger_actor');
    bytes.fill(0xee, (root - 1) * 4096, root * 4096);
    writeFileSync(large, bytes);
    await expect(restore({ file: large })).rejects.toMatchObject({ code: 'Corrupt', resource: large });
    expect(existsSync(file)).toBe(false);
  });

  it('refuses to replace a file of another program', async () => {
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

  it('migrates an older backup', async () => {
    const migrations = [...MIGRATIONS, { name: 'more', up: (db: DatabaseSync) => db.exec('CREATE TABLE more (a)') }];
    await restore({ migrations });
    await expect(bench.open()).rejects.toMatchObject({ code: 'NewerVersion' });
    await expectFilled(await bench.open({ migrations }));
  });

  it('fails if another process holds the lock, and does not change the store', async () => {
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

  /** Changes the header of the backup. */
  function withCopy(change: string): void {
    writeFileSync(copy, Buffer.from(backedUp, 'latin1'));
    const db = new DatabaseSync(copy);
    db.exec(change);
    db.close();
  }
});
