import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AwsStores } from '../../../shared/adapters/aws/store.ts';
import { writeDigest } from '../../../shared/app/ledger/digest.ts';
import { pruneOld } from '../../../shared/app/ledger/retention.ts';
import { auditAsOf } from '../../../shared/app/queries/audit/as-of.ts';
import type { Facet } from '../../../shared/domain/enrollment/condition.ts';
import type { LedgerEntry } from '../../../shared/domain/ledger/entry.ts';
import type { LedgerFilter } from '../../../shared/ports/ledger.ts';
import { account, anyEntry, FACET, range, sealAll, time } from '../../contract/samples.ts';
import { type Spy, spyOn } from './spy.ts';
import { type Bench, makeBench, type SimulatedAws, startSimulatedAws } from './stores.ts';

let aws: SimulatedAws;
let spy: Spy;
let bench: Bench;
let stores: AwsStores;
beforeAll(async () => {
  aws = await startSimulatedAws();
  spy = await spyOn(aws.dynamodb.endpoint);
  bench = await makeBench(aws);
  stores = await bench.open({ dynamodb: { ...aws.dynamodb, endpoint: spy.endpoint } });
  await stores.ledger.append(range(ACCOUNTS).flatMap(history));
}, 120_000);
afterAll(async () => {
  await bench.dispose();
  await spy.close();
  await aws.close();
});

const ACCOUNTS = 10;
const PER_ACCOUNT = 30;
const COMPLIANT: Facet = { ...FACET, verdict: 'Compliant', status: 'Active' };

function history(n: number): readonly LedgerEntry[] {
  const joined = {
    at: time(n),
    type: 'AccountJoined',
    enrollment: null,
    detail: { facets: { automation: FACET } },
  } as const;
  const rest = range(PER_ACCOUNT - 1).map((step) => ({
    ...{
      at: time(1_000_000 * (step + 1) + n),
      after: step % 2 === 0 ? FACET : COMPLIANT,
      before: step % 2 === 0 ? COMPLIANT : FACET,
      runId: `run-${step}`,
      actor: n === 0 ? 'alice' : 'worker',
    },
    type: step % 2 === 0 ? ('DriftDetected' as const) : ('DriftResolved' as const),
  }));
  return sealAll(account(n), [joined, ...rest]);
}

/** The cost of a query in DynamoDB: operations and items read. */
async function asked(work: () => Promise<unknown>) {
  spy.reset();
  await work();
  const { operations, items } = spy.seen();
  expect(operations).not.toHaveProperty('Scan');
  return { operations, items };
}

const SHARDS = 8;

describe('reads of a query', () => {
  const LIMIT = 10;
  it.each<readonly [string, LedgerFilter, number]>([
    ["an account's timeline", { accountId: account(3) }, 2],
    ['an account and a type', { accountId: account(3), type: 'DriftResolved' }, 4],
    ['a run', { runId: 'run-7' }, SHARDS],
    ['a type', { type: 'DriftDetected' }, SHARDS],
    ['an actor', { actor: 'alice' }, SHARDS],
    ['a time', { since: time(5_000_000), until: time(6_000_000) }, SHARDS],
  ])('%s: one query per shard of one index, and the entries shown', async (_, filter, queries) => {
    const { operations, items } = await asked(() => stores.ledger.query(filter, { limit: LIMIT }));
    expect(operations['Query']).toBeLessThanOrEqual(queries + 2);
    expect(operations['BatchGetItem']).toBe(1);
    // Twice the share of a shard plus two items for each index queried, and the entries themselves.
    expect(items).toBeLessThanOrEqual(2 * (LIMIT + 1) + 4 * SHARDS + LIMIT);
    expect(Object.keys(operations).sort()).toEqual(['BatchGetItem', 'Query']);
  });

  it('as-of: the ends of the chains, and per account a page of its index and at most three entries', async () => {
    const { operations, items } = await asked(() => auditAsOf(stores.ledger, time(20_000_000)));
    expect(Object.keys(operations).sort()).toEqual(['BatchGetItem', 'Query']);
    // Two pages of 16, because only the entry of its joining mentions Automation; and the first entry of the chain, for a checkpoint.
    expect(operations['Query']).toBeLessThanOrEqual(SHARDS + ACCOUNTS * 3);
    expect(operations['BatchGetItem']).toBe(ACCOUNTS);
    expect(items).toBeLessThanOrEqual(ACCOUNTS * (1 + PER_ACCOUNT + 1 + 3));
  });

  it('as-of: few queries for a long chain, although it has no entry of some kinds', async () => {
    const entries = 500;
    const rest = range(entries - 1).map((n) => {
      const [before, after] = n % 2 === 0 ? [COMPLIANT, FACET] : [FACET, COMPLIANT];
      return { at: time(n + 1), before, after };
    });
    const joined = { at: time(0), type: 'AccountJoined', enrollment: null } as const;
    await stores.ledger.append(sealAll(account(ACCOUNTS), [joined, ...rest]));
    const { operations } = await asked(() => auditAsOf(stores.ledger, time(500_000)));
    // Pages of 16, 32, 64, 128, 256 and 4 entries, and the first entry of the chain.
    expect(operations['Query']).toBeLessThanOrEqual(SHARDS + ACCOUNTS * 2 + 7);
  });

  it('the digest reads the ends of the chains and no entry; ticks between digests read one register', async () => {
    const deps = { ...stores, clock: bench.clock, newId: () => 'digest-1', actor: 'test' };
    const first = await asked(() => writeDigest(deps));
    expect(first.operations['Query']).toBeLessThanOrEqual(2 * SHARDS + 16 + 4);
    expect(await asked(() => writeDigest(deps))).toEqual({ operations: { GetItem: 1 }, items: 1 });
  });

  it('retention reads the oldest entries once an hour and otherwise one register', async () => {
    const deps = { ...stores, clock: bench.clock, newId: () => 'x', actor: 'test' };
    const first = await asked(() => pruneOld(deps, 86_400_000, anyEntry));
    expect(first.operations['Query']).toBe(SHARDS);
    expect(await asked(() => pruneOld(deps, 86_400_000, anyEntry))).toEqual({ operations: { GetItem: 1 }, items: 1 });
  });
});
