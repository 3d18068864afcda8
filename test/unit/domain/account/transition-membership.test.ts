import { describe, expect, it } from 'vitest';
import { withDetection } from '../../../../shared/domain/account/drift-detection.ts';
import { type AccountRecord, emptyRecord, wakeAt } from '../../../../shared/domain/account/record.ts';
import { joined, left } from '../../../../shared/domain/account/transition.ts';
import { condition, HOUR, iso, judged, MEMBER, MEMBER_ID, NOW, recordOf, seen } from '../../../support/domain-kit.ts';
import { at, fold, outcome, started, step } from './transition-steps.ts';

describe('accounts that join and leave', () => {
  const observe = (record: AccountRecord, status: 'Active' | 'Inactive') =>
    judged({ record, computeOptimizer: seen(status) });

  it('joining records verdicts that need no entry of their own', () => {
    const fresh = emptyRecord(MEMBER_ID);
    const draft = joined(at(NOW), MEMBER, observe(fresh, 'Active'));
    const record = fold(fresh, draft);
    expect(draft.detail?.account).toEqual({ name: MEMBER.name, ou: MEMBER.ou, state: 'ACTIVE' });
    expect(record).toMatchObject({ present: true, conditions: { computeOptimizer: { verdict: 'Compliant' } } });
    expect(record.conditions.automation?.verdict).toBe('Unmanaged');
  });

  it('joining records drift in an entry of its own', () => {
    const fresh = emptyRecord(MEMBER_ID);
    const record = fold(fresh, joined(at(NOW), MEMBER, observe(fresh, 'Inactive')));
    expect(record.conditions.computeOptimizer).toBeNull();
    expect(step(record, seen('Inactive'))[0]).toBe('DriftDetected');
  });

  it('joining leaves an enrollment that a worker is changing to that worker', () => {
    const drifted = recordOf({ computeOptimizer: condition() });
    const claimed = fold(drifted, started(drifted, NOW));
    const found = observe(claimed, 'Inactive');
    expect(found.computeOptimizer).toMatchObject({ verdict: 'Converging', deadline: null });
    const record = fold(claimed, joined(at(NOW + 1), MEMBER, found));
    expect(record.conditions.computeOptimizer).toEqual(claimed.conditions.computeOptimizer);
  });

  it('leaving ends an open drift, and a return starts a new one', () => {
    const drifted = recordOf({ computeOptimizer: condition({ notBefore: iso(NOW + HOUR), attempts: 3 }) });
    const gone = fold(drifted, left(at(NOW), drifted));
    expect(gone.present).toBe(false);
    const { computeOptimizer } = gone.conditions;
    expect(computeOptimizer).toMatchObject({
      verdict: 'NotApplicable',
      driftSince: null,
      notBefore: null,
      attempts: 0,
    });
    expect(wakeAt(gone)).toBeNull();
    const back = fold(gone, joined(at(NOW + 1), MEMBER, observe(gone, 'Inactive')));
    expect(back.present).toBe(true);
    expect(step(back, seen('Inactive'), NOW + 1)[0]).toBe('DriftDetected');
  });

  it('a call that fails after the account has returned is detected as drift once', () => {
    const claimed = recordOf({ computeOptimizer: condition() });
    const open = fold(claimed, started(claimed, NOW));
    const gone = fold(open, left(at(NOW + 1), open));
    const back = fold(gone, joined(at(NOW + 2), MEMBER, observe(gone, 'Inactive')));
    const notBefore = NOW + HOUR;
    const draft = outcome(back, 'RemediationFailed', NOW + 3, { verdict: 'Drifted', reason: 'retrying', notBefore });
    const drafts = withDetection(back, draft, () => 'detected');
    expect(drafts.map(({ type }) => type)).toEqual(['DriftDetected', 'RemediationFailed']);
    const failed = drafts.reduce(fold, back);
    expect(failed.conditions.computeOptimizer).toMatchObject({
      verdict: 'Drifted',
      claim: null,
      driftSince: iso(NOW + 3),
    });
    // The retry delay is not over, so nothing has changed.
    expect(step(failed, seen('Inactive'), NOW + 4)[0]).toBeNull();
  });

  it('a call that fails after the account has left is not a drift', () => {
    const claimed = recordOf({ computeOptimizer: condition() });
    const open = fold(claimed, started(claimed, NOW));
    const gone = fold(open, left(at(NOW + 1), open));
    const draft = outcome(gone, 'RemediationFailed', NOW + 2, { verdict: 'Drifted', reason: 'retrying' });
    expect(withDetection(gone, draft, () => 'detected')).toEqual([draft]);
    const failed = fold(gone, draft);
    expect(failed.conditions.computeOptimizer).toMatchObject({
      verdict: 'NotApplicable',
      driftSince: null,
      claim: null,
    });
    const back = fold(failed, joined(at(NOW + 3), MEMBER, observe(failed, 'Inactive')));
    expect(step(back, seen('Inactive'), NOW + 3)[0]).toBe('DriftDetected');
  });
});
