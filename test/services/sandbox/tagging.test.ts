import { describe, expect, test } from 'vitest';
import { createSandbox } from '../../../services/sandbox/engine/sandbox.ts';
import type { ApiAnswer } from '../../../services/sandbox/engine/types.ts';
import { START } from './support.ts';

function tagging(accounts = 25, tagIndexDelayMs = 0) {
  let now = START;
  const sandbox = createSandbox({ accounts, tagIndexDelayMs }, { clock: { now: () => now } });
  const { managementAccountId: management, delegatedAdministratorId: delegate } = sandbox.info();
  const call = (input: object = {}, callerAccountId = management): ApiAnswer =>
    sandbox.handle({ service: 'tagging', operation: 'GetResources', callerAccountId, input, requestId: '-' });
  const output = (answer: ApiAnswer) => (answer.kind === 'ok' ? answer.output : expect.fail(JSON.stringify(answer)));
  const tagged = () => sandbox.accounts().filter(({ tags }) => Object.keys(tags).length > 0);
  const setTags = (accountId: string, tags: Record<string, string>) =>
    sandbox.changeAccounts({ update: [{ accountId, tags }] });
  const later = (ms: number) => {
    now += ms;
  };
  return { sandbox, management, delegate, call, list: (input?: object) => output(call(input)), tagged, setTags, later };
}

const ofAccounts = { ResourceTypeFilters: ['organizations:account'] };
const tagsOf = (tags: Readonly<Record<string, string>>) => Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));

describe('Resource Groups Tagging API', () => {
  test('lists the tagged accounts in pages', () => {
    const world = tagging(250);
    world.setTags(world.management, {});
    const found: unknown[] = [];
    let token = '';
    let pages = 0;
    do {
      const page = world.list({ ...ofAccounts, ResourcesPerPage: 100, PaginationToken: token });
      found.push(...(Array.isArray(page['ResourceTagMappingList']) ? page['ResourceTagMappingList'] : []));
      token = String(page['PaginationToken']);
      pages += 1;
    } while (token !== '');
    const { organizationId } = world.sandbox.info();
    expect(found).toEqual(
      world.tagged().map(({ accountId, tags }) => ({
        ResourceARN: `arn:aws:organizations::${world.management}:account/${organizationId}/${accountId}`,
        Tags: tagsOf(tags),
      })),
    );
    expect(pages).toBe(Math.ceil(world.tagged().length / 100));
    expect(found.length).toBeLessThan(world.sandbox.accounts().length);
    expect(world.list()['ResourceTagMappingList']).toHaveLength(50);
  });

  test('shows them to the management account only, and only as accounts', () => {
    const world = tagging();
    expect(world.call(ofAccounts, world.delegate)).toMatchObject({ output: { ResourceTagMappingList: [] } });
    expect(world.list({ ResourceTypeFilters: ['ec2:instance'] })).toEqual({
      ResourceTagMappingList: [],
      PaginationToken: '',
    });
  });

  test.each([
    [{ ResourcesPerPage: 101 }, 'InvalidParameterException'],
    [{ ResourcesPerPage: 0 }, 'InvalidParameterException'],
    [{ TagFilters: [{ Key: 'env' }] }, 'InvalidParameterException'],
    [{ PaginationToken: 'other' }, 'PaginationTokenExpiredException'],
  ])('refuses %j with %s', (input, code) => {
    expect(tagging().call({ ...ofAccounts, ...input })).toMatchObject({ kind: 'error', error: { code } });
  });

  test('is eventually consistent: for a while it shows the tags from before the changes', () => {
    const world = tagging(12, 60_000);
    const [account = expect.fail('no tagged account')] = world.tagged();
    const { accountId, tags: before } = account;
    const shown = () => JSON.stringify(world.list(ofAccounts));
    world.setTags(accountId, { env: 'first' });
    world.later(30_000);
    world.setTags(accountId, { env: 'second' });
    expect(shown()).toContain(JSON.stringify(tagsOf(before)));
    expect(world.sandbox.accounts(accountId)[0]?.tags).toEqual({ env: 'second' });
    world.later(60_000);
    expect(shown()).toContain('second');
    expect(shown()).not.toContain('first');
  });
});
