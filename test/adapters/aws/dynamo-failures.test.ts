import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { StoreError } from '../../../shared/ports/store-error.ts';
import { account, chainOf, facts, range, record } from '../../contract/samples.ts';
import { refusal } from './faults.ts';
import { A, bench, clock, failCalls, proxy, stores, useFaultyDynamodb } from './faulty-dynamodb.ts';

useFaultyDynamodb();

const THROTTLED = ['ProvisionedThroughputExceededException', 'ThrottlingException', 'RequestLimitExceeded'];
const getsSchema = z.object({ RequestItems: z.record(z.string(), z.object({ Keys: z.array(z.unknown()) }).loose()) });
const writesSchema = z.object({ RequestItems: z.record(z.string(), z.array(z.unknown())) });

describe('DynamoDB failures', () => {
  it.each([...THROTTLED, 'InternalServerError', 'ServiceUnavailable'])(
    '%s is waited out, with jitter',
    async (code) => {
      failCalls('PutItem', 3, refusal(code));
      const entries = chainOf(A, 1);
      expect(await stores.ledger.append(entries)).toEqual(['appended']);
      // Half of 50, 100 and 200 ms.
      expect(clock.slept).toEqual([25, 50, 100]);
      expect(await stores.ledger.read(A, 0, 10)).toEqual(entries);
    },
  );

  it('endless throttling ends in an error that names it, and the append can be repeated', async () => {
    failCalls('PutItem', 1_000, refusal('ProvisionedThroughputExceededException'));
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
  ])('%s is not retried', async (vendorCode, code) => {
    failCalls('GetItem', 1_000, refusal(vendorCode));
    const failure = await stores.registers.read('x').catch((error: unknown) => error);
    if (!(failure instanceof StoreError)) throw new Error('no StoreError');
    expect(failure.details).toMatchObject({ code, vendorCode, resource: `table ${bench.table}` });
    expect(failure.message).toContain('GetItem');
    expect(proxy.count('GetItem')).toBe(1);
    expect(clock.slept).toEqual([]);
  });

  it('reconnects after a broken connection', async () => {
    failCalls('GetItem', 2, { kind: 'reset' });
    expect(await stores.registers.read('x')).toBeNull();
    expect(proxy.count('GetItem')).toBe(3);
  });

  it('an answer that is not from AWS is a transient failure', async () => {
    failCalls('GetItem', 1, { kind: 'answer', status: 502, body: '<html>Bad Gateway</html>' });
    expect(await stores.registers.read('x')).toBeNull();
  });
});

describe('200 answers without a mandatory field of DynamoDB', () => {
  const EMPTY = { kind: 'answer', status: 200, body: {} } as const;

  it('never reads an existing item as absent', async () => {
    const version = await stores.registers.write('halt', { on: true }, null);
    failCalls('GetItem', 3, EMPTY);
    expect(await stores.registers.read('halt')).toMatchObject({ value: { on: true }, version });
    failCalls('GetItem', 1_000, EMPTY);
    await expect(stores.registers.read('halt')).rejects.toMatchObject({
      code: 'Unavailable',
      details: { vendorCode: 'IncompleteAnswer' },
    });
  });

  it('never reads existing entries and records as absent', async () => {
    const entries = chainOf(A, 2);
    await stores.ledger.append(entries);
    failCalls('Query', 2, EMPTY);
    expect(await stores.ledger.read(A, 0, 10)).toEqual(entries);
    await stores.records.advance([record(A, 2)]);
    failCalls('BatchGetItem', 2, { kind: 'answer', status: 200, body: { Responses: {} } });
    expect((await stores.records.getMany([A])).size).toBe(1);
    expect(proxy.count('BatchGetItem')).toBeGreaterThan(2);
  });

  it('does not consider a write without an answer as stored', async () => {
    failCalls('PutItem', 2, EMPTY);
    const entries = chainOf(A, 1);
    expect(await stores.ledger.append(entries)).toEqual(['appended']);
    expect(await stores.ledger.read(A, 0, 10)).toEqual(entries);
  });
});

describe('partially processed batches', () => {
  it('requests UnprocessedKeys again', async () => {
    const ids = range(120).map(account);
    await stores.records.advance(ids.map((id) => record(id, 1)));
    proxy.decide = ({ operation, body }) => {
      if (operation !== 'BatchGetItem') return undefined;
      const { RequestItems } = getsSchema.parse(body);
      const request = RequestItems[bench.table];
      const keys = request?.Keys ?? [];
      // Leaves all but the first seven unprocessed; every fifth time, all.
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

  it('writes UnprocessedItems again, and a snapshot becomes valid only when all are stored', async () => {
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

  it('items that stay unprocessed are an error', async () => {
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
