import { describe, expect, it } from 'vitest';
import { type Assessment, VERDICTS } from '../../../../shared/domain/enrollment/verdict.ts';
import {
  CALLER,
  condition,
  DAY,
  iso,
  judged,
  MEMBER,
  NOW,
  policyOf,
  recordOf,
  type Situation,
  seen,
  unknown,
} from '../../../support/domain-kit.ts';
import { exemption, MODE_OFF } from './assess-table.ts';

describe('the first verdict that applies is taken', () => {
  // All verdicts apply to this account. Each step removes the cause of the previous verdict.
  const contradictory = policyOf(
    'computeOptimizer: Active, automation: Active',
    `rules: [{ id: off, match: { ou: /Workloads }, computeOptimizer: Inactive }]\n${exemption('both')}`,
  );
  const worst: Situation = {
    policy: contradictory,
    facts: { ...MEMBER, state: 'CLOSED' },
    suspended: true,
    computeOptimizer: seen('Inactive'),
    automation: unknown('denied'),
    record: recordOf({ automation: condition({ verdict: 'Converging', reason: 'acted', deadline: iso(NOW - 1) }) }),
  };
  const wants = policyOf('computeOptimizer: Active, automation: Active');
  const steps: readonly (readonly [Assessment['verdict'], Situation])[] = [
    ['NotApplicable', {}],
    [
      'Unmanaged',
      {
        facts: MEMBER,
        policy: policyOf('computeOptimizer: Active, automation: Active', `${MODE_OFF}\n${exemption('both')}`),
      },
    ],
    ['Suspended', { policy: contradictory }],
    ['Exempt', { suspended: false }],
    ['Unknown', { now: Date.UTC(2027, 5, 1) }],
    ['Converging', { automation: seen('Pending', { lastUpdated: Date.UTC(2027, 5, 1) }) }],
    ['Stalled', { now: Date.UTC(2027, 5, 2) }],
    ['Blocked', { automation: seen('Inactive', { lastUpdated: NOW - 9 * DAY }), computeOptimizer: seen('Active') }],
    ['Drifted', { policy: wants }],
    ['Compliant', { automation: seen('Active') }],
  ];

  it('covers all verdicts in order', () => {
    expect(steps.map(([verdict]) => verdict)).toEqual(VERDICTS);
  });

  let situation = worst;
  for (const [verdict, change] of steps) {
    situation = { ...situation, ...change };
    const now = situation;
    it(verdict, () => expect(judged(now).automation.verdict).toBe(verdict));
  }
});

it('a suspended account still has its observed status', () => {
  const { computeOptimizer } = judged({ computeOptimizer: seen('Inactive'), suspended: true, caller: CALLER });
  expect(computeOptimizer).toMatchObject({ status: 'Inactive', desired: { status: 'Active', ruleMode: null } });
});
