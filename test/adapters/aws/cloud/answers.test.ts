import { describe, expect, it } from 'vitest';
import { createAwsCloud } from '../../../../shared/adapters/aws/cloud/cloud.ts';
import { DRIVERS } from '../../../../shared/adapters/aws/cloud/kinds/index.ts';
import { failureOf } from '../../../contract/cloud-world.ts';
import { associate, changeNow, disassociate, updateStatus } from '../../../support/change-requests.ts';
import { manualClock } from '../../../support/manual-clock.ts';
import { ACCOUNT, awsSettings, cloudOn, json, openGate, wireCloud, wireServer } from './support.ts';

const OTHER = '222233334444';
const listing = (...accountEnrollmentStatuses: readonly unknown[]) => ({ accountEnrollmentStatuses });
const answering = (body: unknown, warnings: string[] = []) => {
  const warn = (message: string) => void warnings.push(message);
  const logger = { debug: warn, info: warn, warn, error: warn };
  return wireCloud((_, response) => json(response, 200, body), { logger });
};

describe('validation of AWS answers', () => {
  it('converts times to epoch milliseconds and absent fields to null', async () => {
    const full = { accountId: ACCOUNT, status: 'Failed', statusReason: 'why', lastUpdatedTimestamp: 1700000000.25 };
    const { cloud } = await answering({ ...listing(full, { accountId: OTHER, status: 'Pending' }), nextToken: 'n' });
    expect(await cloud.list('computeOptimizer', null)).toEqual({
      items: [
        {
          accountId: ACCOUNT,
          observed: {
            ...{
              kind: 'observed',
              status: 'Failed',
              ruleMode: null,
              statusReason: 'why',
              lastUpdated: 1_700_000_000_250,
            },
          },
        },
        {
          accountId: OTHER,
          observed: { kind: 'observed', status: 'Pending', ruleMode: null, statusReason: null, lastUpdated: null },
        },
      ],
      nextToken: 'n',
      leftOut: [],
    });
  });

  it('shortens a long reason to a length that every store accepts', async () => {
    const endless = { accountId: ACCOUNT, status: 'Failed', statusReason: 'why\u{1f600}'.repeat(100_000) };
    const { cloud } = await answering(listing(endless));
    const [item] = (await cloud.list('computeOptimizer', null)).items;
    const { observed } = item ?? {};
    if (observed?.kind !== 'observed') throw new Error('nothing was observed');
    expect(observed.statusReason).toMatch(/^why.*…$/u);
    expect(observed.statusReason?.length).toBeLessThan(1_010);
    expect(observed.statusReason?.isWellFormed()).toBe(true);
  });

  it('listings request full pages without a filter and pass the token on', async () => {
    const { cloud, requests } = await answering({ ...listing(), accounts: [] });
    await cloud.list('computeOptimizer', null);
    await cloud.list('computeOptimizer', 'a');
    await cloud.list('automation', 'b');
    const asked = requests
      .filter(({ operation }) => operation !== 'GetCallerIdentity')
      .map(({ body }) => JSON.parse(body));
    expect(asked).toEqual([
      { maxResults: 100 },
      { maxResults: 100, nextToken: 'a' },
      { maxResults: 1000, nextToken: 'b' },
    ]);
  });

  it.each<[string, object, string]>([
    ['an unknown status', { status: 'Hibernating' }, '"Hibernating"'],
    ['no status', {}, 'status'],
    ['a status that is no text', { status: 1 }, 'status'],
    ['an unknown rule mode', { status: 'Active', organizationRuleMode: 'SomeAllowed' }, '"SomeAllowed"'],
    ['a time that is no time', { status: 'Active', lastUpdatedTimestamp: 'yesterday' }, 'lastUpdatedTimestamp'],
    ['a time that is a list', { status: 'Active', lastUpdatedTimestamp: [1] }, 'lastUpdatedTimestamp'],
  ])('an account with %s is omitted from a page and named; the others remain', async (_, strange, found) => {
    const warnings: string[] = [];
    const accounts = [
      { accountId: ACCOUNT, status: 'Active', organizationRuleMode: 'AnyAllowed', lastUpdatedTimestamp: 1700000000 },
      { accountId: OTHER, ...strange },
    ];
    const { cloud } = await answering({ accountEnrollmentStatuses: accounts, accounts }, warnings);
    const pages = [await cloud.list('automation', null)];
    // Compute Optimizer has no rule mode.
    if (!('organizationRuleMode' in strange)) pages.push(await cloud.list('computeOptimizer', null));
    for (const page of pages) {
      expect(page.items.map(({ accountId }) => accountId)).toEqual([ACCOUNT]);
      expect(page.leftOut).toEqual([OTHER]);
    }
    expect(warnings.join()).toMatch(/222233334444/);
    expect(warnings.join()).toContain(found);
  });

  it('an unreadable time in Cost Optimization Hub concerns one account; an account without an entry is Inactive', async () => {
    const items = [
      { accountId: ACCOUNT, status: 'Active', lastUpdatedTimestamp: 1700000000 },
      { accountId: OTHER, status: 'Active', lastUpdatedTimestamp: 'yesterday' },
    ];
    const page = await (await answering({ items })).cloud.list('costOptimizationHub', null);
    expect(page.items.map(({ accountId }) => accountId)).toEqual([ACCOUNT]);
    expect(page.leftOut).toEqual([OTHER]);
    const never = await (await answering({ items: [] })).cloud.read('costOptimizationHub', ACCOUNT);
    expect(never).toMatchObject({ kind: 'observed', status: 'Inactive' });
  });

  it('a read of Cost Optimization Hub takes the entry of its own account, and absence only from a finished list', async () => {
    const other = { accountId: OTHER, status: 'Active' };
    const read = async (answer: object) => (await answering(answer)).cloud.read('costOptimizationHub', ACCOUNT);
    expect(await read({ items: [other, { ...other, accountId: ACCOUNT, status: 'Inactive' }] })).toMatchObject({
      status: 'Inactive',
    });
    expect(await read({ items: [other] })).toMatchObject({ status: 'Inactive', lastUpdated: null });
    for (const items of [[], [other]]) {
      const { details } = await failureOf(read({ items, nextToken: 'more' }));
      expect(details).toMatchObject({ kind: 'Transient', code: 'UnfinishedAnswer', accountId: ACCOUNT });
    }
  });

  it('an empty answer of Cost Optimization Hub is Transient, never an empty list', async () => {
    const { cloud } = await answering({});
    for (const call of [cloud.list('costOptimizationHub', null), cloud.read('costOptimizationHub', ACCOUNT)])
      expect((await failureOf(call)).details).toMatchObject({ kind: 'Transient', code: 'IncompleteAnswer' });
  });

  it('an unknown status of one account is an error', async () => {
    for (const strange of [{ status: 'Hibernating' }, { status: 'Active', organizationRuleMode: 'SomeAllowed' }]) {
      const { cloud } = await answering(strange);
      const { details: facts, message } = await failureOf(cloud.read('automation', ACCOUNT));
      expect(facts).toMatchObject({ kind: 'Invalid', code: 'UnexpectedAnswer', accountId: ACCOUNT });
      expect(message).toMatch(/"Hibernating"|"SomeAllowed"/);
    }
  });

  it.each([
    ['an invalid id', listing({ accountId: 'me', status: 'Active' })],
    ['a token that is no text', { ...listing(), nextToken: 7 }],
  ])('%s: the page throws', async (_, body) => {
    const { cloud } = await answering(body);
    const { details: facts } = await failureOf(cloud.list('computeOptimizer', null));
    expect(facts).toMatchObject({ kind: 'Invalid', code: 'UnexpectedAnswer' });
  });

  it('an empty token ends a listing, like a missing token', async () => {
    const { cloud } = await answering({ ...listing(), nextToken: '' });
    expect((await cloud.list('computeOptimizer', null)).nextToken).toBeNull();
  });

  it('only accounts that are both in the request and in the answer of a batch have succeeded', async () => {
    const { cloud } = await answering({ accountIds: [ACCOUNT, '999999999999', 5], errors: ['x', 7] });
    expect(await changeNow(cloud, associate([ACCOUNT, OTHER]))).toEqual({
      ...{ requestId: 'request-1', message: null, refused: new Map([[OTHER, 'x']]) },
    });
    const onlyErrors = await answering({ errors: [`${OTHER}: later`, `${ACCOUNT}: not now`, `${ACCOUNT}: y`] });
    const { refused } = await changeNow(onlyErrors.cloud, disassociate([ACCOUNT, OTHER]));
    expect(refused).toEqual(
      new Map([
        [ACCOUNT, `${ACCOUNT}: not now; ${ACCOUNT}: y`],
        [OTHER, `${OTHER}: later`],
      ]),
    );
    const silent = await answering({ accountIds: [] });
    const result = await changeNow(silent.cloud, associate([ACCOUNT]));
    expect(result.refused).toEqual(new Map([[ACCOUNT, null]]));
  });

  it('passes the answer of a change on, even with an unknown status', async () => {
    const { cloud } = await answering({ status: 17 });
    expect(await changeNow(cloud, updateStatus(ACCOUNT, 'Active'))).toEqual({
      ...{ requestId: 'request-1', message: null, refused: new Map() },
    });
    const explained = await answering({ status: 'Failed', statusReason: 'no role' });
    const { message } = await changeNow(explained.cloud, updateStatus(ACCOUNT, 'Active'));
    expect(message).toBe('no role');
  });

  it('validates ten thousand accounts in less than 50 ms of CPU time', () => {
    const session = { accountId: ACCOUNT, identity: { accessKeyId: 'a', secretAccessKey: 'b' }, member: false };
    const answered = { key: { service: 'aco-automation', operation: 'ListAccounts' }, session };
    const lastUpdatedTimestamp = new Date(1_700_000_000_000);
    const accounts = Array.from({ length: 10_000 }, (_, index) => ({
      ...{ accountId: String(100_000_000_000 + index), status: 'Active', organizationRuleMode: 'AnyAllowed' },
      lastUpdatedTimestamp,
    }));
    const pages = Array.from({ length: 10 }, (_, page) => accounts.slice(page * 1000, page * 1000 + 1000));
    const check = () => {
      const start = process.cpuUsage();
      for (const page of pages) {
        DRIVERS.automation.parsePage({ accounts: page }, answered);
        DRIVERS.computeOptimizer.parsePage({ accountEnrollmentStatuses: page }, answered);
      }
      const { user, system } = process.cpuUsage(start);
      return (user + system) / 1000;
    };
    // The fastest of several rounds, because other work on the machine only adds time.
    expect(Math.min(check(), check(), check(), check(), check())).toBeLessThan(2 * 50);
  });
});

describe('adapter lifecycle', () => {
  it('makes no request before the first call or after close', async () => {
    awsSettings({ AWS_REGION: '' });
    const idle = createAwsCloud({ gate: openGate, clock: manualClock(), memberRole: 'R', externalId: null });
    idle.close();
    const { cloud, requests } = await answering(listing());
    expect(requests).toHaveLength(0);
    await cloud.list('computeOptimizer', null);
    const before = requests.length;
    cloud.close();
    const failure = await failureOf(cloud.list('computeOptimizer', null));
    // The error is retryable, so no account is given up, but this closed adapter is not retried.
    expect(failure.details).toMatchObject({ kind: 'Transient', code: 'Closed' });
    expect(failure.retryable).toBe(false);
    expect(requests).toHaveLength(before);
  });

  it('sends each request once, whatever retries the SDK settings allow', async () => {
    const wire = await wireServer((_, response) => json(response, 503, { __type: 'ServiceUnavailableException' }));
    const { cloud } = cloudOn(wire.endpoint, {}, { AWS_MAX_ATTEMPTS: '5', AWS_RETRY_MODE: 'adaptive' });
    await failureOf(cloud.identify());
    expect(wire.requests).toHaveLength(1);
  });

  it('close aborts requests in progress and requests that wait for a connection', async () => {
    const { cloud } = await wireCloud(() => setImmediate(() => cloud.close()), { maxSockets: 1 });
    const failures = await Promise.all([1, 2, 3].map(() => failureOf(cloud.read('computeOptimizer', ACCOUNT))));
    for (const { kind } of failures) expect(kind).toBe('Transient');
  });
});
