import { writeFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from 'vitest';
import { databasePath } from '../../../shared/adapters/embedded/file.ts';
import { MIGRATIONS } from '../../../shared/adapters/embedded/schema.ts';
import type { EmbeddedStore } from '../../../shared/adapters/embedded/store.ts';
import { bindOrganization, organizationOf } from '../../../shared/app/coordination/organization-binding.ts';
import { readControls } from '../../../shared/app/guardrails/controls.ts';
import { ORGANIZATION_CHAIN } from '../../../shared/domain/ledger/entry.ts';
import { toIso } from '../../../shared/domain/time.ts';
import { account, facts, record, sealAll } from '../../contract/samples.ts';
import {
  bench,
  copy,
  expectWhole,
  lastEntry,
  reopen,
  restore,
  store,
  suspendIt,
  useStoreAndBackup,
} from './restored-store.ts';

useStoreAndBackup();

describe('without a store to merge', () => {
  it('is halted if no store existed', async () => {
    await suspendIt('ou:/Old');
    await store.backup(copy);
    const dataDir = bench.path('elsewhere');
    const { report, setAside } = await restore({ dataDir });
    expect({ report, setAside }).toMatchObject({
      setAside: null,
      report: { replaced: 'absent', merged: false, lost: null },
    });
    await reopen({ dataDir });
    expect(await readControls(store.registers)).toMatchObject({
      halt: { by: 'user:ben' },
      suspensions: [{ selector: 'ou:/Old' }],
    });
    expect((await lastEntry('StoreRestored'))?.detail?.restore).toEqual({ file: copy, replaced: null, lost: null });
    await expectWhole();
  });

  it('is halted if the store was damaged, and the damaged store is set aside', async () => {
    await store.backup(copy);
    await store.close();
    writeFileSync(databasePath(bench.dataDir), 'ruins');
    const { report, setAside } = await restore();
    expect(report).toMatchObject({ replaced: 'damaged', merged: false });
    expect(setAside).not.toBeNull();
    await reopen();
    expect((await readControls(store.registers)).halt?.by).toBe('user:ben');
  });

  it('keeps the readable parts of a store with a changed schema, and sets it aside', async () => {
    await store.backup(copy);
    await suspendIt('ou:/Late');
    await store.close();
    const db = new DatabaseSync(databasePath(bench.dataDir));
    db.exec("CREATE TRIGGER undo AFTER INSERT ON registers BEGIN DELETE FROM registers WHERE name = 'controls'; END");
    db.close();
    const { report, setAside } = await restore();
    expect(report).toMatchObject({ replaced: 'damaged', merged: true, suspensions: ['ou:/Late'] });
    expect(setAside).not.toBeNull();
    await reopen();
    expect(await readControls(store.registers)).toMatchObject({
      halt: { by: 'user:ben' },
      suspensions: [{ selector: 'ou:/Late' }],
    });
  });

  it('keeps what an older store with an unreadable intent has, and counts the intent', async () => {
    await store.backup(copy);
    await suspendIt('ou:/Late');
    await store.ledger.append(sealAll(account(7), [{ type: 'RemediationStarted', at: toIso(bench.clock.now()) }]));
    await store.records.advance([record(account(7), 1)]);
    await store.close();
    const db = new DatabaseSync(databasePath(bench.dataDir));
    db.exec(`DROP INDEX ledger_approved; PRAGMA user_version = ${MIGRATIONS.length - 1}`);
    db.exec(`UPDATE ledger SET body = substr(body, 1, 50) WHERE chain = '${account(7)}'`);
    db.close();
    const { report } = await restore();
    expect(report).toMatchObject({ replaced: 'store', merged: true, suspensions: ['ou:/Late'], changed: 1 });
  });

  it('names the unreadable register of the replaced store and is still halted', async () => {
    await store.backup(copy);
    await store.registers.write('controls', { halt: 'yes' }, null);
    expect((await restore()).report).toMatchObject({ unreadable: ['controls'] });
    expect((await readControls(store.registers)).halt?.by).toBe('user:ben');
  });
});

describe('another organization', () => {
  const snapshotOf = (organizationId: string) => ({
    ...{ organizationId, managementAccountId: account(1), takenAt: 0, tags: false, accounts: [facts(1)] },
  });

  it.each([
    ['bound', (of: EmbeddedStore, id: string) => bindOrganization(of, { organizationId: id, arn: 'arn:x' }, 0)],
    ['known by its snapshot', (of: EmbeddedStore, id: string) => of.snapshots.save(snapshotOf(id))],
  ])('a backup of one (%s) is refused, and nothing changes', async (_, own) => {
    await own(store, 'o-first');
    await store.backup(copy);
    const dataDir = bench.path('second');
    const second = await bench.open({ dataDir });
    await own(second, 'o-second');
    const before = await second.ledger.head(ORGANIZATION_CHAIN);
    const refused: unknown = await restore({ dataDir }).catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: 'OtherOrganization' });
    expect(String(refused)).toMatch(/organization o-first, but this store belongs to organization o-second/);
    expect(await second.ledger.head(ORGANIZATION_CHAIN)).toEqual(before);
    expect((await readControls(second.registers)).halt).toBeNull();
    expect(await organizationOf(second)).toBe('o-second');
  });

  it('is refused after a restore, too, if only the replaced store knew its organization', async () => {
    await store.backup(copy);
    await store.snapshots.save(snapshotOf('o-first'));
    await restore();
    expect(await organizationOf(store)).toBe('o-first');
    const foreign = bindOrganization(store, { organizationId: 'o-second', arn: 'arn:x' }, 0);
    await expect(foreign).rejects.toMatchObject({ code: 'OtherOrganization' });
  });
});
