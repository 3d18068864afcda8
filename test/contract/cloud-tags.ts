import { expect } from 'vitest';
import { withoutRetries } from '../support/without-retries.ts';
import { countOf, failureOf, findMember, type Promised } from './cloud-world.ts';

/** The promises of reading tags. */
export const TAG_PROMISES = {
  async 'readOrganization returns tags on request'(open) {
    const world = await open({ sandbox: { accounts: 12 } });
    const snapshot = await world.cloud.readOrganization({ tags: true, retry: withoutRetries });
    expect(snapshot.tags).toBe(true);
    expect(new Map(snapshot.accounts.map(({ id, tags }) => [id, tags]))).toEqual(
      new Map(world.sandbox.accounts().map(({ accountId, tags }) => [accountId, tags])),
    );
  },

  async 'readOrganization reads tags in pages for the management account, one account at a time for others'(open) {
    const management = await open({ sandbox: { accounts: 250 } });
    await management.cloud.readOrganization({ tags: true, retry: withoutRetries });
    expect(countOf(management, 'GetResources')).toBe(3);
    expect(countOf(management, 'ListTagsForResource')).toBe(0);
    const delegated = await open({ caller: 'delegatedAdministrator', sandbox: { accounts: 12 } });
    const { accounts } = await delegated.cloud.readOrganization({ tags: true, retry: withoutRetries });
    expect(countOf(delegated, 'GetResources')).toBe(0);
    expect(countOf(delegated, 'ListTagsForResource')).toBe(accounts.length);
    expect(accounts.map(({ tags }) => tags)).toEqual(delegated.sandbox.accounts().map(({ tags }) => tags));
  },

  async 'readOrganization: an account without tags has none'(open) {
    const world = await open();
    const { accountId } = findMember(world);
    world.sandbox.changeAccounts({ update: [{ accountId, tags: {} }] });
    const { accounts } = await world.cloud.readOrganization({ tags: true, retry: withoutRetries });
    expect(accounts.find(({ id }) => id === accountId)?.tags).toEqual({});
    expect(accounts.some(({ tags }) => tags === null)).toBe(false);
  },

  async 'readOrganization: an interrupted page of tags returns nothing'(open) {
    const world = await open({ sandbox: { accounts: 250 } });
    for (const kind of ['throttle', 'internal', 'empty-answer', 'torn-page'] as const) {
      world.sandbox.setFaults([{ service: 'tagging', kind, from: 2, count: 1 }]);
      await failureOf(world.cloud.readOrganization({ tags: true, retry: withoutRetries }));
    }
    expect(countOf(world, 'ListTagsForResource')).toBe(0);
  },

  async 'readTags and readAccount return live tags, even while the index is outdated'(open) {
    const world = await open({ sandbox: { accounts: 12, tagIndexDelayMs: 60_000 } });
    const { accountId, tags: former } = findMember(world, ({ tags }) => Object.keys(tags).length > 0);
    world.sandbox.changeAccounts({ update: [{ accountId, tags: { env: 'changed' } }] });
    const { accounts, ...ids } = await world.cloud.readOrganization({ tags: true, retry: withoutRetries });
    expect(accounts.find(({ id }) => id === accountId)?.tags).toEqual(former);
    const before = world.calls.length;
    expect(await world.cloud.readTags(accountId, { retry: withoutRetries })).toEqual({ env: 'changed' });
    expect(world.calls.slice(before).filter(({ what }) => what === 'acquire')).toHaveLength(1);
    const options = { ...ids, tags: true, retry: withoutRetries };
    expect((await world.cloud.readAccount(accountId, options))?.tags).toEqual({ env: 'changed' });
    expect(await world.cloud.readTags('999999999999', { retry: withoutRetries })).toBeNull();
  },
} satisfies Record<string, Promised>;
