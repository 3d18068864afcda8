import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { databasePath } from '../../../shared/adapters/embedded/file.ts';
import { systemClock } from '../../../shared/adapters/system/clock.ts';
import { checkLink, EMPTY_CHAIN, headOf } from '../../../shared/domain/ledger/entry.ts';
import { account, range, sealAll } from '../../contract/samples.ts';
import { bench, copy, expectFilled, file, fill, restore, useStoreFile } from './filled-store.ts';
import { runChild } from './processes.ts';

useStoreFile();

describe('backup', () => {
  it('is one complete file, readable only by its owner, that opens as a store', async () => {
    const store = await bench.open();
    await fill(store);
    await store.backup(copy);
    expect(statSync(copy).mode & 0o777).toBe(0o600);
    expect(readdirSync(bench.path('.')).toSorted()).toEqual(['backup.db', 'data']);
    mkdirSync(bench.path('elsewhere'));
    writeFileSync(databasePath(bench.path('elsewhere')), readFileSync(copy));
    await expectFilled(await bench.open({ dataDir: bench.path('elsewhere') }));
  });

  it('shows one moment, while this and other processes write', async () => {
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

  it('never overwrites a file', async () => {
    const store = await bench.open();
    writeFileSync(copy, 'dear');
    await expect(store.backup(copy)).rejects.toMatchObject({ code: 'Exists', resource: copy });
    expect(readFileSync(copy, 'utf8')).toBe('dear');
    await expect(store.backup(bench.dataDir)).rejects.toMatchObject({ code: 'Exists' });
    await expect(store.backup(file)).rejects.toMatchObject({ code: 'Exists' });
  });

  it('names the path that cannot be written and leaves no partial file', async () => {
    const store = await bench.open();
    await expect(store.backup(bench.path('missing/backup.db'))).rejects.toMatchObject({ code: 'NotFound' });
    await expect(store.backup('/sys/backup.db')).rejects.toMatchObject({ code: 'NotWritable' });
    writeFileSync(bench.path('plain'), '');
    await expect(store.backup(bench.path('plain/backup.db'))).rejects.toMatchObject({ code: 'NotADirectory' });
    expect(readdirSync(bench.path('.')).toSorted()).toEqual(['data', 'plain']);
  });

  it('can be created by a read-only command', async () => {
    await fill(await bench.open());
    const reader = await bench.open({ readOnly: true });
    await reader.backup(copy);
    await restore({ dataDir: bench.path('restored') });
    await expectFilled(await bench.open({ dataDir: bench.path('restored') }));
  });
});
