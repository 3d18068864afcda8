import { DeleteItemCommand, QueryCommand } from '@aws-sdk/client-dynamodb';
import { describe, expect, it } from 'vitest';
import { verifyLedger } from '../../../shared/app/queries/audit/verify.ts';
import { emptyRecord, foldEntry } from '../../../shared/domain/account/record.ts';
import { EMPTY_CHAIN, headOf, sealEntry } from '../../../shared/domain/ledger/entry.ts';
import { account, chainOf, draft, facts, range, record } from '../../contract/samples.ts';
import { refusal } from './faults.ts';
import { A, all, aws, bench, clock, failCalls, proxy, stores, useFaultyDynamodb } from './faulty-dynamodb.ts';

useFaultyDynamodb();

describe('lost answers', () => {
  it('stores an append once if its answer is lost', async () => {
    for (const operation of ['PutItem']) {
      const entries = chainOf(A, 3);
      for (const entry of entries) {
        failCalls(operation, 2, { kind: 'lost' });
        expect(await stores.ledger.append([entry])).toEqual(['appended']);
      }
      expect(await stores.ledger.read(A, 0, 10)).toEqual(entries);
    }
  });

  it('recognizes by its version whether a register write is its own', async () => {
    failCalls('PutItem', 1, { kind: 'lost' });
    const first = await stores.registers.write('lease', 1, null);
    expect(first).not.toBeNull();
    expect(await stores.registers.read('lease')).toEqual({ name: 'lease', value: 1, version: first });
    // The write never took effect, and another writer was faster.
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

  it('a removal with a lost answer succeeds, and exactly one of two removers reports it', async () => {
    const version = (await stores.registers.write('lease', 1, null)) ?? '';
    failCalls('PutItem', 1, { kind: 'lost' });
    expect(await stores.registers.remove('lease', version)).toBe(true);
    expect(await stores.registers.read('lease')).toBeNull();
    const second = (await stores.registers.write('lease', 1, null)) ?? '';
    const other = await bench.open();
    expect(await other.registers.remove('lease', second)).toBe(true);
    failCalls('PutItem', 1, { kind: 'reset' });
    expect(await stores.registers.remove('lease', second)).toBe(false);
  });

  it('a tombstone left by a crash counts as absent and can be overwritten', async () => {
    const version = (await stores.registers.write('lease', 1, null)) ?? '';
    failCalls('DeleteItem', 1_000, refusal('AccessDeniedException'));
    await expect(stores.registers.remove('lease', version)).rejects.toThrow('DeleteItem');
    proxy.decide = () => undefined;
    expect(await stores.registers.read('lease')).toBeNull();
    expect(await stores.registers.list('')).toEqual([]);
    expect(await stores.registers.remove('lease', version)).toBe(false);
    expect(await stores.registers.write('lease', 2, version)).toBeNull();
    const again = await stores.registers.write('lease', 2, null);
    expect(await stores.registers.read('lease')).toEqual({ name: 'lease', value: 2, version: again });
  });

  it('marks and advances are idempotent', async () => {
    const entries = chainOf(A, 2);
    await stores.ledger.append(entries);
    failCalls('UpdateItem', 1, { kind: 'lost' });
    await stores.ledger.markPublished(entries);
    expect(await stores.ledger.unpublished(10)).toEqual([]);
    failCalls('PutItem', 1, { kind: 'lost' });
    await stores.records.advance([record(A, 3)]);
    expect(await stores.records.get(A)).toEqual(record(A, 3));
  });
});

describe('crashes between two writes', () => {
  it('a chain whose writer crashed after the first entry is listed and can be continued', async () => {
    const [one, two] = chainOf(A, 2);
    if (!one || !two) throw new Error('no entries');
    // The second PutItem is the entry, the third would be the chain's end.
    proxy.decide = ({ operation }) =>
      operation === 'PutItem' && proxy.count('PutItem') > 2 ? refusal('AccessDeniedException') : undefined;
    await expect(stores.ledger.append([one])).rejects.toThrow('PutItem');
    proxy.decide = () => undefined;
    expect(await stores.ledger.head(A)).toEqual(headOf(one));
    // The record catches up with an entry that the chain's item does not list yet. Nothing was removed.
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

  it('detects entries removed from the end of a chain', async () => {
    const entries = chainOf(A, 3);
    await stores.ledger.append(entries);
    const key = { pk: { S: `chain#${A}` }, sk: { S: '000000000003' } };
    await aws.table.send(new DeleteItemCommand({ TableName: bench.table, Key: key }));
    expect((await stores.ledger.head(A)).seq).toBe(3);
    const [, second] = entries;
    if (!second) throw new Error('no entry');
    // No writer continues from the cut.
    expect(await stores.ledger.append([sealEntry(draft({ chain: A, reason: 'forged' }), headOf(second))])).toEqual([
      'headMoved',
    ]);
  });

  it('a crashed save keeps the old snapshot valid; a later save removes its remains', async () => {
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

  it('of two concurrent saves, one replaces the other completely', async () => {
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

  /** The number of named snapshots. */
  async function itemsOfFacts(): Promise<number> {
    const command = new QueryCommand({
      TableName: bench.table,
      KeyConditionExpression: 'pk = :pk AND begins_with(sk, :sk)',
      ExpressionAttributeValues: { ':pk': { S: 'facts' }, ':sk': { S: 'snapshot#' } },
    });
    return (await aws.table.send(command)).Count ?? 0;
  }
});
