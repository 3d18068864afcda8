import { DeleteItemCommand, PutItemCommand, QueryCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import * as z from 'zod';
import type { AwsStores } from '../../../shared/adapters/aws/store.ts';
import { verifyLedger } from '../../../shared/app/queries/audit/verify.ts';
import { emptyRecord, foldEntry } from '../../../shared/domain/account/record.ts';
import { EMPTY_CHAIN, headOf, sealEntry } from '../../../shared/domain/ledger/entry.ts';
import { StoreError } from '../../../shared/ports/store-error.ts';
import { account, chainOf, draft, facts, range, record, sealAll, time } from '../../contract/samples.ts';
import { MANUAL_CLOCK_START } from '../../support/manual-clock.ts';
import { type FailureOutcome, type FaultProxy, refusal, startFaultProxy } from './faults.ts';
import { type Bench, hastyClock, makeBench, type PretendAws, startPretendAws } from './stores.ts';

let aws: PretendAws;
let bench: Bench;
let proxy: FaultProxy;
let stores: AwsStores;
let clock: ReturnType<typeof hastyClock>;
beforeAll(async () => {
  aws = await startPretendAws();
});
afterAll(() => aws.close());
beforeEach(async () => {
  bench = await makeBench(aws);
  proxy = await startFaultProxy(aws.dynamodb.endpoint);
  clock = hastyClock();
  const dynamodb = { ...aws.dynamodb, endpoint: proxy.endpoint };
  stores = await bench.open({ clock, random: () => 0.5, dynamodb, check: false });
});
afterEach(async () => {
  await bench.dispose();
  await proxy.close();
});

const A = account(1);

async function all<T>(pages: AsyncIterable<readonly T[]>): Promise<readonly T[]> {
  const found: T[] = [];
  for await (const page of pages) found.push(...page);
  return found;
}

/** The first `times` calls of an operation meet `fate`. */
function spoil(operation: string, times: number, fate: FailureOutcome): void {
  let left = times;
  proxy.decide = (call) => {
    if (call.operation !== operation || left === 0) return undefined;
    left -= 1;
    return fate;
  };
}

const THROTTLED = ['ProvisionedThroughputExceededException', 'ThrottlingException', 'RequestLimitExceeded'];

describe('DynamoDB failing in between', () => {
  it.each([...THROTTLED, 'InternalServerError', 'ServiceUnavailable'])(
    '%s is waited out, with jitter',
    async (code) => {
      spoil('PutItem', 3, refusal(code));
      const entries = chainOf(A, 1);
      expect(await stores.ledger.append(entries)).toEqual(['appended']);
      // Half of 50, 100 and 200 ms.
      expect(clock.slept).toEqual([25, 50, 100]);
      expect(await stores.ledger.read(A, 0, 10)).toEqual(entries);
    },
  );

  it('throttling that does not end is an error that says so, and the append can be repeated', async () => {
    spoil('PutItem', 1_000, refusal('ProvisionedThroughputExceededException'));
    const entries = chainOf(A, 2);
    await expect(stores.ledger.append(entries)).rejects.toMatchObject({ name: 'StoreError', code: 'Throttled' });
    proxy.decide = () => undefined;
    expect(await stores.ledger.append(entries)).toEqual(['appended', 'appended']);
    expect(await stores.ledger.chains(null, 10)).toEqual([A]);
  });

  it.each([
    ['AccessDeniedException', 'Denied'],
    ['UnrecognizedClientException', 'Unauthenticated'],
    ['ResourceNotFoundException', 'NotFound'],
    ['ValidationException', 'Rejected'],
  ])('%s is not repeated', async (vendorCode, code) => {
    spoil('GetItem', 1_000, refusal(vendorCode));
    const failure = await stores.registers.read('x').catch((error: unknown) => error);
    if (!(failure instanceof StoreError)) throw new Error('no StoreError');
    expect(failure.details).toMatchObject({ code, vendorCode, resource: `table ${bench.table}` });
    expect(failure.message).toContain('GetItem');
    expect(proxy.count('GetItem')).toBe(1);
    expect(clock.slept).toEqual([]);
  });

  it('a connection that breaks is made anew', async () => {
    spoil('GetItem', 2, { kind: 'reset' });
    expect(await stores.registers.read('x')).toBeNull();
    expect(proxy.count('GetItem')).toBe(3);
  });

  it('a page that no AWS service wrote is taken for a passing failure', async () => {
    spoil('GetItem', 1, { kind: 'answer', status: 502, body: '<html>Bad Gateway</html>' });
    expect(await stores.registers.read('x')).toBeNull();
  });
});

describe('answers of 200 that lack what DynamoDB always gives', () => {
  const EMPTY = { kind: 'answer', status: 200, body: {} } as const;

  it('an item that is there is never read as absent', async () => {
    const version = await stores.registers.write('halt', { on: true }, null);
    spoil('GetItem', 3, EMPTY);
    expect(await stores.registers.read('halt')).toMatchObject({ value: { on: true }, version });
    spoil('GetItem', 1_000, EMPTY);
    await expect(stores.registers.read('halt')).rejects.toMatchObject({
      code: 'Unavailable',
      details: { vendorCode: 'IncompleteAnswer' },
    });
  });

  it('entries and records that are there are never read as none', async () => {
    const entries = chainOf(A, 2);
    await stores.ledger.append(entries);
    spoil('Query', 2, EMPTY);
    expect(await stores.ledger.read(A, 0, 10)).toEqual(entries);
    await stores.records.advance([record(A, 2)]);
    spoil('BatchGetItem', 2, { kind: 'answer', status: 200, body: { Responses: {} } });
    expect((await stores.records.getMany([A])).size).toBe(1);
    expect(proxy.count('BatchGetItem')).toBeGreaterThan(2);
  });

  it('a write without an answer is not taken for stored', async () => {
    spoil('PutItem', 2, EMPTY);
    const entries = chainOf(A, 1);
    expect(await stores.ledger.append(entries)).toEqual(['appended']);
    expect(await stores.ledger.read(A, 0, 10)).toEqual(entries);
  });
});

describe('answers that are lost', () => {
  it('an append whose answer is lost is appended, once', async () => {
    for (const operation of ['PutItem']) {
      const entries = chainOf(A, 3);
      for (const entry of entries) {
        spoil(operation, 2, { kind: 'lost' });
        expect(await stores.ledger.append([entry])).toEqual(['appended']);
      }
      expect(await stores.ledger.read(A, 0, 10)).toEqual(entries);
    }
  });

  it('a register knows its own write by its version, and someone else’s as well', async () => {
    spoil('PutItem', 1, { kind: 'lost' });
    const first = await stores.registers.write('lease', 1, null);
    expect(first).not.toBeNull();
    expect(await stores.registers.read('lease')).toEqual({ name: 'lease', value: 1, version: first });
    // Never carried out, and meanwhile someone else has written.
    const other = await bench.open();
    let theirs: string | null = null;
    let done = false;
    proxy.decide = ({ operation }) => {
      if (operation !== 'PutItem' || done) return undefined;
      done = true;
      return { kind: 'reset' };
    };
    const racing = other.registers.write('lease', 2, first).then((version) => {
      theirs = version;
    });
    await racing;
    expect(await stores.registers.write('lease', 3, first)).toBeNull();
    expect(await stores.registers.read('lease')).toEqual({ name: 'lease', value: 2, version: theirs });
  });

  it('a removal whose answer is lost is a removal, and exactly one of two removers has removed', async () => {
    const version = (await stores.registers.write('lease', 1, null)) ?? '';
    spoil('PutItem', 1, { kind: 'lost' });
    expect(await stores.registers.remove('lease', version)).toBe(true);
    expect(await stores.registers.read('lease')).toBeNull();
    const second = (await stores.registers.write('lease', 1, null)) ?? '';
    const other = await bench.open();
    expect(await other.registers.remove('lease', second)).toBe(true);
    spoil('PutItem', 1, { kind: 'reset' });
    expect(await stores.registers.remove('lease', second)).toBe(false);
  });

  it('a tombstone that a crash left behind is nothing, and gives way', async () => {
    const version = (await stores.registers.write('lease', 1, null)) ?? '';
    spoil('DeleteItem', 1_000, refusal('AccessDeniedException'));
    await expect(stores.registers.remove('lease', version)).rejects.toThrow('DeleteItem');
    proxy.decide = () => undefined;
    expect(await stores.registers.read('lease')).toBeNull();
    expect(await stores.registers.list('')).toEqual([]);
    expect(await stores.registers.remove('lease', version)).toBe(false);
    expect(await stores.registers.write('lease', 2, version)).toBeNull();
    const again = await stores.registers.write('lease', 2, null);
    expect(await stores.registers.read('lease')).toEqual({ name: 'lease', value: 2, version: again });
  });

  it('marks and advances may be repeated', async () => {
    const entries = chainOf(A, 2);
    await stores.ledger.append(entries);
    spoil('UpdateItem', 1, { kind: 'lost' });
    await stores.ledger.markPublished(entries);
    expect(await stores.ledger.unpublished(10)).toEqual([]);
    spoil('PutItem', 1, { kind: 'lost' });
    await stores.records.advance([record(A, 3)]);
    expect(await stores.records.get(A)).toEqual(record(A, 3));
  });
});

const getsSchema = z.object({ RequestItems: z.record(z.string(), z.object({ Keys: z.array(z.unknown()) }).loose()) });
const writesSchema = z.object({ RequestItems: z.record(z.string(), z.array(z.unknown())) });

describe('batches that are done in part', () => {
  it('UnprocessedKeys are asked for again', async () => {
    const ids = range(120).map(account);
    await stores.records.advance(ids.map((id) => record(id, 1)));
    proxy.decide = ({ operation, body }) => {
      if (operation !== 'BatchGetItem') return undefined;
      const { RequestItems } = getsSchema.parse(body);
      const request = RequestItems[bench.table];
      const keys = request?.Keys ?? [];
      // All but the first seven are left, or all of them each fifth time.
      const now = proxy.count('BatchGetItem') % 5 === 0 ? 0 : 7;
      if (now === 0) {
        return { kind: 'answer', status: 200, body: { Responses: {}, UnprocessedKeys: RequestItems } };
      }
      const some = { RequestItems: { [bench.table]: { ...request, Keys: keys.slice(0, now) } } };
      const rest = keys.slice(now);
      const UnprocessedKeys = rest.length === 0 ? {} : { [bench.table]: { ...request, Keys: rest } };
      return { kind: 'pass', body: some, change: (answer) => ({ ...answer, UnprocessedKeys }) };
    };
    expect([...(await stores.records.getMany(ids)).keys()].sort()).toEqual(ids);
    expect(clock.slept.length).toBeGreaterThan(0);
  });

  it('UnprocessedItems are written again, and a snapshot becomes valid only when all are', async () => {
    const accounts = range(1_500).map((n) => facts(n));
    const snapshot = { organizationId: 'o-1', managementAccountId: account(0), takenAt: 1, tags: true, accounts };
    let currentSeen = 0;
    proxy.decide = ({ operation, body }) => {
      if (operation === 'PutItem' && JSON.stringify(body).includes('"current"')) currentSeen = proxy.calls.length;
      if (operation !== 'BatchWriteItem') return undefined;
      const { RequestItems } = writesSchema.parse(body);
      const requests = RequestItems[bench.table] ?? [];
      if (requests.length < 2) return undefined;
      const [first, ...rest] = requests;
      return {
        kind: 'pass',
        body: { RequestItems: { [bench.table]: [first] } },
        change: (answer) => ({ ...answer, UnprocessedItems: { [bench.table]: rest } }),
      };
    };
    await stores.snapshots.save(snapshot);
    expect(proxy.count('BatchWriteItem')).toBe(Math.ceil(accounts.length / 128));
    expect(proxy.calls.slice(currentSeen).filter(({ operation }) => operation === 'BatchWriteItem')).toEqual([]);
    expect((await stores.snapshots.load())?.accounts).toHaveLength(1_500);
  });

  it('what stays unprocessed is an error, not a success', async () => {
    proxy.decide = ({ operation, body }) => {
      if (operation === 'BatchWriteItem') {
        return { kind: 'answer', status: 200, body: { UnprocessedItems: writesSchema.parse(body).RequestItems } };
      }
      if (operation !== 'BatchGetItem') return undefined;
      return {
        kind: 'answer',
        status: 200,
        body: { Responses: {}, UnprocessedKeys: getsSchema.parse(body).RequestItems },
      };
    };
    await expect(stores.snapshots.refresh([facts(1)])).rejects.toMatchObject({ code: 'Throttled' });
    await expect(stores.records.getMany([A])).rejects.toMatchObject({ code: 'Throttled' });
    expect(proxy.count('BatchWriteItem')).toBe(11);
  });
});

describe('crashes in between', () => {
  it('a chain whose writer died behind its first entry is listed, and goes on', async () => {
    const [one, two] = chainOf(A, 2);
    if (!one || !two) throw new Error('no entries');
    // The second PutItem is the entry, the third would be the chain's end.
    proxy.decide = ({ operation }) =>
      operation === 'PutItem' && proxy.count('PutItem') > 2 ? refusal('AccessDeniedException') : undefined;
    await expect(stores.ledger.append([one])).rejects.toThrow('PutItem');
    proxy.decide = () => undefined;
    expect(await stores.ledger.head(A)).toEqual(headOf(one));
    // Whoever catches the record up has it follow entries of which the chain's item knows nothing: nobody has taken them away.
    expect(await all(stores.ledger.ends())).toEqual([{ chain: A, ...headOf(one) }]);
    expect(await all(stores.ledger.tails(one.at))).toMatchObject([{ accountId: A }]);
    await stores.records.advance([foldEntry(emptyRecord(A), one)]);
    expect(await verifyLedger(stores.ledger, stores.records)).toMatchObject({ ok: true, chains: 1, entries: 1 });
    expect(await stores.ledger.chains(null, 10)).toEqual([A]);
    expect(await stores.ledger.append([one, two])).toEqual(['appended', 'appended']);
    expect(await stores.ledger.read(A, 0, 10)).toEqual([one, two]);
  });

  it('a chain whose first entry was never stored is not listed', async () => {
    proxy.decide = ({ operation }) =>
      operation === 'PutItem' && proxy.count('PutItem') > 1 ? refusal('AccessDeniedException') : undefined;
    await expect(stores.ledger.append(chainOf(A, 1))).rejects.toThrow('PutItem');
    proxy.decide = () => undefined;
    expect(await stores.ledger.chains(null, 10)).toEqual([]);
    expect(await stores.ledger.head(A)).toEqual(EMPTY_CHAIN);
  });

  it('entries that were taken away at a chain’s end do not go unnoticed', async () => {
    const entries = chainOf(A, 3);
    await stores.ledger.append(entries);
    const key = { pk: { S: `chain#${A}` }, sk: { S: '000000000003' } };
    await aws.table.send(new DeleteItemCommand({ TableName: bench.table, Key: key }));
    expect((await stores.ledger.head(A)).seq).toBe(3);
    const [, second] = entries;
    if (!second) throw new Error('no entry');
    // Nobody continues from the cut as if nothing had been there.
    expect(await stores.ledger.append([sealEntry(draft({ chain: A, reason: 'forged' }), headOf(second))])).toEqual([
      'headMoved',
    ]);
  });

  it('a save that died leaves the old snapshot valid; what it left is removed by a later save', async () => {
    const snapshot = (takenAt: number) => ({
      ...{ organizationId: 'o-1', managementAccountId: account(0), takenAt, tags: true },
      accounts: range(300).map((n) => facts(n, { name: `snapshot ${takenAt}` })),
    });
    await stores.snapshots.save(snapshot(1));
    proxy.decide = ({ operation, body }) =>
      operation === 'PutItem' && JSON.stringify(body).includes('"current"')
        ? refusal('AccessDeniedException')
        : undefined;
    await expect(stores.snapshots.save(snapshot(2))).rejects.toThrow('PutItem');
    proxy.decide = () => undefined;
    expect(await stores.snapshots.load()).toEqual(snapshot(1));
    expect(await itemsOfFacts()).toBe(2);
    await clock.sleep(16 * 60_000);
    await stores.snapshots.save(snapshot(3));
    expect(await stores.snapshots.load()).toEqual(snapshot(3));
    expect(await itemsOfFacts()).toBe(1);
  });

  it('a save that another overtakes is replaced by it whole, or replaces it whole', async () => {
    const snapshot = (takenAt: number) => ({
      ...{ organizationId: 'o-1', managementAccountId: account(0), takenAt, tags: true },
      accounts: range(300).map((n) => facts(n, { name: `snapshot ${takenAt}` })),
    });
    const other = await bench.open({ clock });
    for (let round = 0; round < 5; round += 1) {
      await Promise.all([stores.snapshots.save(snapshot(2 * round)), other.snapshots.save(snapshot(2 * round + 1))]);
      const found = await other.snapshots.load();
      expect([snapshot(2 * round), snapshot(2 * round + 1)]).toContainEqual(found);
    }
  });

  /** How many snapshots have a name. */
  async function itemsOfFacts(): Promise<number> {
    const command = new QueryCommand({
      TableName: bench.table,
      KeyConditionExpression: 'pk = :pk AND begins_with(sk, :sk)',
      ExpressionAttributeValues: { ':pk': { S: 'facts' }, ':sk': { S: 'snapshot#' } },
    });
    return (await aws.table.send(command)).Count ?? 0;
  }
});

describe('an index that lags behind', () => {
  it('does not bring back what is marked as published, or was snoozed', async () => {
    const entries = chainOf(A, 3);
    await stores.ledger.append(entries);
    await stores.records.advance([record(A, 3, { notBefore: time(10) })]);
    const stale: Record<string, unknown>[] = [];
    const isTodo = (body: Readonly<Record<string, unknown>>) => body['IndexName'] === 'todo';
    // The index as it is now, for ever.
    proxy.decide = ({ operation, body }) =>
      operation === 'Query' && isTodo(body)
        ? { kind: 'pass', body, change: (answer) => remember(body, answer) }
        : undefined;
    const seen = new Map<string, Record<string, unknown>>();
    const remember = (body: Readonly<Record<string, unknown>>, answer: Record<string, unknown>) => {
      const key = JSON.stringify(body['ExpressionAttributeValues']);
      const known = seen.get(key) ?? answer;
      seen.set(key, known);
      stale.push(known);
      return known;
    };
    expect(await stores.ledger.unpublished(10)).toEqual(entries);
    expect(await stores.records.due(MANUAL_CLOCK_START + 10, 10)).toHaveLength(1);
    await stores.ledger.markPublished(entries.slice(0, 2));
    await stores.records.snooze(A, 3, MANUAL_CLOCK_START + 700);
    expect(await stores.ledger.unpublished(10)).toEqual(entries.slice(2));
    expect(await stores.ledger.unpublished(1)).toEqual(entries.slice(2));
    expect(await stores.records.due(MANUAL_CLOCK_START + 10, 10)).toEqual([]);
    expect(stale.length).toBeGreaterThan(0);
  });
});

describe('sizes and shapes', () => {
  it('an entry that is too large is refused by name before anything of the call is stored', async () => {
    const [small] = chainOf(A, 1);
    const [large] = sealAll(account(2), [{ detail: { message: 'x'.repeat(400 * 1024) } }]);
    if (!small || !large) throw new Error('no entries');
    const failure = await stores.ledger.append([small, large]).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'TooLarge' });
    expect(String(failure)).toContain(`entry 1 of chain ${account(2)}`);
    expect(proxy.calls).toEqual([]);
    const [fits] = sealAll(account(2), [{ detail: { message: 'x'.repeat(389 * 1024) } }]);
    if (!fits) throw new Error('no entry');
    expect(await stores.ledger.append([fits])).toEqual(['appended']);
    expect((await stores.ledger.query({ accountId: account(2) }, { limit: 1 })).entries).toEqual([fits]);
  });

  it('an entry without a time is refused', async () => {
    const [entry] = sealAll(A, [{ at: 'yesterday' }]);
    if (!entry) throw new Error('no entry');
    await expect(stores.ledger.append([entry])).rejects.toThrow(RangeError);
    expect(proxy.calls).toEqual([]);
  });

  it('a chain, a run and an actor may have any name', async () => {
    const names = ['#', 'a#1', '~', ' ', 'ü🚀', "'", '%', 'x'.repeat(500)];
    for (const name of names) {
      const entries = sealAll(name, [
        { actor: name, runId: name },
        { at: time(1), actor: '', runId: 'long'.repeat(600) },
      ]);
      expect(await stores.ledger.append(entries)).toEqual(['appended', 'appended']);
      expect(await stores.ledger.read(name, 0, 10)).toEqual(entries);
      expect((await stores.ledger.query({ actor: name }, { limit: 5 })).entries).toEqual(entries.slice(0, 1));
      expect((await stores.ledger.query({ runId: name }, { limit: 5 })).entries).toEqual(entries.slice(0, 1));
    }
    expect((await stores.ledger.query({ actor: '' }, { limit: 50 })).entries).toHaveLength(names.length);
    expect((await stores.ledger.query({ runId: 'long'.repeat(600) }, { limit: 50 })).entries).toHaveLength(
      names.length,
    );
    expect((await stores.ledger.query({ runId: 'long'.repeat(599) }, { limit: 50 })).entries).toEqual([]);
    expect(await stores.ledger.chains(null, 50)).toHaveLength(names.length);
    for (const name of ['', 'x'.repeat(513), '\ud800']) {
      await expect(stores.ledger.append(sealAll(name, [{}]))).rejects.toMatchObject({ code: 'Rejected' });
    }
  });

  it('what the organization’s chain says of an account is found with the account', async () => {
    const own = chainOf(A, 2);
    const elsewhere = sealAll('organization', [{ type: 'AccountSuspended', accountId: A, at: time(500) }]);
    await stores.ledger.append([...own, ...elsewhere]);
    const { entries } = await stores.ledger.query({ accountId: A }, { limit: 10, order: 'oldestFirst' });
    expect(entries).toEqual([own[0], elsewhere[0], own[1]]);
  });

  it('a stored plan of the largest organization fits into a register', async () => {
    const keys = range(20_000).map((n) => {
      const id = String((n * 7_919_999_983) % 900_000_000_000).padStart(12, '1');
      return `${id} ${n % 2 === 0 ? 'computeOptimizer' : 'automation'} Active UpdateEnrollmentConfiguration member`;
    });
    const plan = { policyHash: 'a'.repeat(64), keys };
    const version = await stores.registers.write('plan/x', plan, null);
    expect(await stores.registers.read('plan/x')).toEqual({ name: 'plan/x', value: plan, version });
    expect(await stores.registers.list('plan/')).toHaveLength(1);
    const noise = range(60_000).map((n) => Math.sin(n).toString(36));
    await expect(stores.registers.write('noise', noise, null)).rejects.toMatchObject({ code: 'TooLarge' });
    expect(await stores.registers.read('noise')).toBeNull();
  });

  it('an item that is none of ours is damage, and says where', async () => {
    const put = (sk: string, more: Record<string, { S: string }>) =>
      aws.table.send(
        new PutItemCommand({ TableName: bench.table, Item: { pk: { S: `chain#${A}` }, sk: { S: sk }, ...more } }),
      );
    await put('000000000001', { body: { S: '{' }, entryHash: { S: 'x' } });
    await expect(stores.ledger.read(A, 0, 1)).rejects.toMatchObject({ code: 'Corrupt' });
    await put('000000000001', { body: { S: '{"id":1}' }, entryHash: { S: 'x' } });
    await expect(stores.ledger.read(A, 0, 1)).rejects.toThrow(`chain#${A} / 000000000001`);
    await put('000000000001', {});
    await expect(stores.ledger.head(A)).rejects.toMatchObject({ code: 'Corrupt' });
  });
});
