import { expect, it } from 'vitest';
import { makeHandler as makeApi } from '../../../services/api/handler.ts';
import { makeHandler as makeReactor } from '../../../services/reactor/handler.ts';
import { type FaultProxy, refusal, startFaultProxy } from '../../adapters/aws/faults.ts';
import { allows, writtenKeys } from '../../infra/table-rights.ts';
import { optedOut, organizationCall } from '../../support/cloud-trail-events.ts';
import { urlContext, urlEvent } from '../../support/url-events.ts';
import { functionsOf } from './functions.ts';
import { deploy, lambdaContext } from './support.ts';

const DAY_MS = 24 * 3_600_000;

it('each function can do its work with the table permissions of its role, from a scan to pruning', {
  timeout: 120_000,
}, async () => {
  let running = 'nobody';
  const refused: string[] = [];
  const seen = new Set<string>();
  const proxies: FaultProxy[] = [];
  const doors = {
    queue: startFaultProxy,
    async table(endpoint: string) {
      const proxy = await startFaultProxy(endpoint);
      proxies.push(proxy);
      proxy.decide = (call) => {
        const keys = writtenKeys(call);
        if (keys.length === 0 || running === 'nobody') return undefined;
        for (const key of keys) seen.add(`${running} ${call.operation} ${key.replace(/#.*/s, '')}`);
        if (allows(running, call.operation, keys)) return undefined;
        refused.push(`${running} ${call.operation} ${keys.join(', ')}`);
        return refusal('AccessDeniedException');
      };
      return proxy;
    },
  };
  const world = await deploy({ sandbox: { accounts: 6, drift: 0.5 }, policy: { more: 'retention: 1d' }, doors });
  const as = async <T>(name: string, work: () => Promise<T>): Promise<T> => {
    running = name;
    try {
      return await work();
    } finally {
      running = 'nobody';
    }
  };
  const { tick, scan, work } = functionsOf(world, { around: as });
  const round = async (): Promise<void> => {
    await tick();
    await scan();
    for (let batch = await work(); batch !== null; batch = await work()) expect(batch.failed).toEqual([]);
    await tick();
  };
  await round();
  const member = world.sandbox.sandbox.accounts().find(({ state, management }) => state === 'ACTIVE' && !management);
  const accountId = member?.accountId ?? '';
  const reactor = makeReactor(world.compose('reactor'));
  const at = world.clock.now();
  const { managementAccountId } = world.sandbox.info;
  for (const event of [
    optedOut(accountId, at),
    organizationCall('MoveAccount', { accountId }, { account: managementAccountId, at }),
  ]) {
    await as('reactor', () => reactor(event, lambdaContext(world.clock)));
  }
  const operator = 'arn:aws:sts::111122223333:assumed-role/FinOps/anna';
  const api = makeApi(world.compose('api'), () => () => true);
  for (const [path, body] of [
    ['/api/suspend', { selector: accountId }],
    ['/api/resume', { selector: accountId }],
    ['/api/halt', {}],
    ['/api/unhalt', {}],
  ] as const) {
    const { statusCode, body: text } = await as('api', () => api(urlEvent('POST', path, operator, body), urlContext));
    expect([path, statusCode, text]).toEqual([path, 200, text]);
  }
  // The next snapshot removes the previous one; entries older than the retention are pruned later.
  world.clock.advance(DAY_MS);
  await round();
  world.clock.advance(3 * DAY_MS);
  const { pruned } = await tick();
  expect(refused).toEqual([]);
  expect(pruned).toBeGreaterThan(0);
  const changes = [...seen].filter((each) => !each.includes('PutItem'));
  expect(changes.filter((each) => each.endsWith(' chain')).sort()).toEqual([
    'tick BatchWriteItem chain',
    'tick UpdateItem chain',
  ]);
  // All of these operations were made.
  expect(changes).toEqual(
    expect.arrayContaining([
      ...['api UpdateItem record', 'reactor BatchWriteItem facts', 'scanner BatchWriteItem facts'],
      ...['scanner DeleteItem facts', 'scanner DeleteItem register'],
    ]),
  );
});
