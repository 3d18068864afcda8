import { describe, expect, it } from 'vitest';
import {
  ACCOUNT_OVERRIDES,
  mergeRefreshed,
  recordRefreshed,
  saveMerged,
} from '../../../../shared/app/survey/account-overrides.ts';
import type { OrganizationAccount } from '../../../../shared/domain/policy/index.ts';
import type { OrganizationSnapshot } from '../../../../shared/ports/cloud.ts';
import type { SnapshotStore } from '../../../../shared/ports/snapshot-store.ts';
import { MEMBER, NOW } from '../../../support/domain-kit.ts';
import { reconcilerBed } from '../../../support/reconciler-bed.ts';

const bed = reconcilerBed();
const MINUTE = 60_000;
const snapshotOf = (tags: boolean, takenAt: number) => ({
  ...{ organizationId: 'o-abc1234567', managementAccountId: '100000000000', takenAt, tags },
  accounts: [{ ...MEMBER, ou: '/Scanned', tags: tags ? { env: 'index' } : null }],
});

/** The account as merged into a scan that began this long after it was read on its own, with these tags. */
async function mergedAfter(ms: number, tags = true, live: Record<string, string> | null = { env: 'live' }) {
  const { registers, snapshots } = (await bed.open()).store;
  await recordRefreshed(registers, new Map([[MEMBER.id, { ...MEMBER, ou: '/Read', tags: live }]]), NOW);
  const { accounts } = await mergeRefreshed({ registers, snapshots }, snapshotOf(tags, NOW + ms));
  const [account] = accounts;
  return [account?.ou, account?.tags];
}

describe('an account that was read on its own', () => {
  it('during a scan replaces that of the scan', async () => {
    expect(await mergedAfter(-MINUTE)).toEqual(['/Read', { env: 'live' }]);
  });

  it('shortly before a scan keeps its tags, because the index may lag behind', async () => {
    expect(await mergedAfter(MINUTE)).toEqual(['/Scanned', { env: 'live' }]);
    expect(await mergedAfter(16 * MINUTE)).toEqual(['/Scanned', { env: 'index' }]);
  });

  it('without tags, or before a scan without tags, gets those of the scan', async () => {
    expect(await mergedAfter(MINUTE, true, null)).toEqual(['/Scanned', { env: 'index' }]);
    expect(await mergedAfter(MINUTE, false)).toEqual(['/Scanned', null]);
  });

  it('by a version that did not note what it had read is taken from the stored snapshot', async () => {
    const { registers, snapshots } = (await bed.open()).store;
    await snapshots.save(snapshotOf(false, NOW - MINUTE));
    await snapshots.refresh([{ ...MEMBER, ou: '/Read' }]);
    await registers.write(ACCOUNT_OVERRIDES.name, { accounts: { [MEMBER.id]: NOW } }, null);
    const { accounts } = await mergeRefreshed({ registers, snapshots }, snapshotOf(false, NOW - MINUTE));
    expect(accounts.map(({ ou }) => ou)).toEqual(['/Read']);
  });
});

describe('an account that an event handler reads while a scan stores its snapshot', () => {
  const NEWCOMER: OrganizationAccount = { ...MEMBER, id: '300000000099', ou: '/New', tags: null };

  /** The accounts that the scan uses, and those that are stored, if the handler acts just before the snapshot is replaced. */
  async function saved(read: ReadonlyMap<string, OrganizationAccount | null>, refresh: 'before' | 'after') {
    const { registers, snapshots } = (await bed.open()).store;
    const change = async (): Promise<void> => {
      await snapshots.refresh([...read.values()].flatMap((account) => account ?? []));
      await snapshots.remove([...read].flatMap(([id, account]) => (account === null ? [id] : [])));
    };
    await snapshots.save(snapshotOf(false, NOW - 2 * MINUTE));
    const racing: SnapshotStore = Object.create(snapshots, {
      save: {
        value: async (snapshot: OrganizationSnapshot) => {
          await recordRefreshed(registers, read, NOW);
          if (refresh === 'before') await change();
          await snapshots.save(snapshot);
        },
      },
    });
    const used = await saveMerged({ registers, snapshots: racing }, snapshotOf(false, NOW - MINUTE));
    if (refresh === 'after') await change();
    const stored = await snapshots.load();
    return [used, stored].map((snapshot) => snapshot?.accounts.map(({ id, ou }) => `${id} ${ou}`));
  }

  it.each(['before', 'after'] as const)(
    'stays as the handler read it, also if it changes the snapshot %s that',
    async (refresh) => {
      const moved = `${MEMBER.id} /Moved`;
      const read = new Map(
        [MEMBER, NEWCOMER].map((each) => [each.id, each === MEMBER ? { ...each, ou: '/Moved' } : each]),
      );
      expect(await saved(read, refresh)).toEqual([
        [moved, `${NEWCOMER.id} /New`],
        [moved, `${NEWCOMER.id} /New`],
      ]);
    },
  );

  it.each(['before', 'after'] as const)(
    'stays removed if it has left, also if it is removed %s that',
    async (refresh) => {
      expect(await saved(new Map([[MEMBER.id, null]]), refresh)).toEqual([[], []]);
    },
  );
});

describe('the register of these accounts', () => {
  it('keeps the newest that an item of DynamoDB can hold', async () => {
    const { registers } = (await bed.open()).store;
    const tags = Object.fromEntries(Array.from({ length: 50 }, (_, n) => [`key-${n}`, 'x'.repeat(200)]));
    for (let n = 0; n < 20; n += 1) {
      const account = { ...MEMBER, id: String(300_000_000_000 + n), tags };
      await recordRefreshed(registers, new Map([[account.id, account]]), NOW + n);
    }
    const stored = await registers.read(ACCOUNT_OVERRIDES.name);
    expect(JSON.stringify(stored?.value).length).toBeLessThan(160_000);
    const ids = Object.keys(ACCOUNT_OVERRIDES.schema.parse(stored?.value).accounts);
    expect(ids.length).toBeGreaterThan(10);
    expect(ids).toContain('300000000019');
    expect(ids).not.toContain('300000000000');
  });
});
