import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { makeHandler as makeApi } from '../../../services/api/handler.ts';
import { makeHandler as makeReactor } from '../../../services/reactor/handler.ts';
import { suspend } from '../../../shared/app/guardrails/controls.ts';
import { parseOperatorSelector } from '../../../shared/domain/policy/index.ts';
import { JANE, optedOut, organizationCall, organizationNews } from '../../support/cloud-trail-events.ts';
import { answering, webhookReceiver } from '../../support/webhook-receiver.ts';
import { functionsOf } from './functions.ts';
import { deploy, lambdaContext } from './support.ts';

const A = '111122223333';
const entry = z.looseObject({
  accountId: z.string().nullable(),
  detail: z.looseObject({ changedBy: z.looseObject({ actor: z.string() }).optional() }).nullable(),
});

function accepted(text: string) {
  const parsed = parseOperatorSelector(text);
  if (!parsed.ok) throw new Error(parsed.message);
  return parsed.selector;
}

describe('the reactor', () => {
  it('causes the immediate remediation of an account that somebody opted out, and records the actor', async () => {
    const world = await deploy({ sandbox: { accounts: 14, drift: 0 } });
    const { tick, scan, work } = functionsOf(world);
    await tick();
    await scan();
    expect(await work()).toBeNull();
    const member = world.sandbox.sandbox.accounts().find(({ state, management }) => state === 'ACTIVE' && !management);
    const accountId = member?.accountId ?? '';
    world.clock.advance(60_000);
    world.sandbox.sandbox.drift({ changes: [{ accountId, enrollment: 'computeOptimizer', status: 'Inactive' }] });
    const reactor = makeReactor(world.compose('reactor'));
    const event = optedOut(accountId, world.clock.now(), { source: 'compute-optimizer.amazonaws.com' });
    expect(await reactor(event, lambdaContext(world.clock))).toMatchObject({ queued: [accountId], unknown: [] });
    for (let batch = await work(); batch !== null; batch = await work()) expect(batch.failed).toEqual([]);
    expect(world.sandbox.sandbox.accounts(accountId)[0]?.computeOptimizer.status).toBe('Active');
    await tick();
    const [drift] = world.events('Drift Detected').filter(({ detail }) => entry.parse(detail).accountId === accountId);
    expect(entry.parse(drift?.detail).detail?.changedBy?.actor).toBe(JANE(accountId));
    const unknown = optedOut('999999999999', world.clock.now());
    expect(await reactor(unknown, lambdaContext(world.clock))).toMatchObject({
      queued: [],
      unknown: ['999999999999'],
    });
    expect(await work()).toBeNull();
  });

  it('follows an account that is moved, tagged, closed, added or removed', async () => {
    const world = await deploy({ sandbox: { accounts: 12, drift: 0 } });
    const { tick, scan } = functionsOf(world);
    // The policy does not use tags, but a suspension does.
    const { stores, clock } = await world.compose('cli')();
    const selector = accepted('tag:tier=gold');
    await suspend({ ...stores, clock, newId: () => 'id-1', actor: 'alice' }, { selector, until: null, reason: null });
    await tick();
    await scan();
    const reactor = makeReactor(world.compose('reactor'));
    const { sandbox } = world.sandbox;
    const { managementAccountId } = sandbox.info();
    const members = sandbox.accounts().filter(({ state, management }) => state === 'ACTIVE' && !management);
    const [moved = '', closed = '', removed = ''] = members.map(({ accountId }) => accountId);
    const elsewhere = sandbox.accounts().find(({ ou }) => ou !== members[0]?.ou)?.ou ?? '';
    sandbox.changeAccounts({
      add: [{ name: 'newcomer', ou: elsewhere }],
      update: [
        { accountId: moved, ou: elsewhere, tags: { tier: 'gold' } },
        { accountId: closed, state: 'SUSPENDED' },
      ],
      remove: [removed],
    });
    const added = sandbox.accounts().find(({ name }) => name === 'newcomer')?.accountId ?? '';
    const options = () => ({ account: managementAccountId, at: world.clock.now() });
    const happened = [
      organizationCall('MoveAccount', { accountId: moved }, options()),
      organizationCall('TagResource', { resourceId: moved, tags: [{ key: 'tier', value: 'gold' }] }, options()),
      organizationNews('CloseAccountResult', { closeAccountStatus: { accountId: closed } }, options()),
      organizationNews(
        'CreateAccountResult',
        { createAccountStatus: { accountId: added, state: 'SUCCEEDED' } },
        options(),
      ),
      organizationNews('AccountDepartedOrganization', { accountId: removed, departureMethod: 'REMOVED' }, options()),
    ];
    for (const event of happened) await reactor(event, lambdaContext(world.clock));
    const { snapshots, ledger } = stores;
    expect(await snapshots.get(moved)).toMatchObject({ ou: elsewhere, tags: { tier: 'gold' }, state: 'ACTIVE' });
    expect(await snapshots.get(closed)).toMatchObject({ state: 'SUSPENDED' });
    expect(await snapshots.get(added)).toMatchObject({ name: 'newcomer', ou: elsewhere });
    expect(await snapshots.get(removed)).toBeNull();
    const last = async (id: string) => (await ledger.query({ accountId: id }, { limit: 1 })).entries[0]?.type;
    expect([await last(added), await last(removed)]).toEqual(['AccountJoined', 'AccountLeft']);
    expect(world.measured.get('EventsHeard')).toBe(happened.length);
  });

  it('does not throw for a malformed event, which would cause a retry', async () => {
    const world = await deploy({ sandbox: { accounts: 8, drift: 0 } });
    const reactor = makeReactor(world.compose('reactor'));
    for (const event of [{ detail: 'x' }, null, 'x', { ...optedOut('111122223333', 0), account: '1' }]) {
      expect(await reactor(event, lambdaContext(world.clock))).toMatchObject({ rejected: expect.any(String) });
    }
    expect(world.measured.get('EventsRejected')).toBe(4);
    expect(world.lines.filter(({ message }) => message === 'an event was rejected')).toHaveLength(4);
  });
});

describe('the webhook of the tick', () => {
  it('receives each message once, and its outage fails no tick and delays no event', async () => {
    const world = await deploy({ sandbox: { accounts: 10, drift: 0.5 } });
    const receiver = await webhookReceiver();
    receiver.behave = answering(500);
    world.writePolicy({ more: `notify: { webhook: { url: "${receiver.url}", events: [drift] } }` });
    const { tick, scan } = functionsOf(world);
    await tick();
    await scan();
    world.clock.advance(60_000);
    expect(await tick()).toMatchObject({ alerted: 0, published: expect.any(Number) });
    expect(world.events('Drift Detected').length).toBeGreaterThan(0);
    expect(receiver.received).toHaveLength(1);
    receiver.behave = answering(200);
    world.clock.advance(60_000);
    expect(await tick()).toMatchObject({ alerted: world.events('Drift Detected').length });
    world.clock.advance(600_000);
    expect(await tick()).toMatchObject({ alerted: 0 });
    expect(receiver.received.map(({ body }) => body)).toEqual([receiver.received[0]?.body, receiver.received[0]?.body]);
    expect(JSON.stringify(world.lines)).not.toContain('s3cr3t');
  });
});

describe('the API behind Lambda', () => {
  const request = (path: string) => ({
    version: '2.0',
    routeKey: '$default',
    rawPath: path,
    rawQueryString: '',
    headers: { host: 'abc.lambda-url.eu-central-1.on.aws' },
    requestContext: {
      accountId: A,
      apiId: 'abc',
      authentication: null,
      authorizer: {},
      domainName: 'abc.lambda-url.eu-central-1.on.aws',
      domainPrefix: 'abc',
      http: { method: 'GET', path, protocol: 'HTTP/1.1', sourceIp: '192.0.2.1', userAgent: 'test' },
      requestId: 'id',
      routeKey: '$default',
      stage: '$default',
      time: '02/Nov/2026:09:00:00 +0000',
      timeEpoch: 1_793_610_000_000,
    },
    body: null,
    isBase64Encoded: false,
  });

  it('reports its health', async () => {
    const world = await deploy({ sandbox: { accounts: 8, drift: 0.5 } });
    const context = { ...CONTEXT, ...lambdaContext(world.clock) };
    const api = makeApi(world.compose('api'));
    expect(await api(request('/api/health'), context)).toMatchObject({ statusCode: 200, body: '{"status":"ok"}' });
    expect(await api(request('/api/nothing'), context)).toMatchObject({ statusCode: 404 });
    world.env['ROLLCALL_TABLE'] = 'not-there';
    const broken = await makeApi(world.compose('api'))(request('/api/health'), context);
    expect(broken).toMatchObject({ statusCode: 503, body: '{"status":"unavailable"}' });
  });
});

/** The fields of Lambda's context that Hono's type requires but nothing uses. */
const CONTEXT = {
  callbackWaitsForEmptyEventLoop: true,
  ...{ functionName: 'api', functionVersion: '1', invokedFunctionArn: '', memoryLimitInMB: '512' },
  ...{ logGroupName: '', logStreamName: '' },
  done: () => undefined,
  fail: () => undefined,
  succeed: () => undefined,
};
