import { GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import type { AwsStores } from '../../../shared/adapters/aws/store.ts';
import type { OrganizationSnapshot } from '../../../shared/ports/cloud.ts';
import { account, facts, range } from '../../contract/samples.ts';
import { type Spy, spyOn } from './spy.ts';
import { type Bench, makeBench, type SimulatedAws, startSimulatedAws } from './stores.ts';

let aws: SimulatedAws;
let spy: Spy;
let bench: Bench;
let stores: AwsStores;
beforeAll(async () => {
  aws = await startSimulatedAws();
  spy = await spyOn(aws.dynamodb.endpoint);
});
beforeEach(async () => {
  bench = await makeBench(aws);
  stores = await bench.open({ dynamodb: { ...aws.dynamodb, endpoint: spy.endpoint } });
});
afterEach(() => bench.dispose());
afterAll(async () => {
  await spy.close();
  await aws.close();
});

const ACCOUNTS = range(300).map((n) => facts(n));

function snapshot(takenAt: number, accounts = ACCOUNTS): OrganizationSnapshot {
  return { organizationId: 'o-1', managementAccountId: account(0), takenAt, tags: true, accounts };
}

/** Saves the snapshot and checks that it is read as saved. @returns whether buckets were written */
async function savesBuckets(saved: OrganizationSnapshot): Promise<boolean> {
  spy.reset();
  await stores.snapshots.save(saved);
  const { BatchWriteItem = 0, PutItem = 0 } = spy.seen().operations;
  if (BatchWriteItem === 0) expect(PutItem).toBe(1);
  const accounts = saved.accounts.toSorted((a, b) => (a.id < b.id ? -1 : 1));
  expect(await stores.snapshots.load()).toEqual({ ...saved, accounts });
  return BatchWriteItem > 0;
}

it('writes one item if the same accounts are saved again, in any order', async () => {
  expect(await savesBuckets(snapshot(1))).toBe(true);
  expect(await savesBuckets(snapshot(2))).toBe(false);
  expect(await savesBuckets(snapshot(3, ACCOUNTS.toReversed()))).toBe(false);
});

it.each([
  ['an account was renamed', ACCOUNTS.with(7, facts(7, { name: 'renamed' }))],
  ['an account was tagged', ACCOUNTS.with(7, facts(7, { tags: { a: 'b' } }))],
  ['an account left', ACCOUNTS.slice(1)],
  ['an account joined', [...ACCOUNTS, facts(300)]],
])('writes the buckets if %s', async (_, accounts) => {
  await stores.snapshots.save(snapshot(1));
  expect(await savesBuckets(snapshot(2, accounts))).toBe(true);
  expect(await savesBuckets(snapshot(3, accounts))).toBe(false);
});

it('writes the buckets if an account was refreshed or removed since', async () => {
  await stores.snapshots.save(snapshot(1));
  await stores.snapshots.refresh([facts(7, { ou: '/Moved' })]);
  expect(await savesBuckets(snapshot(2))).toBe(true);
  await stores.snapshots.remove([account(7)]);
  expect(await savesBuckets(snapshot(3))).toBe(true);
  expect(await savesBuckets(snapshot(4))).toBe(false);
});

it('writes the buckets after a save by a version that stored no digest', async () => {
  await stores.snapshots.save(snapshot(1));
  const key = { pk: { S: 'facts' }, sk: { S: 'current' } };
  const { Item = {} } = await aws.table.send(new GetItemCommand({ TableName: bench.table, Key: key }));
  const { digest: _, ...older } = Item;
  await aws.table.send(new PutItemCommand({ TableName: bench.table, Item: older }));
  expect(await savesBuckets(snapshot(2))).toBe(true);
});
