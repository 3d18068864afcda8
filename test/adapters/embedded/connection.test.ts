import { renameSync, rmSync, statSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Connection } from '../../../shared/adapters/embedded/connection.ts';
import { databasePath } from '../../../shared/adapters/embedded/file.ts';
import { systemRandom } from '../../../shared/adapters/system/random.ts';
import { StoreError } from '../../../shared/ports/store-error.ts';
import { account, chainOf, draft, range, sealAll, work } from '../../contract/samples.ts';
import { type Bench, makeBench } from './stores.ts';

let bench: Bench;
let file: string;
beforeEach(() => {
  bench = makeBench();
  file = databasePath(bench.dataDir);
});
afterEach(() => bench.dispose());

/** A connection to a scratch table, and a second connection that observes it. */
async function scratch() {
  await bench.open();
  const db = new DatabaseSync(file);
  db.exec('CREATE TABLE scratch (n INTEGER PRIMARY KEY); PRAGMA synchronous = FULL');
  const observer = new DatabaseSync(file);
  const patience = { clock: bench.clock, random: systemRandom, totalMs: 1000 };
  const inode = statSync(file).ino;
  const connection = new Connection({
    db,
    path: file,
    patience,
    readOnly: false,
    durable: true,
    schema: null,
    inode,
    onClose: () => observer.close(),
  });
  const add = (n: number) => connection.write((sql) => sql.run('INSERT INTO scratch VALUES (?)', n));
  const stored = (): number => Number(observer.prepare('SELECT count(*) AS n FROM scratch').get()?.['n']);
  return { connection, add, stored };
}

describe('group commit', () => {
  it('commits all writes of one event-loop turn in one transaction', async () => {
    const { connection, add, stored } = await scratch();
    const seenInside: number[] = [];
    const first = range(20).map((n) => add(n));
    const last = connection.write(() => seenInside.push(stored()));
    await Promise.all([...first, last]);
    // The last write runs before the commit, so the observer does not see the first twenty yet.
    expect(seenInside).toEqual([0]);
    expect(stored()).toBe(20);
    await connection.close();
  });

  it('resolves each write only after it is stored', async () => {
    const { connection, add, stored } = await scratch();
    for (const n of range(5)) {
      await add(n);
      expect(stored()).toBe(n + 1);
    }
    await connection.close();
  });

  it('a failing change does not affect the others', async () => {
    const { connection, add, stored } = await scratch();
    await add(7);
    const outcomes = await Promise.allSettled(range(20).map((n) => add(n)));
    expect(outcomes.flatMap((outcome, n) => (outcome.status === 'rejected' ? [n] : []))).toEqual([7]);
    expect(outcomes[7]).toMatchObject({ reason: { code: 'Internal', resource: file } });
    const half = connection.write((sql) => {
      sql.run('INSERT INTO scratch VALUES (100)');
      throw new Error('half way');
    });
    const [bad, good] = await Promise.allSettled([half, add(101)]);
    expect(bad).toMatchObject({ status: 'rejected', reason: expect.any(StoreError) });
    expect(good.status).toBe('fulfilled');
    expect(stored()).toBe(21);
    await connection.close();
  });

  it('completes earlier writes on close and rejects later ones', async () => {
    const { connection, add } = await scratch();
    const writes = range(600).map((n) => add(n));
    const closing = connection.close();
    await expect(add(1000)).rejects.toMatchObject({ code: 'Closed' });
    await Promise.all([...writes, closing, connection.close()]);
    await expect(connection.read((sql) => sql.get('SELECT 1'))).rejects.toMatchObject({ code: 'Closed' });
    const db = new DatabaseSync(file);
    expect(db.prepare('SELECT count(*) AS n FROM scratch').get()?.['n']).toBe(600);
    db.close();
  });
});

describe('a lock that another process holds', () => {
  const rival = () => {
    const db = new DatabaseSync(file);
    db.exec('BEGIN IMMEDIATE');
    return db;
  };

  it('is awaited without blocking the thread', async () => {
    const store = await bench.open();
    const other = rival();
    const appending = store.ledger.append(chainOf(account(1), 1));
    for (let looks = 0; looks < 5; looks += 1) expect(await bench.clock.advanceToNext()).toBe(true);
    other.exec('COMMIT');
    other.close();
    await bench.clock.advance(1000);
    expect(await appending).toEqual(['appended']);
  });

  it('times out, and nothing is stored', async () => {
    const store = await bench.open({ busyTimeoutMs: 400 });
    const other = rival();
    const writes = Promise.allSettled([store.ledger.append(chainOf(account(1), 1)), store.queue.send([work(1)])]);
    while (await bench.clock.advanceToNext());
    for (const outcome of await writes) {
      expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'Busy', resource: file } });
    }
    other.exec('ROLLBACK');
    other.close();
    expect((await store.ledger.head(account(1))).seq).toBe(0);
    expect((await store.queue.depth()).visible).toBe(0);
    expect(await store.ledger.append(chainOf(account(1), 1))).toEqual(['appended']);
  });

  it('does not block reads', async () => {
    const store = await bench.open();
    await store.ledger.append(chainOf(account(1), 2));
    const other = rival();
    expect(await store.ledger.read(account(1), 0, 10)).toHaveLength(2);
    expect(await store.queue.receive(1, 1000)).toEqual([]);
    other.close();
  });
});

describe('a file that disappears while it is open', () => {
  it('stops every write, because nothing would be persisted', async () => {
    const store = await bench.open();
    await store.ledger.append(chainOf(account(1), 1));
    rmSync(bench.dataDir, { recursive: true });
    await expect(store.queue.send([work(1)])).rejects.toMatchObject({ code: 'Moved', resource: file });
    await expect(store.queue.send([work(1)])).rejects.toThrow(/was deleted while it was open/);
  });

  it('stops every write if it is replaced, too', async () => {
    const store = await bench.open();
    await (await bench.open({ dataDir: bench.path('other') })).close();
    renameSync(databasePath(bench.path('other')), file);
    await expect(store.registers.write('x', 1, null)).rejects.toThrow(/was replaced while it was open/);
  });
});

describe('a full disk', () => {
  it('rejects writes that do not fit, keeps acknowledged ones, and continues when there is space', async () => {
    const store = await bench.open({ maxPages: 140 });
    await store.queue.send(range(300).map((n) => work(n)));
    const deliveries = await store.queue.receive(300, 60_000);
    expect(deliveries).toHaveLength(300);
    let seq = 0;
    let refusal: unknown = null;
    const entries = sealAll(
      account(1),
      range(500).map(() => ({ reason: 'x'.repeat(500) })),
    );
    for (const entry of entries) {
      const outcome = await store.ledger.append([entry]).catch((error: unknown) => {
        refusal = error;
        return [];
      });
      if (outcome[0] !== 'appended') break;
      seq += 1;
    }
    expect(refusal).toBeInstanceOf(StoreError);
    expect(refusal).toMatchObject({ code: 'DiskFull', resource: file });
    expect(String(refusal)).toMatch(/Nothing that was acknowledged is lost/);
    expect(seq).toBeGreaterThan(5);
    expect((await store.ledger.head(account(1))).seq).toBe(seq);
    expect(await store.ledger.read(account(1), 0, 1000)).toEqual(entries.slice(0, seq));

    // Writes that free space succeed, even in one batch with writes that need it.
    const [full, freed] = await Promise.allSettled([
      store.ledger.append(sealAll(account(2), [{ reason: 'x'.repeat(100_000) }])),
      store.queue.acknowledge(deliveries),
    ]);
    expect(full).toMatchObject({ status: 'rejected', reason: { code: 'DiskFull' } });
    expect(freed.status).toBe('fulfilled');
    const next = entries[seq];
    if (next === undefined) throw new Error('the disk was never full');
    expect(await store.ledger.append([next])).toEqual(['appended']);
    await store.close();

    const roomier = await bench.open();
    expect(await roomier.ledger.append(entries.slice(seq + 1))).toEqual(entries.slice(seq + 1).map(() => 'appended'));
    expect(await roomier.ledger.read(account(1), 0, 1000)).toEqual(entries);
    expect((await roomier.queue.depth()).visible).toBe(0);
  });
});

describe('input of callers', () => {
  it('is rejected before anything is stored if a time is invalid', async () => {
    const store = await bench.open();
    const [good] = chainOf(account(1), 1);
    const [bad] = sealAll(account(2), [draft({ chain: account(2), at: 'soon' })]);
    if (!good || !bad) throw new Error('no entries');
    await expect(store.ledger.append([good, bad])).rejects.toThrow(RangeError);
    expect((await store.ledger.head(account(1))).seq).toBe(0);
  });
});
