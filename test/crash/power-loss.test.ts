import { copyFileSync, mkdirSync, statSync, truncateSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { databasePath } from '../../shared/adapters/embedded/file.ts';
import { verifyLedger } from '../../shared/app/queries/audit/verify.ts';
import { type Bench, makeBench } from '../adapters/embedded/stores.ts';
import { account, chainOf } from '../contract/samples.ts';

/*
 * A power loss removes unsynced writes from the write-ahead log. All writes but those of the limiter's registers are synced before they are
 * acknowledged, so the log contains at least the last of those commits, possibly followed by a torn frame.
 */
let bench: Bench;
beforeEach(() => {
  bench = makeBench();
});
afterEach(() => bench.dispose());

const CHAIN = account(1);

describe('the log that a loss of power leaves', () => {
  it.each([
    ['without what was not synced', 0],
    ['with a torn frame of it', 1_000],
    ['with a torn frame header of it', 10],
  ])('%s: what was acknowledged is there, and the limiter begins with an older page', async (_, tail) => {
    const store = await bench.open();
    await store.pacing.write('limiter/shared', { n: 1 }, null);
    await store.ledger.append(chainOf(CHAIN, 20));
    const log = `${databasePath(bench.dataDir)}-wal`;
    const synced = statSync(log).size;
    const before = await store.pacing.read('limiter/shared');
    await store.pacing.write('limiter/shared', { n: 2 }, before?.version ?? null);
    expect(statSync(log).size).toBeGreaterThan(synced + tail);

    // The content of the disk after the power loss.
    const dataDir = bench.path('after');
    mkdirSync(dataDir, { mode: 0o700 });
    const file = databasePath(dataDir);
    copyFileSync(databasePath(bench.dataDir), file);
    copyFileSync(log, join(dirname(file), 'rollcall.db-wal'));
    truncateSync(`${file}-wal`, synced + tail);

    const found = await bench.open({ dataDir });
    expect(await verifyLedger(found.ledger, found.records)).toMatchObject({ ok: true, entries: 20, fault: null });
    expect((await found.pacing.read('limiter/shared'))?.value).toEqual({ n: 1 });
    expect(await found.ledger.append(chainOf(account(2), 1))).toEqual(['appended']);
  });
});
