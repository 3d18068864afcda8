import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type Change,
  dueChanges,
  isChange,
  planHash,
  plannedCalls,
  sortChanges,
} from '../../../../shared/domain/decision/plan.ts';
import { change, id } from '../../../support/changes.ts';
import { iso, judged, NOW, policyOf, seen, unknown } from '../../../support/domain-kit.ts';

const PLAN: readonly Change[] = [
  change({ accountId: id(1) }),
  change({
    accountId: id(1),
    enrollment: 'automation',
    action: 'AssociateAccounts',
    scope: 'batch',
    desiredRuleMode: 'AnyAllowed',
  }),
  change({ accountId: id(2), desired: 'Inactive', optOut: true }),
  change({ accountId: id(3), action: 'none', verdict: 'Blocked', reason: 'denied' }),
];

describe('the plan hash', () => {
  const hash = planHash('policy', PLAN);

  it('does not depend on the order in which changes were found', () => {
    fc.assert(
      fc.property(fc.shuffledSubarray([...PLAN], { minLength: PLAN.length }), (shuffled) => {
        expect(planHash('policy', shuffled)).toBe(hash);
      }),
    );
  });

  it('does not depend on times, text for people, or changes without a call', () => {
    const same: readonly Partial<Change>[] = [
      { notBefore: iso(NOW) },
      { message: 'other words' },
      { accountName: 'renamed' },
      { ou: '/Elsewhere' },
      { rule: 'other' },
      { reason: 'retrying' },
      { observed: 'Failed' },
    ];
    for (const rest of same)
      expect(
        planHash(
          'policy',
          PLAN.map((one) => ({ ...one, ...rest })),
        ),
      ).toBe(hash);
    expect(
      planHash(
        'policy',
        PLAN.filter(({ action }) => action !== 'none'),
      ),
    ).toBe(hash);
  });

  it('includes waiting changes: it stays the same after a prerequisite, a cool-down or a rollout', () => {
    const held = PLAN.map((one) => ({
      ...one,
      verdict: 'Blocked' as const,
      action: 'none' as const,
      heldAction: one.action,
    }));
    expect(planHash('policy', held)).toBe(hash);
    expect(dueChanges(held, NOW)).toEqual([]);
  });

  it('changes with the policy and with every planned call', () => {
    const other: readonly Partial<Change>[] = [
      { accountId: id(9) },
      { enrollment: 'automation' },
      { desired: 'Inactive' },
      { desiredRuleMode: 'NoneAllowed' },
      { action: 'UpdateEnrollmentConfiguration' },
      { action: 'none' },
      { scope: 'organization' },
    ];
    const hashes = other.map((rest) =>
      planHash('policy', [{ ...change({ accountId: id(1) }), ...rest }, ...PLAN.slice(1)]),
    );
    const all = [
      hash,
      planHash('other policy', PLAN),
      planHash('policy', PLAN.slice(1)),
      planHash('policy', []),
      ...hashes,
    ];
    // A change without its action gives the same plan as no change; all other plans differ.
    expect(new Set(all).size).toBe(all.length - 1);
    expect(planHash('policy', [...PLAN, change({ accountId: id(4) })])).not.toBe(hash);
  });

  it('depends on the accounts that calls with needsApproval would change, and is unchanged without such calls', () => {
    const asked = [change({ accountId: id(5) })];
    const hashes = [[], asked, [...asked, change({ accountId: id(6) })]].map((each) =>
      planHash('policy', PLAN, [], each),
    );
    expect(new Set(hashes).size).toBe(3);
    expect(hashes[0]).toBe(hash);
  });

  it('is 64 hex digits', () => {
    expect(hash).toMatch(/^[0-9a-f]{64}$/);
  });
});

describe('changes', () => {
  it('are sorted by account, Compute Optimizer before Automation', () => {
    const keys = sortChanges(PLAN.toReversed()).map(({ accountId, enrollment }) => `${accountId} ${enrollment}`);
    expect(keys).toEqual([
      `${id(1)} computeOptimizer`,
      `${id(1)} automation`,
      `${id(2)} computeOptimizer`,
      `${id(3)} computeOptimizer`,
    ]);
  });

  it('are due when their delay is over', () => {
    const waiting = change({ accountId: id(5), notBefore: iso(NOW) });
    expect(dueChanges([waiting], NOW - 1)).toEqual([]);
    expect(dueChanges([waiting], NOW)).toEqual([waiting]);
    expect(dueChanges(PLAN, NOW).map(({ accountId }) => accountId)).toEqual([id(1), id(1), id(2)]);
  });

  it('need one call per member, one per batch of 50, or one for the organization', () => {
    const many = (count: number, rest: Partial<Change>) =>
      Array.from({ length: count }, (_, n) => change({ accountId: id(n), ...rest }));
    const batch = { enrollment: 'automation', action: 'AssociateAccounts', scope: 'batch' } as const;
    const changes = [
      ...many(3, {}),
      ...many(101, batch),
      ...many(400, { scope: 'organization' }),
      ...many(5, { action: 'none' }),
    ];
    expect(plannedCalls(changes).map(({ scope, accounts, calls }) => [scope, accounts, calls])).toEqual([
      ['member', 3, 3],
      ['batch', 101, 3],
      ['organization', 400, 1],
    ]);
  });
});

describe('listed as a change', () => {
  const policy = policyOf('computeOptimizer: Active, automation: Active, organizationRules: NoneAllowed');
  const find = (automation: Parameters<typeof judged>[0]['automation'], suspended = false): boolean =>
    isChange(
      judged({ policy, computeOptimizer: seen('Active'), suspended, ...(automation && { automation }) }).automation,
    );

  it('every mismatch, with or without a call', () => {
    expect(find(seen('Inactive'))).toBe(true);
    expect(find(seen('Inactive'), true)).toBe(true);
    expect(find(seen('Active', { ruleMode: 'AnyAllowed' }), true)).toBe(true);
    expect(find(seen('Pending', { lastUpdated: NOW }))).toBe(true);
  });

  it('no compliant enrollment, whatever its verdict', () => {
    expect(find(seen('Active', { ruleMode: 'NoneAllowed' }))).toBe(false);
    expect(find(seen('Active', { ruleMode: 'NoneAllowed' }), true)).toBe(false);
    // No rule mode means NoneAllowed.
    expect(find(seen('Active'), true)).toBe(false);
  });

  it('no enrollment without an observation', () => {
    expect(find(unknown('denied'))).toBe(false);
    expect(find(unknown('denied'), true)).toBe(false);
  });
});
