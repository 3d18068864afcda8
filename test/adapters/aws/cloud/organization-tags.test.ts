import { describe, expect, it } from 'vitest';
import { failureOf } from '../../../contract/cloud-world.ts';
import { withoutRetries } from '../../../support/without-retries.ts';
import { accountsOf, inRoot, management, ORGANIZATION, OTHER, organizations, read } from './fake-organizations.ts';
import { ACCOUNT, cloudOn } from './support.ts';

describe('reading the organization', () => {
  it('combines tags of several pages, with any name', async () => {
    const world = await accountsOf([management], {
      ListTagsForResource: ({ NextToken }) =>
        NextToken === undefined
          ? { Tags: [{ Key: 'env', Value: 'dev' }], NextToken: '2' }
          : { Tags: [{ Key: '__proto__', Value: 'x' }] },
    });
    const { accounts } = await read(world, true);
    expect(Object.entries(accounts[0]?.tags ?? {})).toEqual([
      ['env', 'dev'],
      ['__proto__', 'x'],
    ]);
  });

  it.each([
    ['no list', {}],
    ['a tag without its value', { Tags: [{ Key: 'env' }] }],
    ['a token that comes again', { Tags: [{ Key: 'env', Value: 'dev' }], NextToken: 'again' }],
    ['a failure of the service', { __type: 'ServiceException', message: 'internal' }],
  ])('%s for the tags of one account leaves them unread and reads those of the others', async (_, answer) => {
    const accounts = [management, inRoot({ Id: OTHER }), inRoot({ Id: '333344445555' })];
    const warnings: string[] = [];
    const silent = () => undefined;
    const logger = {
      debug: silent,
      info: silent,
      warn: (message: string) => void warnings.push(message),
      error: silent,
    };
    const wire = await accountsOf(accounts, {
      ListTagsForResource: ({ ResourceId }) =>
        ResourceId === OTHER ? answer : { Tags: [{ Key: 'env', Value: 'dev' }] },
    });
    const snapshot = await read(cloudOn(wire.endpoint, { logger }), true);
    expect(snapshot.tags).toBe(true);
    expect(snapshot.accounts.map(({ id, tags }) => [id, tags])).toEqual([
      [ACCOUNT, { env: 'dev' }],
      [OTHER, null],
      ['333344445555', { env: 'dev' }],
    ]);
    expect(warnings.join()).toContain(`the tags of account ${OTHER} could not be read`);
    const ids = { organizationId: ORGANIZATION.Id, managementAccountId: ACCOUNT };
    const describing = await organizations({
      DescribeAccount: () => ({ Account: inRoot({ Id: OTHER }) }),
      ListTagsForResource: () => answer,
    });
    await failureOf(describing.cloud.readAccount(OTHER, { tags: true, retry: withoutRetries, ...ids }));
  });

  it('fails if no tags can be read for any account', async () => {
    const accounts = [
      management,
      ...Array.from({ length: 30 }, (_, index) => inRoot({ Id: `3333444455${10 + index}` })),
    ];
    const world = await accountsOf(accounts, { ListTagsForResource: () => ({}) });
    expect((await failureOf(read(world, true))).details).toMatchObject({ kind: 'Transient', code: 'IncompleteAnswer' });
    expect(world.requests.filter(({ operation }) => operation === 'ListTagsForResource').length).toBeLessThan(12);
  });

  it('omits an account that left while tags were read; a denial fails the read', async () => {
    const gone = { __type: 'TargetNotFoundException', message: 'gone' };
    const denied = { __type: 'AccessDeniedException', message: 'no' };
    const accounts = [
      management,
      ...Array.from({ length: 30 }, (_, index) => inRoot({ Id: `3333444455${10 + index}` })),
    ];
    const answering = (other: unknown) =>
      accountsOf(accounts, {
        ListTagsForResource: ({ ResourceId }) => (ResourceId === '333344445512' ? other : { Tags: [] }),
      });
    const left = await read(await answering(gone), true);
    expect(left.accounts).toHaveLength(30);
    expect(left.accounts.some(({ id }) => id === '333344445512')).toBe(false);
    const world = await answering(denied);
    expect((await failureOf(read(world, true))).details).toMatchObject({
      kind: 'Denied',
      code: 'AccessDeniedException',
    });
    // Requests in progress may end, but far fewer than thirty are sent.
    for (let turn = 0; turn < 10; turn += 1) await world.cloud.list('computeOptimizer', null).catch(() => undefined);
    expect(world.requests.filter(({ operation }) => operation === 'ListTagsForResource').length).toBeLessThan(12);
  });
});
