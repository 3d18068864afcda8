import { UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { verifyLedger } from '../../../shared/app/queries/audit/verify.ts';
import { TamperedError } from '../../../shared/ports/ledger.ts';
import { chainOf } from '../../contract/samples.ts';
import { type Bench, makeBench, type SimulatedAws, startSimulatedAws } from './stores.ts';

let aws: SimulatedAws;
let bench: Bench;
beforeAll(async () => {
  aws = await startSimulatedAws();
});
afterAll(() => aws.close());
beforeEach(async () => {
  bench = await makeBench(aws);
});
afterEach(() => bench.dispose());

const CHAIN = '111111111111';

describe('an entry with edited attributes and an unchanged body', () => {
  const edits: readonly [string, { readonly S: string } | { readonly BOOL: boolean } | undefined][] = [
    ['type', { S: 'ScanStarted' }],
    ['actor', { S: 'somebody else' }],
    ['time', { S: `0000000000000001#${CHAIN}#000000000002` }],
    ['runKey', { S: 'another-run#0' }],
    ['optOut', { BOOL: true }],
    ['entryHash', { S: 'f'.repeat(64) }],
    ['more', { S: 'than there was' }],
    ['typeKey', undefined],
  ];
  it.each(edits)('is detected by reads and by verification: %s', async (name, value) => {
    const { ledger, records } = await bench.open();
    await ledger.append(chainOf(CHAIN, 3));
    expect((await verifyLedger(ledger, records)).fault).toBeNull();
    // Edits one attribute of the second entry directly in the table.
    await aws.table.send(
      new UpdateItemCommand({
        TableName: bench.table,
        Key: { pk: { S: `chain#${CHAIN}` }, sk: { S: '000000000002' } },
        UpdateExpression: value === undefined ? 'REMOVE #name' : 'SET #name = :value',
        ExpressionAttributeNames: { '#name': name },
        ...(value !== undefined && { ExpressionAttributeValues: { ':value': value } }),
      }),
    );
    await expect(ledger.read(CHAIN, 0, 10)).rejects.toThrow(TamperedError);
    expect((await verifyLedger(ledger, records)).fault).toMatchObject({ kind: 'edit', chain: CHAIN, seq: 2 });
  });

  it('is detected even if its own time is invalid', async () => {
    const { ledger, records } = await bench.open();
    const [first] = chainOf(CHAIN, 1);
    if (first === undefined) throw new Error('no entry');
    await ledger.append([first]);
    await aws.table.send(
      new UpdateItemCommand({
        TableName: bench.table,
        Key: { pk: { S: `chain#${CHAIN}` }, sk: { S: '000000000001' } },
        UpdateExpression: 'SET body = :value',
        ExpressionAttributeValues: { ':value': { S: JSON.stringify({ ...first, at: 'yesterday' }) } },
      }),
    );
    expect((await verifyLedger(ledger, records)).fault).toMatchObject({ kind: 'edit', chain: CHAIN, seq: 1 });
  });

  it('does not include an entry that was only published', async () => {
    const { ledger, records } = await bench.open();
    const entries = chainOf(CHAIN, 2);
    await ledger.append(entries);
    await ledger.markPublished(entries);
    expect((await verifyLedger(ledger, records)).fault).toBeNull();
  });
});
