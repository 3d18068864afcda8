import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { EMPTY_CHAIN } from '../../../shared/domain/ledger/entry.ts';
import { StoreError } from '../../../shared/ports/store-error.ts';
import { account, chainOf, facts, range, record, work } from '../../contract/samples.ts';
import { bench, file, makeStore, useDataDirectory } from './store-file.ts';

useDataDirectory();

describe('creating a store', () => {
  it('creates directory, file and log for the owner only, whatever the umask', async () => {
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

  it('leaves one file after close', async () => {
    await makeStore();
    expect(readdirSync(bench.dataDir)).toEqual(['rollcall.db']);
  });

  it('does not change an existing directory', async () => {
    mkdirSync(bench.dataDir, { mode: 0o755 });
    await makeStore();
    expect(statSync(bench.dataDir).mode & 0o777).toBe(0o755);
  });

  it('creates one store when several processes open it at the same time', async () => {
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

  it('with create: false fails and creates nothing', async () => {
    await expect(bench.open({ create: false })).rejects.toMatchObject({ code: 'NotFound', resource: file });
    await expect(bench.open({ create: false, readOnly: true })).rejects.toMatchObject({ code: 'NotFound' });
    expect(existsSync(bench.dataDir)).toBe(false);
  });

  it('reports a path that cannot be written', async () => {
    // Not even root can create a directory there.
    const error: unknown = await bench.open({ dataDir: '/sys/rollcall' }).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(StoreError);
    expect(error).toMatchObject({ code: 'NotWritable' });
  });
});

describe('reading only', () => {
  it('shows a missing store as empty and creates nothing', async () => {
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

  it('rejects every write', async () => {
    await makeStore();
    const before = readFileSync(file);
    const store = await bench.open({ readOnly: true });
    const delivery = { message: work(1), receipt: '1.x', receives: 1, sentAt: 0, lane: 'urgent' as const };
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

  it('sees the concurrent writes of another process', async () => {
    await makeStore();
    const reader = await bench.open({ readOnly: true });
    const writer = await bench.open();
    await writer.registers.write('lease', 'mine', null);
    expect((await reader.registers.read('lease'))?.value).toBe('mine');
  });
});
