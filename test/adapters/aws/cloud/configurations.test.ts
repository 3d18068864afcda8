import { describe, expect, it } from 'vitest';
import type { Cloud } from '../../../../shared/ports/cloud.ts';
import { failureOf } from '../../../contract/cloud-world.ts';
import { withoutRetries } from '../../../support/without-retries.ts';
import { ACCOUNT, json, type WireAnswer, wireCloud } from './support.ts';

const OTHER = '222233334444';
const OU = { type: 'organizationalUnit', id: 'ou-abcd-abcdefgh' } as const;
const stored = (targetId: string, targetType: string, organizationRuleMode?: unknown) => ({
  ...{ targetId, targetType, organizationRuleMode },
});
const listing = (...organizationEnrollmentConfigurations: readonly unknown[]) => ({
  organizationEnrollmentConfigurations,
});
const put = async (cloud: Cloud, ...change: Parameters<Cloud['configurations']['preparePut']>) =>
  (await cloud.configurations.preparePut(...change))();
const asked = (requests: readonly { operation: string; body: string }[]) =>
  requests
    .filter(({ operation }) => operation !== 'GetCallerIdentity')
    .map(({ operation, body }) => [operation, JSON.parse(body)]);

async function answering(answer: WireAnswer, maxAccounts = 10_000) {
  const warnings: string[] = [];
  const warn = (message: string) => void warnings.push(message);
  const logger = { debug: warn, info: warn, warn, error: warn };
  return { ...(await wireCloud(answer, { logger, maxAccounts })), warnings };
}

describe('the configurations of the Cloud port', () => {
  it('are listed with full pages until the last token', async () => {
    const pages = [
      { ...listing(stored('r-abcd', 'OrganizationalUnit', 'NoneAllowed')), nextToken: 'YQ==' },
      { ...listing(), nextToken: 'Yg==' },
      listing(stored(ACCOUNT, 'Account', 'AnyAllowed')),
    ];
    const { cloud, requests } = await answering((_, response) => json(response, 200, pages.shift()));
    expect(await cloud.configurations.list({ retry: withoutRetries })).toEqual([
      { target: { type: 'organizationalUnit', id: 'r-abcd' }, ruleMode: 'NoneAllowed' },
      { target: { type: 'account', id: ACCOUNT }, ruleMode: 'AnyAllowed' },
    ]);
    const operation = 'ListOrganizationEnrollmentConfigurations';
    expect(asked(requests)).toEqual([
      [operation, { maxResults: 1000 }],
      [operation, { maxResults: 1000, nextToken: 'YQ==' }],
      [operation, { maxResults: 1000, nextToken: 'Yg==' }],
    ]);
  });

  it('have no rule mode if AWS returns none or an unknown one', async () => {
    const modes = [undefined, null, 'SomeAllowed', 7];
    const items = modes.map((mode) => stored(ACCOUNT, 'Account', mode));
    const { cloud } = await answering((_, response) => json(response, 200, listing(...items)));
    const found = await cloud.configurations.list({ retry: withoutRetries });
    expect(found.map(({ ruleMode }) => ruleMode)).toEqual([null, null, null, null]);
  });

  it('of unknown target types are left out, with one warning for all', async () => {
    const unknown = ['Policy', 'Team', 'Policy'].map((type, n) => stored(`p-${n}`, type, 'AnyAllowed'));
    const pages = [
      { ...listing(...unknown, stored(ACCOUNT, 'Account', 'AnyAllowed')), nextToken: 'YQ==' },
      listing(stored('p-9', 'Region', 'AnyAllowed')),
    ];
    const { cloud, warnings } = await answering((_, response) => json(response, 200, pages.shift()));
    const found = await cloud.configurations.list({ retry: withoutRetries });
    expect(found.map(({ target }) => target.id)).toEqual([ACCOUNT]);
    expect(warnings).toEqual([
      '4 configurations are left out, because this version does not know their target types: "Policy", "Team", "Region"',
    ]);
  });

  it('are retried page by page', async () => {
    let calls = 0;
    const { cloud } = await answering((_, response) => {
      calls += 1;
      if (calls === 2) json(response, 503, { __type: 'ServiceUnavailableException' });
      else json(response, 200, { ...listing(stored(ACCOUNT, 'Account')), ...(calls === 1 && { nextToken: 'YQ==' }) });
    });
    const retry = async <T>(call: () => Promise<T>) => call().catch(call);
    expect(await cloud.configurations.list({ retry })).toHaveLength(2);
    expect(calls).toBe(3);
  });

  it('are not used if their listing does not end', async () => {
    const page = { ...listing(stored(ACCOUNT, 'Account')), nextToken: 'YQ==' };
    const { cloud, requests } = await answering((_, response) => json(response, 200, page));
    const { details, message } = await failureOf(cloud.configurations.list({ retry: withoutRetries }));
    expect(details).toMatchObject({ kind: 'Invalid', code: 'UnexpectedAnswer', service: 'aco-automation' });
    expect(message).toContain('a page token was repeated');
    expect(asked(requests)).toHaveLength(2);
  });

  it('are not used if AWS returns more than the organization can have, even of an unknown type', async () => {
    const page = listing(stored('p-1234', 'Policy'), stored('p-1234', 'Policy'));
    let pages = 0;
    const { cloud } = await answering((_, response) => {
      pages += 1;
      json(response, 200, { ...page, nextToken: String(pages) });
    }, 5);
    const { message } = await failureOf(cloud.configurations.list({ retry: withoutRetries }));
    expect(message).toContain('12 items, but the maximum is 10');
    expect(pages).toBe(6);
  });

  it("are put and deleted with the caller's credentials", async () => {
    const { cloud, requests } = await answering((_, response) => json(response, 200, {}));
    expect(await put(cloud, OU, 'NoneAllowed', 'token-1')).toEqual({ requestId: 'request-1' });
    await (await cloud.configurations.prepareDelete({ type: 'account', id: ACCOUNT }, 'token-2'))();
    const target = { organizationalUnitId: OU.id };
    expect(asked(requests)).toEqual([
      [
        'PutOrganizationEnrollmentConfiguration',
        { target, organizationRuleMode: 'NoneAllowed', clientToken: 'token-1' },
      ],
      [
        'DeleteOrganizationEnrollmentConfiguration',
        { target: { accountId: ACCOUNT }, configurationTypes: ['OrganizationRuleMode'], clientToken: 'token-2' },
      ],
    ]);
    expect(requests.map(({ operation }) => operation)).not.toContain('AssumeRole');
  });

  it('are not changed until the prepared request is sent', async () => {
    const { cloud, requests } = await answering((_, response) => json(response, 200, {}));
    await cloud.configurations.preparePut(OU, 'AnyAllowed', 'a');
    await cloud.configurations.prepareDelete(OU, 'b');
    expect(asked(requests)).toEqual([]);
  });

  it.each([
    ['ConflictException', true],
    ['IdempotentParameterMismatchException', false],
  ])('%s is a Conflict; retryable: %s', async (code, retryable) => {
    const { cloud } = await answering((_, response) => json(response, 409, { __type: code }));
    const failure = await failureOf(put(cloud, OU, 'AnyAllowed', 'a'));
    expect(failure).toMatchObject({ kind: 'Conflict', retryable, passing: false, details: { code, ambiguous: false } });
  });
});

describe('the source of the rule mode in a listing', () => {
  const account = (accountId: string, organizationRuleModeSource?: unknown) => ({
    ...{ accountId, status: 'Active', organizationRuleMode: 'AnyAllowed', organizationRuleModeSource },
  });

  it.each([
    [
      { sourceType: 'Applied', sourceTargetId: ACCOUNT },
      { type: 'applied', targetId: ACCOUNT },
    ],
    [
      { sourceType: 'Inherited', sourceTargetId: OU.id },
      { type: 'inherited', targetId: OU.id },
    ],
    [{ sourceType: 'Direct' }, { type: 'direct', targetId: null }],
    [
      { sourceType: 'Default', sourceTargetId: null },
      { type: 'default', targetId: null },
    ],
    [undefined, null],
    [null, null],
  ])('%j is %j', async (source, ruleModeSource) => {
    const { cloud } = await answering((_, response) => json(response, 200, { accounts: [account(ACCOUNT, source)] }));
    expect((await cloud.list('automation', null)).items).toMatchObject([{ accountId: ACCOUNT, ruleModeSource }]);
  });

  it.each([
    [{ sourceType: 'Elsewhere' }, '"Elsewhere"'],
    [{ sourceTargetId: OU.id }, 'organizationRuleModeSource.sourceType'],
    ['Applied', 'organizationRuleModeSource'],
  ])('%j leaves out only its account', async (source, found) => {
    const accounts = [account(ACCOUNT, { sourceType: 'Direct' }), account(OTHER, source)];
    const { cloud, warnings } = await answering((_, response) => json(response, 200, { accounts }));
    const page = await cloud.list('automation', null);
    expect(page.items.map(({ accountId }) => accountId)).toEqual([ACCOUNT]);
    expect(page.leftOut).toEqual([OTHER]);
    expect(warnings.join()).toContain(found);
  });

  it('is absent for a kind without rule mode', async () => {
    const accountEnrollmentStatuses = [account(ACCOUNT, { sourceType: 'Direct' })];
    const { cloud } = await answering((_, response) => json(response, 200, { accountEnrollmentStatuses }));
    const { items } = await cloud.list('computeOptimizer', null);
    expect(items.map((item) => Object.keys(item))).toEqual([['accountId', 'observed']]);
  });
});
