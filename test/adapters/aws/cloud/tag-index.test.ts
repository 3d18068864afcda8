import { describe, expect, it } from 'vitest';
import { failureOf } from '../../../contract/cloud-world.ts';
import { accountsOf, inRoot, management, ORGANIZATION, OTHER, read } from './fake-organizations.ts';
import { ACCOUNT, awsWorld, cloudOn } from './support.ts';

const THIRD = '333344445555';
const accounts = [management, inRoot({ Id: OTHER }), inRoot({ Id: THIRD })];
const arn = (id: string, organization = ORGANIZATION.Id) =>
  `arn:aws:organizations::${ACCOUNT}:account/${organization}/${id}`;
const dev = [{ Key: 'env', Value: 'dev' }];
const mappingOf = (ResourceARN: string, Tags: unknown = dev) => ({ ResourceARN, Tags });
const LIVE = { Tags: [{ Key: 'env', Value: 'live' }] };

/** Organizations and the Tagging API, which answers with these pages in turn. */
async function worldOf(...pages: readonly object[]) {
  const tokens: unknown[] = [];
  const world = await accountsOf(accounts, {
    GetResources: ({ PaginationToken }) => {
      tokens.push(PaginationToken);
      return pages[tokens.length - 1] ?? {};
    },
    ListTagsForResource: () => LIVE,
  });
  const warnings: string[] = [];
  const silent = () => undefined;
  const warn = (message: string) => void warnings.push(message);
  const { cloud } = cloudOn(world.endpoint, { logger: { debug: silent, info: silent, warn, error: silent } });
  const count = (operation: string) => world.requests.filter((request) => request.operation === operation).length;
  return { cloud, tokens, warnings, count };
}

const tagsIn = async (world: Parameters<typeof read>[0]) =>
  Object.fromEntries((await read(world, true)).accounts.map(({ id, tags }) => [id, tags]));

describe('the tags of all accounts', () => {
  it('come from all pages of GetResources, with any name; an account that is absent has none', async () => {
    const world = await worldOf(
      { ResourceTagMappingList: [mappingOf(arn(OTHER))], PaginationToken: 'second' },
      { ResourceTagMappingList: [], PaginationToken: 'third' },
      { ResourceTagMappingList: [mappingOf(arn(ACCOUNT), [{ Key: '__proto__', Value: 'x' }])], PaginationToken: '' },
    );
    const found = await tagsIn(world);
    expect(found[OTHER]).toEqual({ env: 'dev' });
    expect(found[THIRD]).toEqual({});
    expect(Object.entries(found[ACCOUNT] ?? {})).toEqual([['__proto__', 'x']]);
    expect(world.tokens).toEqual([undefined, 'second', 'third']);
    expect(world.count('ListTagsForResource')).toBe(0);
  });

  it('are listed while the accounts are listed', async () => {
    const world = await accountsOf(accounts, {
      ListAccounts: ({ NextToken }) => {
        const page = Number(NextToken ?? 0);
        return page === 5 ? { Accounts: accounts } : { Accounts: [], NextToken: String(page + 1) };
      },
      GetResources: () => ({ ResourceTagMappingList: [mappingOf(arn(OTHER))] }),
    });
    const { cloud } = cloudOn(world.endpoint);
    const { accounts: found } = await read({ cloud }, true);
    expect(found.find(({ id }) => id === OTHER)?.tags).toEqual({ env: 'dev' });
    const operations = world.requests.map(({ operation }) => operation);
    expect(operations.indexOf('GetResources')).toBeLessThan(operations.lastIndexOf('ListAccounts'));
  });

  it('leave out entries that are not accounts of this organization', async () => {
    const world = await worldOf({
      ResourceTagMappingList: [
        mappingOf(arn(OTHER, 'o-former12345')),
        mappingOf(arn('999988887777')),
        mappingOf(`arn:aws:organizations::${ACCOUNT}:ou/${ORGANIZATION.Id}/ou-root-12345678`),
        mappingOf(`arn:aws:ec2:us-east-1:${ACCOUNT}:instance/${OTHER}`),
        mappingOf('text'),
      ],
    });
    expect(await tagsIn(world)).toEqual({ [ACCOUNT]: {}, [OTHER]: {}, [THIRD]: {} });
  });

  it.each([
    ['no list of tags', undefined],
    ['a tag without its value', [{ Key: 'env' }]],
  ])('are read live for an account that is listed with %s', async (_, tags) => {
    const world = await worldOf({
      ResourceTagMappingList: [mappingOf(arn(THIRD)), { ResourceARN: arn(OTHER), Tags: tags }],
    });
    expect(await tagsIn(world)).toEqual({ [ACCOUNT]: {}, [OTHER]: { env: 'live' }, [THIRD]: { env: 'dev' } });
    expect(world.count('ListTagsForResource')).toBe(1);
  });

  it.each([
    ['no list', {}, 'IncompleteAnswer'],
    ['an entry without its ARN', { ResourceTagMappingList: [{ Tags: dev }] }, 'IncompleteAnswer'],
    ['an ARN that is no text', { ResourceTagMappingList: [mappingOf(arn(OTHER)), { ResourceARN: 7, Tags: dev }] }, ''],
    ['a token that comes again', { ResourceTagMappingList: [mappingOf(arn(OTHER))], PaginationToken: 'second' }, ''],
    ['a failure of the service', { __type: 'InternalServiceException' }, 'InternalServiceException'],
    ['throttling', { __type: 'ThrottledException' }, 'ThrottledException'],
    ['an expired token', { __type: 'PaginationTokenExpiredException' }, 'PaginationTokenExpiredException'],
  ])('fail the reading for a page with %s', async (_, page, code) => {
    const first = { ResourceTagMappingList: [mappingOf(arn(OTHER))], PaginationToken: 'second' };
    const world = await worldOf(first, page, page, page);
    const { details } = await failureOf(read(world, true));
    expect(details.code).toBe(code || 'UnexpectedAnswer');
    expect(details.kind).toBe(
      { IncompleteAnswer: 'Transient', InternalServiceException: 'Transient', ThrottledException: 'Throttled' }[code] ??
        'Invalid',
    );
    expect(world.count('ListTagsForResource')).toBe(0);
  });

  it.each(['AccessDeniedException', 'UnknownOperationException'])(
    'are read one account at a time after %s, with one warning',
    async (code) => {
      const refusal = { __type: code, message: 'no' };
      const world = await worldOf(refusal, refusal);
      const live = { env: 'live' };
      for (let turn = 0; turn < 2; turn += 1)
        expect(await tagsIn(world)).toEqual({ [ACCOUNT]: live, [OTHER]: live, [THIRD]: live });
      expect(world.warnings).toEqual([expect.stringContaining('GetResources')]);
      expect(world.warnings[0]).toContain('one account at a time');
      expect(world.count('GetResources')).toBe(2);
    },
  );

  it('are read one account at a time where AWS documents no index of accounts', async () => {
    const world = await awsWorld({
      sandbox: { partition: 'aws-cn', accounts: 12 },
      settings: { AWS_REGION: 'cn-north-1' },
    });
    const { accounts: found } = await read(world, true);
    expect(found.map(({ tags }) => tags)).toEqual(world.sandbox.accounts().map(({ tags }) => tags));
    expect(world.calls.some(({ operation }) => operation === 'GetResources')).toBe(false);
    await world.close();
  });
});
