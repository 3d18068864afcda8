import { PutItemCommand } from '@aws-sdk/client-dynamodb';
import { describe, expect, it } from 'vitest';
import { account, chainOf, range, record, sealAll, time } from '../../contract/samples.ts';
import { MANUAL_CLOCK_START } from '../../support/manual-clock.ts';
import { A, aws, bench, proxy, stores, useFaultyDynamodb } from './faulty-dynamodb.ts';

useFaultyDynamodb();

describe('a stale index', () => {
  it('does not return entries already published or keys already snoozed', async () => {
    const entries = chainOf(A, 3);
    await stores.ledger.append(entries);
    await stores.records.advance([record(A, 3, { notBefore: time(10) })]);
    const stale: Record<string, unknown>[] = [];
    const isTodo = (body: Readonly<Record<string, unknown>>) => body['IndexName'] === 'todo';
    // The index stays in this state.
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

describe('sizes and formats', () => {
  it('rejects an entry that is too large, by name, before it stores anything', async () => {
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

  it('rejects an entry without a time', async () => {
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

  it('finds entries of the organization’s chain about an account under that account', async () => {
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

  it('an item of another program is reported as damage, with its location', async () => {
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
