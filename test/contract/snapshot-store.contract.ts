import { expect } from 'vitest';
import type { OrganizationSnapshot } from '../../shared/ports/cloud.ts';
import type { SnapshotStore } from '../../shared/ports/snapshot-store.ts';
import { contractOf } from './contract.ts';
import { account, facts, range } from './samples.ts';

function snapshot(takenAt: number, accounts: OrganizationSnapshot['accounts'], tags = true): OrganizationSnapshot {
  return { organizationId: 'o-abc1234567', managementAccountId: account(0), takenAt, tags, accounts };
}

/** The order of accounts in a snapshot is not significant. */
function sorted(found: OrganizationSnapshot | null): OrganizationSnapshot | null {
  return found && { ...found, accounts: found.accounts.toSorted((a, b) => a.id.localeCompare(b.id)) };
}

export const factsContract = contractOf<SnapshotStore>()('Facts', {
  async 'there is no snapshot before the first save'({ port }) {
    expect(await port.load()).toBeNull();
    expect(await port.meta()).toBeNull();
    expect(await port.get(account(1))).toBeNull();
  },

  async 'a snapshot is read as it was saved, by this and any other client'({ port, another }) {
    const accounts = [
      facts(0, { management: true, ou: '/', tags: {} }),
      facts(1, { name: 'ümläut "quoted" 🚀', tags: null, state: 'SUSPENDED' }),
      facts(2, { tags: { 'a b': '', __proto__x: 'y' } }),
    ];
    const saved = snapshot(1234, accounts, false);
    await port.save(saved);
    expect(sorted(await port.load())).toEqual(saved);
    expect(sorted(await (await another()).load())).toEqual(saved);
    const { accounts: _, ...meta } = saved;
    expect(await port.meta()).toEqual(meta);
    expect(await port.get(account(1))).toEqual(accounts[1]);
    expect(await port.get(account(9))).toBeNull();
  },

  async 'a new snapshot replaces the whole old one'({ port }) {
    await port.save(
      snapshot(
        1,
        range(20).map((n) => facts(n)),
      ),
    );
    const smaller = snapshot(2, [facts(3, { name: 'renamed' }), facts(30)]);
    await port.save(smaller);
    expect(sorted(await port.load())).toEqual(smaller);
    expect(await port.get(account(4))).toBeNull();
    await port.save(snapshot(3, []));
    expect(await port.load()).toEqual(snapshot(3, []));
  },

  async 'refresh replaces single accounts and keeps the age'({ port }) {
    await port.save(snapshot(7, [facts(1), facts(2)]));
    await port.refresh([facts(2, { ou: '/Moved' }), facts(3)]);
    await port.refresh([]);
    expect(sorted(await port.load())).toEqual(snapshot(7, [facts(1), facts(2, { ou: '/Moved' }), facts(3)]));
    expect(await port.get(account(3))).toEqual(facts(3));
    expect((await port.meta())?.takenAt).toBe(7);
  },

  async 'remove deletes single accounts until they return'({ port }) {
    await port.save(snapshot(7, [facts(1), facts(2), facts(3)]));
    await port.refresh([facts(4)]);
    await port.remove([]);
    await port.remove([account(2), account(4), account(9), account(2)]);
    expect(sorted(await port.load())).toEqual(snapshot(7, [facts(1), facts(3)]));
    expect([await port.get(account(2)), await port.get(account(4))]).toEqual([null, null]);
    await port.refresh([facts(2, { ou: '/Back' })]);
    expect(await port.get(account(2))).toEqual(facts(2, { ou: '/Back' }));
    await port.remove([account(3)]);
    await port.save(snapshot(8, [facts(3)]));
    expect(sorted(await port.load())).toEqual(snapshot(8, [facts(3)]));
  },

  async 'refreshing single accounts creates no snapshot'({ port }) {
    await port.refresh([facts(1)]);
    expect(await port.meta()).toBeNull();
    expect(await port.load()).toBeNull();
  },

  async 'a reader sees one of two snapshots, never a mixture'({ port, another }) {
    const reader = await another();
    const version = (n: number) =>
      snapshot(
        n,
        range(400 + n).map((each) => facts(each, { name: `snapshot ${n}` })),
      );
    await port.save(version(0));
    let writing = true;
    const write = async () => {
      for (let n = 1; n <= 8; n += 1) await port.save(version(n));
      writing = false;
    };
    const read = async () => {
      let looks = 0;
      for (; writing || looks === 0; looks += 1) {
        const found = await reader.load();
        const n = found?.takenAt ?? -1;
        expect(sorted(found)).toEqual(version(n));
        await new Promise(setImmediate);
      }
      return looks;
    };
    const [, looks] = await Promise.all([write(), read()]);
    expect(looks).toBeGreaterThan(0);
    expect((await reader.load())?.takenAt).toBe(8);
  },
});
