import { describe, expect, it } from 'vitest';
import type { Deps } from '../../../../shared/app/context.ts';
import { accountReader } from '../../../../shared/app/events/account-reader.ts';
import { react } from '../../../../shared/app/events/event-handler.ts';
import { takeSnapshot } from '../../../../shared/app/survey/organization-snapshot.ts';
import { organizationNews } from '../../../support/cloud-trail-events.ts';
import { CALLER, MANAGEMENT_ID, MEMBER } from '../../../support/domain-kit.ts';
import { cloudError } from '../../../support/memory-cloud.ts';
import { accountId } from '../../../support/workshop.ts';
import {
  byManagement,
  deps,
  move,
  moved,
  now,
  queuedAccounts,
  reactTo,
  shop,
  useEventWorkshop,
} from './event-workshop.ts';

useEventWorkshop();

describe('the organization changed', () => {
  it('a moved account is read again before it is queued', async () => {
    const id = accountId(5);
    moved.set(id, { ...MEMBER, id, ou: '/Sandbox', name: 'renamed' });
    expect(await reactTo(move(id))).toMatchObject({ queued: [id], refreshed: [id] });
    expect(await shop.store.snapshots.get(id)).toMatchObject({ ou: '/Sandbox', name: 'renamed' });
    expect(await queuedAccounts()).toEqual([id]);
  });

  it('an older read of the organization does not overwrite it', async () => {
    const id = accountId(5);
    const { cloud } = shop;
    const reading = {
      ...cloud,
      readOrganization: async (options: Parameters<typeof cloud.readOrganization>[0]) => {
        const old = await cloud.readOrganization(options);
        await shop.clock.advance(1_000);
        moved.set(id, { ...MEMBER, id, ou: '/Sandbox' });
        moved.set(accountId(6), null);
        await reactTo(move(id));
        await reactTo(organizationNews('AccountDepartedOrganization', { accountId: accountId(6) }, byManagement()));
        return old;
      },
    };
    const taken = await takeSnapshot(
      { ...shop.deps(), cloud: reading },
      ...([0, shop.retrying(), shop.policy, true, () => undefined] as const),
    );
    expect(taken.accounts.find((each) => each.id === id)).toMatchObject({ ou: '/Sandbox' });
    expect(taken.accounts.some((each) => each.id === accountId(6))).toBe(false);
    expect(await shop.store.snapshots.get(id)).toMatchObject({ ou: '/Sandbox' });
  });

  it('an account that joins is stored and queued, one that leaves is removed', async () => {
    const [newcomer, leaver] = ['500000000001', accountId(9)];
    moved.set(newcomer, { ...MEMBER, id: newcomer, name: 'new', ou: '/New' });
    moved.set(leaver, null);
    const joined = { memberAccountId: newcomer, managementAccountId: MANAGEMENT_ID, joinedMethod: 'CREATED' };
    expect(await reactTo(organizationNews('AccountJoinedOrganization', joined, byManagement()))).toMatchObject({
      queued: [newcomer],
    });
    expect((await shop.chain(newcomer)).map(({ type, detail }) => [type, detail?.account?.ou])).toEqual([
      ['AccountJoined', '/New'],
    ]);
    const gone = await reactTo(
      organizationNews(
        'AccountDepartedOrganization',
        { accountId: leaver, departureMethod: 'REMOVED' },
        byManagement(),
      ),
    );
    expect(gone).toMatchObject({ queued: [], unknown: [leaver] });
    expect((await shop.chain(leaver)).at(-1)).toMatchObject({ type: 'AccountLeft' });
    expect(await shop.store.snapshots.get(leaver)).toBeNull();
    // A repeated event changes nothing.
    await reactTo(organizationNews('AccountDepartedOrganization', { accountId: leaver }, byManagement()));
    expect((await shop.chain(leaver)).filter(({ type }) => type === 'AccountLeft')).toHaveLength(1);
    await shop.checkInvariants();
  });

  it('is read only until the deadline of the caller, however many calls that takes', async () => {
    const begun = now();
    let questions = 0;
    const cloud: Deps['cloud'] = {
      ...shop.cloud,
      readAccount: (_id, { retry }) =>
        retry(async () => {
          questions += 1;
          throw cloudError('Throttled', 'TooManyRequestsException');
        }),
    };
    const parts = { ...shop.deps(), cloud, random: () => 0.99 };
    const readAccount = accountReader(parts, { usesTags: false }, begun + 3_000);
    const ids = { organizationId: CALLER.organizationId, managementAccountId: MANAGEMENT_ID };
    const ended: number[] = [];
    const reading = (async () => {
      for (const id of [accountId(1), accountId(2)]) {
        await expect(readAccount(id, ids)).rejects.toMatchObject({ kind: 'Throttled' });
        ended.push(now() - begun);
      }
    })();
    await shop.clock.advance(3_000);
    await reading;
    expect(ended).toEqual([3_000, 3_000]);
    expect(questions).toBeGreaterThan(4);
  });

  it('that cannot be read requests a scan that also reads the organization', async () => {
    const failing = {
      ...deps(),
      readAccount: () => Promise.reject(cloudError('Throttled', 'TooManyRequestsException')),
    };
    expect(await react(failing, async () => '', move(accountId(5)))).toMatchObject({ queued: [], scan: true });
    expect(await shop.messages()).toEqual([]);
    const calls = shop.cloud.calls.length;
    const parts = [3_600_000, shop.retrying(), shop.policy, true, () => undefined] as const;
    await shop.clock.advance(2_000);
    await takeSnapshot(shop.deps(), ...parts);
    expect(shop.cloud.calls.slice(calls).map(({ operation }) => operation)).toEqual(['ListAccounts']);
    // After it was read again, the snapshot may be used.
    await takeSnapshot(shop.deps(), ...parts);
    expect(shop.cloud.calls.length).toBe(calls + 1);
  });

  it('is read although another process, whose clock is ahead, has just read it, if it has to be read now', async () => {
    const stored = await shop.store.snapshots.load();
    if (stored === null) return expect.fail('the organization was not read');
    await shop.store.snapshots.save({ ...stored, takenAt: now() + 1_500 });
    const calls = shop.cloud.calls.length;
    await takeSnapshot(shop.deps(), 0, shop.retrying(), shop.policy, true, () => undefined);
    expect(shop.cloud.calls.slice(calls).map(({ operation }) => operation)).toEqual(['ListAccounts']);
  });
});
