import { mkdirSync, readFileSync, statSync, truncateSync, unlinkSync, writeFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { beforeEach, describe, expect, it } from 'vitest';
import { MIGRATIONS } from '../../../shared/adapters/embedded/schema.ts';
import { StoreError } from '../../../shared/ports/store-error.ts';
import { account } from '../../contract/samples.ts';
import { bench, contents, file, makeStore, useDataDirectory, withDatabase } from './store-file.ts';

useDataDirectory();

/** Expects that opening fails with this error and changes no file. */
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

describe('a file that must not be touched', () => {
  beforeEach(() => makeStore());

  it('is one that is not a database', async () => {
    writeFileSync(file, 'the quick brown fox jumps over the lazy dog'.repeat(100));
    await expectRefused('Corrupt', /not an SQLite database.*left as it is.*rollcall restore/);
  });

  it('is an empty one or one of a few bytes', async () => {
    writeFileSync(file, '');
    await expectRefused('Corrupt', /the file is empty/);
    writeFileSync(file, 'SQLite');
    await expectRefused('Corrupt', /not an SQLite database/);
  });

  it('is a truncated one', async () => {
    truncateSync(file, statSync(file).size - 4096);
    await expectRefused('Corrupt', /cut off: it has \d+ bytes of \d+/);
  });

  it('is one with damage inside', async () => {
    const bytes = readFileSync(file);
    // After the header page: the roots of tables and indices.
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

  it('is one of a newer version, recorded only in its log', async () => {
    const db = new DatabaseSync(file);
    db.exec('PRAGMA wal_autocheckpoint = 0; PRAGMA user_version = 99');
    expect(readFileSync(file).readInt32BE(60)).toBe(MIGRATIONS.length);
    await expectRefused('NewerVersion', /schema version 99/);
    db.close();
  });

  it('is a log without its database file', async () => {
    const db = new DatabaseSync(file);
    db.exec('PRAGMA wal_autocheckpoint = 0; CREATE TABLE x (a)');
    unlinkSync(file);
    await expectRefused('Corrupt', /the file is gone, but its log/);
    db.close();
  });

  it('is not a regular file', async () => {
    unlinkSync(file);
    mkdirSync(file);
    await expect(bench.open()).rejects.toMatchObject({ code: 'Corrupt', resource: file });
  });
});

describe('damage detected after opening', () => {
  it('is reported with its location, and the rest stays readable', async () => {
    await makeStore();
    withDatabase((db) => db.exec("UPDATE ledger SET body = 'no JSON' WHERE seq = 2"));
    const store = await bench.open();
    expect(await store.ledger.read(account(1), 2, 1)).toHaveLength(1);
    const error: unknown = await store.ledger.read(account(1), 1, 1).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'Corrupt', resource: file });
    expect(String(error)).toMatch(/a ledger entry is not JSON/);
    withDatabase((db) => db.exec(`UPDATE ledger SET body = '{"seq":"2"}' WHERE seq = 2`));
    await expect(store.ledger.read(account(1), 1, 1)).rejects.toThrow(/does not have the expected form/);
  });
});
