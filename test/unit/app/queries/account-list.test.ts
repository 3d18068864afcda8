import { describe, expect, test } from 'vitest';
import { AccountTable } from '../../../../shared/app/queries/account-list.ts';
import type { AccountRecord } from '../../../../shared/domain/account/record.ts';
import type { Condition } from '../../../../shared/domain/enrollment/condition.ts';
import { byKind } from '../../../../shared/domain/enrollment/kinds/index.ts';
import { account, CONDITION, facts } from '../../../contract/samples.ts';
import { manualClock } from '../../../support/manual-clock.ts';

const ANN = 'arn:aws:iam::111122223333:user/ann';
const at = (day: number): string => `2026-11-${String(day).padStart(2, '0')}T00:00:00.000Z`;
const compliant: Condition = { ...CONDITION, verdict: 'Compliant', reason: null, driftSince: null, since: at(1) };
const drifted = (since: string, by: string | null = null): Condition => ({
  ...{ ...CONDITION, verdict: 'Drifted', reason: 'statusDiffers', since, driftSince: since },
  ...(by !== null && { changedBy: { actor: by, operation: 'UpdateEnrollmentStatus', at: since } }),
});
const contested: Condition = {
  ...drifted(at(9)),
  ...{ verdict: 'Blocked', reason: 'contested', contested: { since: at(9), message: 'reverted' } },
  setBacks: [
    { at: at(8), by: null },
    { at: at(9), by: ANN },
  ],
};

function recordOf(n: number, computeOptimizer: Condition, automation: Condition | null): AccountRecord {
  const conditions = { ...byKind(() => null), computeOptimizer, automation };
  return { accountId: account(n), head: { seq: 1, hash: String(n).padStart(64, '0') }, present: true, conditions };
}

/** Accounts 1 to 5 have records; account 6 is only in the snapshot. */
function table(): AccountTable {
  const records = [
    recordOf(1, compliant, null),
    recordOf(2, drifted(at(5), ANN), compliant),
    recordOf(3, drifted(at(3)), null),
    recordOf(4, compliant, contested),
    recordOf(5, { ...compliant, verdict: 'Unmanaged', reason: 'policySaysNothing' }, compliant),
  ];
  const accounts = [1, 2, 3, 4, 5, 6].map((n) => facts(n));
  const stores: ConstructorParameters<typeof AccountTable>[0] = {
    snapshots: {
      load: async () => ({ accounts, organizationId: 'o-1', managementAccountId: account(1), takenAt: 0, tags: false }),
    },
    records: {
      async *all() {
        yield records;
      },
    },
  };
  return new AccountTable(stores, manualClock(), 0);
}

const QUERY = { sort: 'severity', order: 'asc', limit: 100, cursor: null } as const;
const numbers = (rows: readonly { readonly accountId: string }[]): readonly number[] =>
  rows.map(({ accountId }) => [1, 2, 3, 4, 5, 6].find((n) => account(n) === accountId) ?? 0);

describe('the list of accounts', () => {
  test('sorts the worst status first, then the oldest', async () => {
    const { accounts } = await table().page(QUERY);
    expect(numbers(accounts)).toEqual([4, 3, 2, 6, 1, 5]);
    expect(accounts.map(({ accountStatus }) => accountStatus)).toEqual([
      'Needs attention',
      'Drifted',
      'Drifted',
      'Unknown',
      'Compliant',
      'Compliant',
    ]);
    expect(accounts[0]).toMatchObject({ leading: 'automation', since: at(9) });
    expect(accounts[0]?.automation).toMatchObject({ changedBy: ANN, reversions: 2, driftSince: at(9) });
    expect(accounts[3]).toMatchObject({ leading: null, since: null });
  });

  test('counts the accounts that each status would give within the other filters', async () => {
    const all = await table().page({ ...QUERY, accountStatus: ['Drifted'] });
    expect(all).toMatchObject({ total: 2, all: 6 });
    expect(all.counts).toMatchObject({ 'Needs attention': 1, Drifted: 2, Unknown: 1, Compliant: 2, Waiting: 0 });
    const byAnn = await table().page({ ...QUERY, changedBy: [ANN], accountStatus: ['Drifted'] });
    expect(byAnn.counts).toMatchObject({ 'Needs attention': 1, Drifted: 1, Unknown: 0, Compliant: 0 });
    expect(numbers(byAnn.accounts)).toEqual([2]);
  });

  test('sorts, counts and filters by the status of one enrollment if only that is asked for', async () => {
    const { accounts, counts } = await table().page({ ...QUERY, enrollment: 'automation' });
    expect(numbers(accounts)).toEqual([4, 2, 5]);
    expect(counts).toMatchObject({ 'Needs attention': 1, Drifted: 0, Unknown: 0, Compliant: 2 });
    const own = await table().all({ ...QUERY, enrollment: 'computeOptimizer', accountStatus: ['Unmanaged'] });
    expect(numbers(own)).toEqual([5]);
  });

  test('finds accounts by actor, also those whose actor is unknown', async () => {
    expect(numbers((await table().page({ ...QUERY, changedBy: ['unknown'] })).accounts)).toEqual([3]);
    expect(numbers((await table().page({ ...QUERY, text: 'USER/ANN' })).accounts)).toEqual([4, 2]);
    const { actors } = await table().facets();
    expect(actors).toEqual([{ value: ANN, count: 2 }]);
  });
});
