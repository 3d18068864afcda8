import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseSandboxDuration } from '../../../services/sandbox/duration.ts';
import { as, automation, control, HOUR_MS, json, member, members, START, sandboxForTest, truth } from './support.ts';

/** The requests of the reference, in order: `curl -X POST URL -d 'BODY'`. */
function documented(): readonly { readonly path: string; readonly body: string }[] {
  const page = readFileSync(resolve(import.meta.dirname, '../../../docs/reference/sandbox.md'), 'utf8');
  return [...page.matchAll(/^curl -X POST http:\/\/127\.0\.0\.1:4570\/_sandbox\/(\S+)(?: -d '([^']*)')?$/gm)].map(
    ([, path = '', body = '']) => ({ path, body }),
  );
}

describe('control endpoints', () => {
  test('all POST requests of the reference work as typed', async () => {
    const running = await sandboxForTest({ accounts: 120, seed: 5, drift: 0.3 });
    const requests = documented();
    for (const { path, body } of requests) {
      expect(await control(running, path, body), `${path} ${body}`).toMatchObject({ status: 200 });
    }
    expect(new Set(requests.map(({ path }) => path))).toEqual(
      new Set(['drift', 'accounts', 'clock', 'faults', 'trusted-access', 'reset']),
    );
  });

  test('accounts: the real state, with times in ISO 8601', async () => {
    const running = await sandboxForTest({ drift: 0.2 });
    const { body } = await control(running, 'accounts');
    expect(body['accounts']).toEqual(JSON.parse(JSON.stringify(running.sandbox.accounts())));
    const { accountId, name, ou, tags } = member(running);
    const one = await control(running, `accounts?accountId=${accountId}`);
    expect(one.body['accounts']).toEqual([
      {
        accountId,
        name,
        ou,
        tags,
        state: 'ACTIVE',
        management: false,
        roleAssumable: true,
        computeOptimizer: {
          status: expect.any(String),
          statusReason: null,
          lastUpdatedTimestamp: expect.stringMatching(/^\d{4}-.*Z$/),
        },
        automation: {
          status: expect.any(String),
          statusReason: null,
          organizationRuleMode: expect.any(String),
          organizationRuleModeSource: { sourceType: expect.any(String) },
          lastUpdatedTimestamp: expect.stringMatching(/^\d{4}-.*Z$/),
        },
        costOptimizationHub: { status: 'Inactive', lastUpdatedTimestamp: expect.stringMatching(/^\d{4}-.*Z$/) },
      },
    ]);
    expect((await control(running, 'accounts?accountId=000000000000')).body['accounts']).toEqual([]);
  });

  test('clock: advances the time of everything', async () => {
    const running = await sandboxForTest();
    expect((await control(running, 'clock', { advance: '1h30m' })).body).toEqual({
      now: new Date(START + 1.5 * HOUR_MS).toISOString(),
    });
    expect((await control(running, 'clock')).body).toEqual({ now: new Date(START + 1.5 * HOUR_MS).toISOString() });
    const { accountId } = member(running);
    await json(running, 'compute-optimizer', 'UpdateEnrollmentStatus', { status: 'Inactive' }, { as: as(accountId) });
    expect(truth(running, accountId).computeOptimizer.lastUpdatedTimestamp).toEqual(new Date(START + 1.5 * HOUR_MS));
  });

  test('drift: a number of accounts, the same ones for the same seed', async () => {
    const drifted = async (seed: number) => {
      const running = await sandboxForTest({ accounts: 60 });
      const { body } = await control(running, 'drift', { accounts: 5, seed });
      const inactive = members(running).filter(({ computeOptimizer }) => computeOptimizer.status === 'Inactive');
      expect(inactive).toHaveLength(5);
      expect(body['changes']).toHaveLength(5);
      return inactive.map(({ accountId }) => accountId);
    };
    const first = await drifted(3);
    expect(await drifted(3)).toEqual(first);
    expect(await drifted(4)).not.toEqual(first);
  });

  test('drift: specific changes by a specific actor', async () => {
    const running = await sandboxForTest();
    const [one, two] = members(running)
      .filter(({ automation: { status } }) => status === 'Active')
      .map(({ accountId }) => accountId);
    const actor = 'arn:aws:iam::123456789012:user/eve';
    const changes = [
      { accountId: one, enrollment: 'automation', status: 'Inactive' },
      { accountId: two, enrollment: 'computeOptimizer', status: 'Failed' },
    ];
    const { body } = await control(running, 'drift', { changes, actor });
    const at = new Date(START).toISOString();
    expect(body['changes']).toEqual(changes.map((change) => ({ ...change, before: 'Active', actor, at })));
    expect(truth(running, two ?? '').computeOptimizer).toMatchObject({
      status: 'Failed',
      statusReason: expect.any(String),
    });
    const cooling = await automation(running, 'UpdateEnrollmentConfiguration', { status: 'Active' }, as(one ?? ''));
    expect(cooling.error).toBe('ForbiddenException');
  });

  test('a Pending set by drift lasts until it is changed', async () => {
    const running = await sandboxForTest();
    const { accountId } = member(running);
    await control(running, 'drift', { changes: [{ accountId, enrollment: 'computeOptimizer', status: 'Pending' }] });
    running.clock.advance(1000 * HOUR_MS);
    expect(truth(running, accountId).computeOptimizer.status).toBe('Pending');
  });

  test('calls: counted per caller and operation', async () => {
    const running = await sandboxForTest();
    const { managementAccountId } = running.info;
    await json(running, 'organizations', 'ListRoots');
    await json(running, 'organizations', 'ListRoots', { MaxResults: 0 });
    const { body } = await control(running, 'calls');
    expect(body).toEqual({
      calls: [
        {
          service: 'organizations',
          operation: 'ListRoots',
          accountId: managementAccountId,
          count: 2,
          throttled: 0,
          failed: 1,
        },
      ],
    });
  });

  test('accounts can join, change, close, and leave', async () => {
    const running = await sandboxForTest();
    const before = running.sandbox.accounts().length;
    const { accountId } = member(running);
    const answer = await control(running, 'accounts', {
      add: [{ ou: '/Canary', name: 'new-one', tags: { env: 'canary' } }],
      update: [{ accountId, state: 'SUSPENDED', roleAssumable: false }],
    });
    expect(answer.body['accountIds']).toEqual([accountId, expect.stringMatching(/^\d{12}$/)]);
    expect(running.sandbox.accounts()).toHaveLength(before + 1);
    expect(truth(running, accountId)).toMatchObject({ state: 'SUSPENDED', roleAssumable: false });
    await control(running, 'accounts', { remove: [accountId] });
    expect(running.sandbox.accounts(accountId)).toEqual([]);
    expect((await json(running, 'compute-optimizer', 'GetEnrollmentStatus', {}, { as: as(accountId) })).error).toBe(
      'UnrecognizedClientException',
    );
  });

  test('reset: restores the initial state', async () => {
    const running = await sandboxForTest({ drift: 0.2, rate: 1, faults: [{ kind: 'slow', delayMs: 1, count: 1 }] });
    const before = running.sandbox.accounts();
    await control(running, 'drift', { accounts: 5 });
    await control(running, 'clock', { advance: '24h' });
    await control(running, 'accounts', { add: [{}] });
    await control(running, 'faults', { faults: [{ kind: 'internal' }] });
    await json(running, 'events', 'PutEvents', { Entries: [{}] });
    expect((await control(running, 'reset', {})).body).toMatchObject({ accounts: 25 });
    expect(running.sandbox.accounts()).toEqual(before);
    expect(running.sandbox.calls()).toEqual([]);
    expect(running.sandbox.events()).toEqual([]);
    expect((await control(running, 'clock')).body).toEqual({ now: new Date(START).toISOString() });
    expect((await json(running, 'organizations', 'ListRoots')).status).toBe(200);
  });

  test.each([
    ['clock', {}, 'advance'],
    ['clock', { advance: '-1h' }, 'duration'],
    ['clock', { advance: 24 }, 'advance'],
    ['clock', { advance: 'tomorrow' }, 'duration'],
    ['clock', { advance: '99999999d' }, '10 years'],
    ['clock', '{', 'JSON'],
    ['drift', {}, 'accounts'],
    ['drift', { accounts: -1 }, 'accounts'],
    ['drift', { accounts: 5, changes: [] }, 'accounts'],
    ['drift', { changes: [{ accountId: '1', enrollment: 'computeOptimizer', status: 'Active' }] }, '12-digit'],
    [
      'drift',
      { changes: [{ accountId: '000000000000', enrollment: 'computeOptimizer', status: 'Active' }] },
      '000000000000',
    ],
    ['drift', { changes: [{ accountId: '000000000000', enrollment: 'other', status: 'Active' }] }, 'enrollment'],
    ['faults', [], 'object'],
    ['faults', { faults: 'all' }, 'faults'],
    ['trusted-access', { enabled: 'no' }, 'enabled'],
    ['accounts', { add: [{ ou: '/Nowhere' }] }, '/Nowhere'],
    ['accounts', { update: [{ ou: '/' }] }, 'accountId'],
    ['accounts', { update: [{ accountId: '000000000000', ou: '/' }] }, '000000000000'],
    ['accounts', { update: [{ accountId: '000000000000', state: 'CLOSED' }] }, 'state'],
    ['accounts', { remove: ['000000000000'] }, '000000000000'],
    ['accounts', { add: [{ accountId: '000000000001' }, { accountId: '000000000001' }] }, '000000000001'],
  ])('POST %s %j is refused and says why', async (path, body, named) => {
    const running = await sandboxForTest();
    const before = running.sandbox.accounts();
    const answer = await control(running, path, body);
    expect(answer.status).toBe(400);
    expect(answer.body['error']).toEqual(expect.stringContaining(named));
    expect(running.sandbox.accounts()).toEqual(before);
  });

  test('states that AWS does not allow are rejected', async () => {
    const running = await sandboxForTest({ drift: 0.2 });
    const { managementAccountId, delegatedAdministratorId } = running.info;
    const { accountId } = member(running, ({ computeOptimizer }) => computeOptimizer.status === 'Inactive');
    const before = running.sandbox.accounts();
    for (const [path, body] of [
      ['drift', { changes: [{ accountId, enrollment: 'automation', status: 'Active' }] }],
      ['accounts', { remove: [managementAccountId] }],
      ['accounts', { remove: [delegatedAdministratorId] }],
      ['accounts', { update: [{ accountId: managementAccountId, state: 'SUSPENDED' }] }],
      ['accounts', { add: [{ accountId }] }],
    ] as const)
      expect((await control(running, path, body)).status).toBe(400);
    expect(running.sandbox.accounts()).toEqual(before);
    const both = ['computeOptimizer', 'automation'].map((enrollment) => ({ accountId, enrollment, status: 'Active' }));
    expect((await control(running, 'drift', { changes: both })).status).toBe(200);
    expect(truth(running, accountId).automation.status).toBe('Active');
  });

  test('unknown paths and wrong methods are rejected', async () => {
    const running = await sandboxForTest();
    expect((await control(running, 'nothing')).status).toBe(404);
    expect((await control(running, 'constructor')).status).toBe(404);
    expect((await control(running, 'drift')).status).toBe(405);
    expect((await control(running, 'calls', {})).status).toBe(405);
  });
});

test.each([
  ['0s', 0],
  ['250ms', 250],
  ['1.5h', 5_400_000],
  ['1d12h', 129_600_000],
  ['5m', 300_000],
  ['', null],
  ['5', null],
  ['h', null],
  ['-5s', null],
  ['5 s', null],
  ['5w', null],
])('parseSandboxDuration(%j) is %j', (text, expected) => {
  expect(parseSandboxDuration(text)).toBe(expected);
});
