import { describe, expect, it } from 'vitest';
import { DriftCounter } from '../../../../shared/app/queries/open-drift.ts';
import { emptyRecord, withCondition } from '../../../../shared/domain/account/record.ts';
import type { Condition } from '../../../../shared/domain/enrollment/condition.ts';
import type { EnrollmentId } from '../../../../shared/domain/enrollment/kinds/index.ts';
import type { ReasonCode } from '../../../../shared/domain/enrollment/reason-codes.ts';
import { shownOf } from '../../../../shared/domain/enrollment/status.ts';
import type { Verdict } from '../../../../shared/domain/enrollment/verdict.ts';

type Seen = readonly [EnrollmentId, Verdict, ReasonCode | null, string | null];

function conditionOf(verdict: Verdict, reason: ReasonCode | null, driftSince: string | null): Condition {
  const since = '2026-12-08T00:00:00.000Z';
  return {
    ...{ verdict, reason, status: 'Inactive', ruleMode: null, lastUpdated: null, desired: 'Active' },
    ...{ desiredRuleMode: null, notBefore: null, deadline: null, attempts: 0, rule: 'defaults', policyHash: null },
    ...{ runId: null, since, changedAt: since, driftSince, claim: null, optedOutAt: null },
  };
}

function counterOf(accounts: readonly (readonly Seen[])[]): DriftCounter {
  const counter = new DriftCounter();
  for (const [n, seen] of accounts.entries()) {
    let record = { ...emptyRecord(String(100_000_000_000 + n)), present: true };
    for (const [id, verdict, reason, driftSince] of seen)
      record = withCondition(record, id, conditionOf(verdict, reason, driftSince));
    counter.add(
      record,
      shownOf((id) => record.conditions[id]),
    );
  }
  return counter;
}

const day = (n: number): string => `2026-12-0${n}T00:00:00.000Z`;

describe('open drift', () => {
  it('counts enrollments by what happens next; the parts add up', () => {
    const { drift } = counterOf([
      [
        ['computeOptimizer', 'Drifted', 'statusDiffers', day(3)],
        ['automation', 'Blocked', 'prerequisite', day(3)],
      ],
      [['computeOptimizer', 'Drifted', 'alertOnly', day(2)]],
      [['computeOptimizer', 'Converging', 'acted', day(4)]],
      [['automation', 'Blocked', 'denied', day(1)]],
      [['automation', 'Unknown', 'denied', day(5)]],
      [['computeOptimizer', 'Blocked', 'halted', day(5)]],
      // Not yet a drift.
      [['computeOptimizer', 'Converging', 'pending', null]],
      [['computeOptimizer', 'Compliant', null, null]],
    ]);
    expect(drift).toEqual({
      ...{ enrollments: 7, accounts: 6, oldestSince: day(1), due: 3 },
      ...{ toFix: 2, reportedOnly: 1, inProgress: 1, waiting: 1, needAttention: 1, unknown: 1 },
      kinds: {
        computeOptimizer: { enrollments: 4, oldestSince: day(2) },
        automation: { enrollments: 3, oldestSince: day(1) },
        costOptimizationHub: { enrollments: 0, oldestSince: null },
      },
    });
  });

  it('lists the five accounts that have needed attention longest, with their names', async () => {
    const needing = (since: string): readonly Seen[] => [['computeOptimizer', 'Blocked', 'denied', since]];
    const counter = counterOf([7, 3, 5, 2, 6, 4].map((n) => needing(day(n))));
    const { accounts, oldest } = await counter.attention({
      get: async (id) =>
        id === '100000000003' ? { id, name: 'oldest', ou: '/', state: 'ACTIVE', management: false, tags: null } : null,
    });
    expect(accounts).toBe(6);
    expect(oldest.map(({ accountId }) => accountId.slice(-1))).toEqual(['3', '1', '5', '2', '4']);
    expect(oldest[0]).toEqual({
      accountId: '100000000003',
      name: 'oldest',
      enrollments: [
        {
          ...{ enrollment: 'computeOptimizer', reason: 'denied', message: 'AWS denied access' },
          ...{ since: day(2), notBefore: null },
        },
      ],
    });
  });
});
