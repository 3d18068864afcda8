import { describe, expect, it } from 'vitest';
import { type AccountRecord, emptyRecord, wakeAt } from '../../../../shared/domain/account/record.ts';
import { joined, transition } from '../../../../shared/domain/account/transition.ts';
import { assess } from '../../../../shared/domain/decision/assess.ts';
import type { EnrollmentId } from '../../../../shared/domain/enrollment/kinds/index.ts';
import type { Observation } from '../../../../shared/domain/enrollment/model.ts';
import type { EntryDraft } from '../../../../shared/domain/ledger/entry.ts';
import {
  ACTIVE_POLICY,
  condition,
  contextOf,
  DAY,
  HOUR,
  iso,
  judged,
  MEMBER,
  MEMBER_ID,
  NOW,
  policyOf,
  recordOf,
  seen,
  unknown,
} from '../../../support/domain-kit.ts';
import { assessOne, at, fold, outcome, step } from './transition-steps.ts';

describe('transition', () => {
  const fresh = emptyRecord(MEMBER_ID);

  it('records a drift once', () => {
    const [type, record] = step(fresh, seen('Inactive'));
    expect(type).toBe('DriftDetected');
    expect(record.conditions.computeOptimizer).toMatchObject({
      verdict: 'Drifted',
      driftSince: iso(NOW),
      since: iso(NOW),
    });
    expect(step(record, seen('Inactive'), NOW + HOUR)).toEqual([null, record]);
  });

  it('records nothing for a changed timestamp alone', () => {
    const [, record] = step(fresh, seen('Inactive'));
    expect(step(record, seen('Inactive', { lastUpdated: NOW }), NOW + HOUR)[0]).toBeNull();
  });

  it('records once that another rule decides, although the state is the same', () => {
    const [, compliant] = step(fresh, seen('Active'));
    expect(compliant.conditions.computeOptimizer?.rule).toBe('defaults');
    const policy = policyOf(
      '',
      `rules: [{ id: members, match: { accounts: ["${MEMBER_ID}"] }, computeOptimizer: Active }]`,
    );
    const assessment = assessOne(compliant, seen('Active'), NOW + HOUR, policy);
    const draft = transition(at(NOW + HOUR, policy.hash), compliant, assessment);
    expect(draft).toMatchObject({
      type: 'VerdictChanged',
      rule: 'members',
      detail: { message: 'decided by members instead of defaults' },
    });
    const record = fold(compliant, draft);
    expect(record.conditions.computeOptimizer).toMatchObject({ rule: 'members', since: iso(NOW) });
    expect(transition(at(NOW + DAY, policy.hash), record, assessment)).toBeNull();
  });

  it('records once that a drift is resolved', () => {
    const [, drifted] = step(fresh, seen('Inactive'));
    const [type, resolved] = step(drifted, seen('Active'), NOW + HOUR);
    expect(type).toBe('DriftResolved');
    expect(resolved.conditions.computeOptimizer).toMatchObject({ verdict: 'Compliant', driftSince: null, attempts: 0 });
    expect(step(resolved, seen('Active'), NOW + DAY)[0]).toBeNull();
  });

  it('records Compliant without a previous drift as VerdictChanged', () => {
    const [, unseen] = step(fresh, unknown('denied'));
    expect(step(unseen, seen('Active'))[0]).toBe('VerdictChanged');
  });

  it('keeps one drift open through Converging, Unknown and back to Drifted', () => {
    const [, drifted] = step(fresh, seen('Inactive'));
    const [pending, converging] = step(drifted, seen('Pending', { lastUpdated: NOW }), NOW + 1);
    const [hidden, lost] = step(converging, unknown('denied'), NOW + 2);
    const [again, back] = step(lost, seen('Inactive', { lastUpdated: NOW + 2 }), NOW + 3);
    expect([pending, hidden, again]).toEqual(['VerdictChanged', 'VerdictChanged', 'VerdictChanged']);
    expect(back.conditions.computeOptimizer?.driftSince).toBe(iso(NOW));
    expect(step(back, seen('Active'), NOW + 4)[0]).toBe('DriftResolved');
  });

  it('records Stalled as ConvergenceStalled', () => {
    const [, converging] = step(fresh, seen('Pending', { lastUpdated: NOW }));
    expect(step(converging, seen('Pending', { lastUpdated: NOW }), NOW + DAY)[0]).toBe('ConvergenceStalled');
  });

  it('keeps a drift open while its fix is delayed, without a second detection afterwards', () => {
    const policy = policyOf('computeOptimizer: Active');
    const drifted = recordOf({ computeOptimizer: condition({ policyHash: policy.hash }) });
    const blocked = fold(
      drifted,
      outcome(drifted, 'RemediationBlocked', NOW, { verdict: 'Blocked', reason: 'denied', notBefore: NOW + HOUR }),
    );
    expect(blocked.conditions.computeOptimizer?.driftSince).toBe(iso(NOW - HOUR));
    const [type, again] = step(blocked, seen('Inactive'), NOW + HOUR);
    expect(type).toBe('VerdictChanged');
    expect(again.conditions.computeOptimizer?.driftSince).toBe(iso(NOW - HOUR));
    expect(step(again, seen('Active'), NOW + 2 * HOUR)[0]).toBe('DriftResolved');
  });

  it('keeps a drift open after its fix was given up, until it is resolved', () => {
    const drifted = recordOf({ computeOptimizer: condition({ policyHash: ACTIVE_POLICY.hash, attempts: 4 }) });
    const notBefore = NOW + HOUR;
    const dead = fold(
      drifted,
      outcome(drifted, 'RemediationFailed', NOW, { verdict: 'Drifted', reason: 'deadLettered', notBefore }),
    );
    const driftSince = iso(NOW - HOUR);
    expect(dead.conditions.computeOptimizer?.driftSince).toBe(driftSince);
    const draft = transition(at(NOW + 1), dead, assessOne(dead, seen('Failed'), NOW + 1));
    expect(draft?.type).toBe('VerdictChanged');
    expect(fold(dead, draft).conditions.computeOptimizer).toMatchObject({ reason: 'deadLettered', driftSince });
    expect(step(dead, seen('Inactive'), NOW + HOUR)[0]).toBe('VerdictChanged');
  });

  it('supersedes a drift when the account is suspended or the policy changes', () => {
    const [, drifted] = step(fresh, seen('Inactive'));
    const suspended = judged({ record: drifted, computeOptimizer: seen('Inactive'), suspended: true });
    expect(
      fold(drifted, transition(at(NOW), drifted, suspended.computeOptimizer)).conditions.computeOptimizer?.driftSince,
    ).toBeNull();
    const policy = policyOf('computeOptimizer: Inactive');
    const changed = fold(
      drifted,
      transition(at(NOW, policy.hash), drifted, assessOne(drifted, seen('Inactive'), NOW, policy)),
    );
    expect(changed.conditions.computeOptimizer).toMatchObject({ verdict: 'Compliant', driftSince: null });
  });

  it('counts attempts within one drift under one policy', () => {
    const failing = recordOf({
      computeOptimizer: condition({
        policyHash: ACTIVE_POLICY.hash,
        attempts: 3,
        reason: 'retrying',
        notBefore: iso(NOW),
      }),
    });
    const same = transition(at(NOW), failing, assessOne(failing, seen('Inactive')));
    expect(same?.after?.attempts).toBe(3);
    expect(transition(at(NOW, 'other'), failing, assessOne(failing, seen('Inactive')))?.after?.attempts).toBe(0);
    expect(transition(at(NOW), failing, assessOne(failing, seen('Active')))?.after?.attempts).toBe(0);
  });

  it('records the state before', () => {
    const [, drifted] = step(fresh, seen('Inactive'));
    const draft = transition(at(NOW), drifted, assessOne(drifted, seen('Active')));
    expect(draft?.before).toMatchObject({ verdict: 'Drifted', status: 'Inactive' });
    expect(draft?.before).not.toHaveProperty('claim');
  });

  it('writes nothing for 10,000 unchanged accounts', () => {
    const policy = policyOf('computeOptimizer: Active, automation: Active, organizationRules: AnyAllowed');
    const any = { ruleMode: 'AnyAllowed' } as const;
    const observed: readonly Observation[] = [
      seen('Active', any),
      seen('Inactive'),
      seen('Pending', { lastUpdated: NOW - HOUR }),
      seen('Failed'),
      unknown('denied'),
      seen('Inactive', { lastUpdated: NOW - HOUR }),
      seen('Pending', { lastUpdated: null }),
    ];
    let first = 0;
    let second = 0;
    for (let n = 0; n < 10_000; n += 1) {
      const account = {
        ...MEMBER,
        id: String(100_000_000_000 + n),
        state: n % 50 === 0 ? ('CLOSED' as const) : MEMBER.state,
      };
      const observation = (k: number): Observation => observed[k % observed.length] ?? unknown('denied');
      const observations = {
        computeOptimizer: observation(n),
        automation: observation(Math.floor(n / observed.length)),
        costOptimizationHub: observation(n),
      };
      const scan = (record: AccountRecord, now: number): EntryDraft[] => {
        const found = assess(contextOf({ policy, now }), account, observations, record);
        const context = at(now, policy.hash);
        if (!record.present) return [joined(context, account, found)];
        return (['computeOptimizer', 'automation'] as const).flatMap(
          (name) => transition(context, record, found[name]) ?? [],
        );
      };
      let record = emptyRecord(account.id);
      for (let pass = 0; pass < 3; pass += 1) {
        const drafts = scan(record, NOW);
        record = drafts.reduce(fold, record);
        first += drafts.length;
      }
      second += scan(record, NOW + HOUR).length;
    }
    expect(first).toBeGreaterThanOrEqual(10_000);
    expect(second).toBe(0);
  });
});

describe('wakeAt', () => {
  const wake = (conditions: Partial<Record<EnrollmentId, ReturnType<typeof condition>>>) =>
    wakeAt(recordOf(conditions));

  it('is the earliest time of both enrollments', () => {
    const computeOptimizer = condition({ notBefore: iso(NOW + 2) });
    const automation = condition({ verdict: 'Converging', deadline: iso(NOW + 1) });
    expect(wake({ computeOptimizer, automation })).toBe(NOW + 1);
    expect(wake({ computeOptimizer })).toBe(NOW + 2);
  });

  it('is null without a pending time; a recorded deadline is over', () => {
    expect(wake({ computeOptimizer: condition() })).toBeNull();
    expect(wake({ computeOptimizer: condition({ verdict: 'Stalled', deadline: iso(NOW) }) })).toBeNull();
  });
});
