import {
  chmodSync,
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it, onTestFinished } from 'vitest';
import { lookAtEmbedded } from '../../../shared/adapters/embedded/doctor.ts';
import { openStore } from '../../../shared/compose/stores/open-embedded.ts';
import { manualClock } from '../../support/manual-clock.ts';
import { immediateClock } from '../aws/stores.ts';

function place(): string {
  const directory = mkdtempSync(join(tmpdir(), 'rollcall-doctor-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return join(directory, 'data');
}

const inspect = (dataDir: string) => lookAtEmbedded(dataDir, { clock: immediateClock(), random: () => 0 });

/** A data directory with a closed store. */
async function withStore(): Promise<{ readonly dataDir: string; readonly file: string }> {
  const dataDir = place();
  const store = await openStore({ dataDir, clock: manualClock(), readOnly: false });
  await store.close();
  return { dataDir, file: join(dataDir, 'rollcall.db') };
}

describe('the embedded store', () => {
  it('passes if it does not exist yet, and is not created by the check', async () => {
    const dataDir = join(place(), 'deeper', 'still');
    const { dataDirectory, database, writeAheadLog, disk } = inspect(dataDir);
    expect(await dataDirectory()).toMatchObject({ status: 'pass' });
    expect(await database()).toMatchObject({ status: 'skipped', reason: 'missing' });
    expect(await writeAheadLog()).toMatchObject({ status: 'skipped', reason: 'missing' });
    expect(['pass', 'warn']).toContain((await disk()).status);
    expect(() => readdirSync(dataDir)).toThrow('ENOENT');
  });

  it('passes if it exists, and is not changed', async () => {
    const { dataDir } = await withStore();
    const before = readdirSync(dataDir);
    const { dataDirectory, database, writeAheadLog } = inspect(dataDir);
    expect(await dataDirectory()).toMatchObject({ status: 'pass' });
    expect(await database()).toMatchObject({ status: 'pass', message: expect.stringContaining('is sound') });
    expect(await writeAheadLog()).toMatchObject({ status: 'pass' });
    expect(readdirSync(dataDir)).toEqual(before);
  });

  it('fails if it is truncated, of another program, or of a newer version', async () => {
    const cut = await withStore();
    truncateSync(cut.file, 5_000);
    expect(await inspect(cut.dataDir).database()).toMatchObject({
      status: 'fail',
      reason: 'wrong',
      fix: ['rollcall restore BACKUP'],
    });
    const foreign = place();
    mkdirSync(foreign);
    const other = new DatabaseSync(join(foreign, 'rollcall.db'));
    other.exec('CREATE TABLE t (x)');
    other.close();
    expect(await inspect(foreign).database()).toMatchObject({ status: 'fail', reason: 'wrong' });
    expect(await inspect(foreign).writeAheadLog()).toMatchObject({ status: 'warn', reason: 'wrong' });
    const newer = await withStore();
    const db = new DatabaseSync(newer.file);
    db.exec('PRAGMA user_version = 99');
    db.close();
    expect((await inspect(newer.dataDir).database()).message).toContain('newer Rollcall');
  });

  it('warns if other users may read the file, with the command that fixes it', async () => {
    const { dataDir, file } = await withStore();
    chmodSync(file, 0o644);
    expect(await inspect(dataDir).database()).toMatchObject({
      status: 'warn',
      reason: 'wrong',
      fix: [`chmod 600 ${file}`],
    });
  });

  it('reports a log that has grown because a reader keeps it', async () => {
    const { dataDir, file } = await withStore();
    closeSync(openSync(`${file}-wal`, 'w'));
    truncateSync(`${file}-wal`, 300 * 2 ** 20);
    const found = await inspect(dataDir).writeAheadLog();
    expect(found).toMatchObject({
      status: 'warn',
      reason: 'wrong',
      fix: [`sqlite3 ${file} 'PRAGMA wal_checkpoint(TRUNCATE)'`],
    });
    expect(found.message).toContain('300.0 MiB');
  });

  it('fails if the directory is a file', async () => {
    const dataDir = place();
    writeFileSync(dataDir, 'no directory');
    expect(await inspect(dataDir).dataDirectory()).toMatchObject({
      status: 'fail',
      reason: 'wrong',
      fix: [`mv ${dataDir} ${dataDir}.old`],
    });
    expect(await inspect(dataDir).database()).toMatchObject({ status: 'skipped', reason: 'missing' });
    expect((await inspect(dataDir).disk()).status).not.toBe('fail');
  });

  // Permissions do not apply to root.
  it.skipIf(process.getuid?.() === 0)('fails if this user may not write to the directory', async () => {
    const { dataDir } = await withStore();
    chmodSync(dataDir, 0o500);
    onTestFinished(() => chmodSync(dataDir, 0o700));
    expect(await inspect(dataDir).dataDirectory()).toMatchObject({ status: 'fail', reason: 'denied' });
  });
});
