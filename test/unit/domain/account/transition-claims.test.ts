import { describe, expect, it } from 'vitest';
import { emptyRecord, wakeAt } from '../../../../shared/domain/account/record.ts';
import { accountEntry, transition } from '../../../../shared/domain/account/transition.ts';
import {
  ACTIVE_POLICY,
  condition,
  DAY,
  HOUR,
  iso,
  MEMBER_ID,
  NOW,
  recordOf,
  seen,
  unknown,
} from '../../../support/domain-kit.ts';
import { assessOne, at, fold, outcome, started } from './transition-steps.ts';

describe('claims', () => {
  const drifted = recordOf({ computeOptimizer: condition({ policyHash: ACTIVE_POLICY.hash }) });
  const intent = started(drifted, NOW);
  const claimed = fold(drifted, intent);

  it('opens with the intent', () => {
    expect(claimed.conditions.computeOptimizer?.claim).toEqual({
      entryId: intent.id,
      startedAt: iso(NOW),
      expiresAt: iso(NOW + 60_000),
      operation: 'UpdateEnrollmentStatus',
      clientToken: 'token',
      optOut: false,
    });
    expect(wakeAt(claimed)).toBe(NOW + 60_000);
  });

  it('suppresses entries for all observations while it is open, expired or not', () => {
    for (const observation of [seen('Active'), seen('Pending'), unknown('denied')]) {
      const later = assessOne(claimed, observation, NOW + DAY);
      expect(transition(at(NOW + DAY), claimed, later)).toBeNull();
    }
  });

  it('closes only with the outcome of its own intent', () => {
    const acted = { verdict: 'Converging', reason: 'acted', deadline: NOW + DAY } as const;
    const other = fold(claimed, outcome(claimed, 'RemediationSucceeded', NOW, acted, { intentId: 'another' }));
    expect(other.conditions.computeOptimizer?.claim?.entryId).toBe(intent.id);
    const closed = fold(claimed, outcome(claimed, 'RemediationSucceeded', NOW, acted));
    expect(closed.conditions.computeOptimizer).toMatchObject({
      claim: null,
      verdict: 'Converging',
      driftSince: iso(NOW - HOUR),
    });
    expect(wakeAt(closed)).toBe(NOW + DAY);
  });

  it('keeps the time of an opt-out of Automation, but not of a disassociation', () => {
    const done = (operation: string, optOut: boolean): string | null | undefined => {
      const draft = accountEntry(at(NOW), 'RemediationSucceeded', MEMBER_ID, 'automation', {
        after: condition({ verdict: 'Converging' }),
        api: { operation, requestId: null, clientToken: null },
        detail: { intentId: 'i', optOut },
      });
      return fold(emptyRecord(MEMBER_ID), draft).conditions.automation?.optedOutAt;
    };
    expect(done('UpdateEnrollmentConfiguration', true)).toBe(iso(NOW));
    expect(done('UpdateEnrollmentConfiguration', false)).toBeNull();
    expect(done('DisassociateAccounts', true)).toBeNull();
  });
});
