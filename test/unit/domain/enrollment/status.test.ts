import { describe, expect, it } from 'vitest';
import { KINDS } from '../../../../shared/domain/enrollment/kinds/index.ts';
import type { ReasonCode } from '../../../../shared/domain/enrollment/reason-codes.ts';
import { STATUSES, type Status, statusesOf, statusOf } from '../../../../shared/domain/enrollment/status.ts';
import { VERDICTS, type Verdict } from '../../../../shared/domain/enrollment/verdict.ts';

const CASES: readonly (readonly [Verdict, ReasonCode | null, Status])[] = [
  ['NotApplicable', 'accountNotActive', 'Not applicable'],
  ['Unmanaged', 'policySaysNothing', 'Unmanaged'],
  ['Suspended', 'suspendedByOperator', 'Suspended'],
  ['Exempt', 'exemption', 'Exempt'],
  ['Unknown', 'notListed', 'Unknown'],
  ['Converging', 'pending', 'In progress'],
  ['Converging', 'acted', 'In progress'],
  ['Stalled', 'deadlinePassed', 'Needs attention'],
  ['Blocked', 'coolDown', 'Waiting'],
  ['Blocked', 'window', 'Waiting'],
  ['Blocked', 'rollout', 'Waiting'],
  ['Blocked', 'prerequisite', 'Waiting'],
  ['Blocked', 'denied', 'Needs attention'],
  ['Blocked', 'contested', 'Needs attention'],
  ['Blocked', 'guardrail', 'Needs attention'],
  ['Blocked', 'policyContradiction', 'Needs attention'],
  ['Blocked', 'enrollmentFailed', 'Needs attention'],
  ['Blocked', 'halted', 'Drifted'],
  ['Drifted', 'statusDiffers', 'Drifted'],
  ['Drifted', 'alertOnly', 'Drifted'],
  ['Drifted', 'retrying', 'Waiting'],
  ['Drifted', 'deadLettered', 'Needs attention'],
  ['Compliant', null, 'Compliant'],
];

describe('the status that people see', () => {
  it.each(CASES)('%s for %s is %s', (verdict, reason, status) => {
    expect(statusOf({ verdict, reason })).toBe(status);
  });

  it('covers every verdict and every status', () => {
    expect(new Set(CASES.map(([verdict]) => verdict))).toEqual(new Set(VERDICTS));
    expect(new Set(CASES.map(([, , status]) => status))).toEqual(new Set(STATUSES));
  });

  it.each<[Status | null, Status]>([
    [null, 'Waiting'],
    ['Drifted', 'Waiting'],
    ['In progress', 'Waiting'],
    ['Waiting', 'Waiting'],
    ['Compliant', 'Waiting'],
    ['Needs attention', 'Needs attention'],
    ['Unmanaged', 'Needs attention'],
    ['Exempt', 'Needs attention'],
    ['Suspended', 'Needs attention'],
    ['Unknown', 'Needs attention'],
  ])('a drift that waits for a prerequisite which is %s: %s', (prerequisite, status) => {
    expect(statusOf({ verdict: 'Blocked', reason: 'prerequisite' }, prerequisite)).toBe(status);
  });

  it('follows the prerequisite of the same account', () => {
    const conditions: Readonly<Record<string, { verdict: Verdict; reason: ReasonCode | null }>> = {
      computeOptimizer: { verdict: 'Blocked', reason: 'denied' },
      automation: { verdict: 'Blocked', reason: 'prerequisite' },
    };
    const statuses = statusesOf(KINDS, (id) => conditions[id] ?? null);
    expect([...statuses]).toEqual([
      ['computeOptimizer', 'Needs attention'],
      ['automation', 'Needs attention'],
    ]);
  });

  it('omits an enrollment without a condition', () => {
    expect([...statusesOf(KINDS, () => null)]).toEqual([]);
  });
});
