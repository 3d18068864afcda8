import { describe, expect, it } from 'vitest';
import { withDetection } from '../../../../shared/domain/account/drift-detection.ts';
import { actorBehind, isReverted, MAX_REVERSIONS } from '../../../../shared/domain/account/flapping.ts';
import { type AccountRecord, emptyRecord, foldEntry, wakeAt } from '../../../../shared/domain/account/record.ts';
import { accountEntry, type EntryContext, transition } from '../../../../shared/domain/account/transition.ts';
import type { Condition } from '../../../../shared/domain/enrollment/condition.ts';
import type { Observation } from '../../../../shared/domain/enrollment/model.ts';
import {
  type Detail,
  EMPTY_CHAIN,
  headOf,
  type LedgerEntry,
  sealEntry,
} from '../../../../shared/domain/ledger/entry.ts';
import {
  ACTIVE_POLICY,
  condition,
  DAY,
  HOUR,
  iso,
  judged,
  MEMBER_ID,
  NOW,
  policyOf,
  recordOf,
  seen,
} from '../../../support/domain-kit.ts';

const DESIRED = { status: 'Active', ruleMode: null } as const;
const COMPLIANT = condition({ verdict: 'Compliant', reason: null, status: 'Active' });
const ACTED = condition({ verdict: 'Converging', reason: 'acted' });
const inactive = (lastUpdated = NOW) =>
  ({ status: 'Inactive', ruleMode: null, lastUpdated: iso(lastUpdated) }) as const;

describe('a reversion', () => {
  const cases: readonly (readonly [string, boolean, Condition | null, Parameters<typeof isReverted>[1]])[] = [
    ['a compliant enrollment no longer is', true, COMPLIANT, inactive()],
    ['the state from before our call is back with a new timestamp', true, ACTED, inactive()],
    ['our call has not taken effect yet', false, ACTED, inactive(NOW - 30 * DAY)],
    ['it is compliant', false, COMPLIANT, { ...inactive(), status: 'Active' }],
    ['AWS reports Failed', false, COMPLIANT, { ...inactive(), status: 'Failed' }],
    ['AWS reports Pending', false, COMPLIANT, { ...inactive(), status: 'Pending' }],
    ['it was not observed', false, COMPLIANT, { ...inactive(), status: null }],
    ['it was already drifted', false, condition(), inactive()],
    ['the desired state has changed', false, { ...COMPLIANT, desired: 'Inactive', status: 'Inactive' }, inactive()],
    ['there is no record', false, null, inactive()],
  ];
  it.each(cases)('%s: %s', (_, expected, known, now) => expect(isReverted(known, now, DESIRED)).toBe(expected));
});

/** The history of one account: assesses it and returns the entry that each assessment leads to. */
class AccountHistory {
  record: AccountRecord = { ...emptyRecord(MEMBER_ID), present: true };
  now = NOW;
  #ids = 0;

  assess(observed: Observation, detail: Detail = {}, policy = ACTIVE_POLICY): LedgerEntry | null {
    return this.assessAll(observed, detail, policy).at(-1) ?? null;
  }

  /** All entries of one assessment. */
  assessAll(observed: Observation, detail: Detail = {}, policy = ACTIVE_POLICY): readonly LedgerEntry[] {
    const { computeOptimizer } = judged({ computeOptimizer: observed, record: this.record, now: this.now, policy });
    const context = this.#context(policy.hash);
    const draft = transition(context, this.record, computeOptimizer, detail);
    const drafts = draft === null ? [] : withDetection(this.record, draft, context.newId);
    return drafts.map((each) => this.#append(each));
  }

  /** Someone opts out, the drift is detected, and the enrollment is remediated. */
  round(by: string | null = null): LedgerEntry | null {
    this.now += HOUR;
    const changedBy =
      by === null ? {} : { changedBy: { actor: by, operation: 'x', requestId: null, at: iso(this.now) } };
    const entry = this.assess(seen('Inactive', { lastUpdated: this.now }), changedBy);
    this.now += 60_000;
    if (this.condition.verdict === 'Drifted') this.assess(seen('Active', { lastUpdated: this.now }));
    return entry;
  }

  resume(): LedgerEntry {
    return this.#append(accountEntry(this.#context(null), 'AccountResumed', MEMBER_ID, null, {}));
  }

  get condition(): Condition {
    return this.record.conditions.computeOptimizer ?? expect.fail('there is no condition');
  }

  #context(policyHash: string | null): EntryContext {
    const newId = () => `id-${this.#ids++}`;
    return { newId, now: this.now, actor: 'rollcall', runId: 'run', policyHash, random: () => 0.5 };
  }

  #append(draft: Parameters<typeof sealEntry>[0]): LedgerEntry {
    const entry = sealEntry(draft, this.record.head.seq === 0 ? EMPTY_CHAIN : this.record.head);
    this.record = foldEntry(this.record, entry);
    expect(this.record.head).toEqual(headOf(entry));
    return entry;
  }
}

function compliantAccount(): AccountHistory {
  const history = new AccountHistory();
  history.assess(seen('Active'));
  return history;
}

describe('an account that is reverted', () => {
  it('is remediated twice; the third time within 24 hours it is contested, with the names of the actors', () => {
    const history = compliantAccount();
    expect(history.round('arn:aws:iam::1:user/ann')?.type).toBe('DriftDetected');
    expect(history.round()?.type).toBe('DriftDetected');
    const flap = history.round('arn:aws:iam::1:user/bob');
    expect(flap).toMatchObject({
      type: 'FlapDetected',
      reason: 'contested',
      after: { verdict: 'Blocked', reason: 'contested', notBefore: null },
    });
    expect(flap?.detail?.message).toMatch(
      /^reverted 3 times within 24 hours by .*user\/ann, .*user\/bob; .*rollcall resume/,
    );
    expect(history.condition).toMatchObject({ verdict: 'Blocked', reason: 'contested', driftSince: flap?.at });
    expect(history.condition.setBacks).toHaveLength(MAX_REVERSIONS);
    // It is never due again, and another assessment adds no entry.
    expect(wakeAt(history.record)).toBeNull();
    history.now += 3 * DAY;
    expect(history.assess(seen('Inactive', { lastUpdated: history.now }))).toBeNull();
  });

  it('keeps who caused the open drift, until it is resolved', () => {
    const history = compliantAccount();
    history.now += HOUR;
    const changedBy = { actor: 'arn:aws:iam::1:user/ann', operation: 'x', requestId: 'r', at: iso(history.now) };
    history.assess(seen('Inactive', { lastUpdated: history.now }), { changedBy });
    const { requestId: _, ...kept } = changedBy;
    expect(history.condition.changedBy).toEqual(kept);
    expect(actorBehind(history.condition)).toBe(changedBy.actor);
    // A later observation of the same drift names no caller.
    history.assess(seen('Failed', { lastUpdated: history.now }));
    expect(history.condition.changedBy).toEqual(kept);
    history.assess(seen('Active', { lastUpdated: history.now }));
    expect(history.condition).not.toHaveProperty('changedBy');
    expect(actorBehind(history.condition)).toBeNull();
  });

  it('stays contested while it is compliant, and under another policy', () => {
    const history = compliantAccount();
    for (let n = 0; n < 3; n += 1) history.round();
    expect(history.assess(seen('Active', { lastUpdated: history.now }))?.type).toBe('DriftResolved');
    expect(history.condition).toMatchObject({ verdict: 'Compliant' });
    const again = history.assess(
      seen('Inactive', { lastUpdated: history.now }),
      {},
      policyOf('computeOptimizer: Active', 'schedule: 2h'),
    );
    expect(again).toMatchObject({ type: 'RemediationBlocked', reason: 'contested' });
  });

  it('is first recorded as drifted, then as contested, even if the process ends in between', () => {
    const history = compliantAccount();
    for (let n = 0; n < 2; n += 1) history.round('arn:aws:iam::1:user/ann');
    history.now += HOUR;
    const [detected, flap] = history.assessAll(seen('Inactive', { lastUpdated: history.now }), {
      changedBy: { actor: 'arn:aws:iam::1:user/bob', operation: 'x', requestId: null, at: iso(history.now) },
    });
    expect(detected).toMatchObject({
      type: 'DriftDetected',
      detail: { changedBy: { actor: 'arn:aws:iam::1:user/bob' } },
    });
    expect(flap).toMatchObject({ type: 'FlapDetected', before: detected?.after });
    expect(flap?.detail?.changedBy).toBeUndefined();

    const cut = compliantAccount();
    for (let n = 0; n < 2; n += 1) cut.round();
    cut.now += HOUR;
    const record = cut.record;
    const [first] = cut.assessAll(seen('Inactive', { lastUpdated: cut.now }));
    cut.record = foldEntry(record, first ?? expect.fail('no drift was detected'));
    cut.now += 60_000;
    const again = cut.assessAll(seen('Inactive', { lastUpdated: cut.now - 60_000 }));
    expect(again.map(({ type }) => type)).toEqual(['FlapDetected']);
    expect(again[0]?.detail?.message).toMatch(/^reverted 3 times/);
  });

  it('is not contested if the reversions are further apart', () => {
    const history = compliantAccount();
    for (let n = 0; n < 8; n += 1) {
      expect(history.round()?.type).toBe('DriftDetected');
      history.now += 12 * HOUR;
    }
  });

  it('is never contested in mode alert', () => {
    const alert = policyOf('computeOptimizer: Active, mode: alert');
    const history = new AccountHistory();
    for (let n = 0; n < 5; n += 1) {
      history.assess(seen('Active', { lastUpdated: history.now }), {}, alert);
      history.now += 60_000;
      expect(history.assess(seen('Inactive', { lastUpdated: history.now }), {}, alert)?.type).toBe('DriftDetected');
    }
    expect(history.condition.setBacks).toBeUndefined();
  });

  it('is due immediately and enforced again after an operator has resumed it', () => {
    const history = compliantAccount();
    for (let n = 0; n < 3; n += 1) history.round();
    history.now += HOUR;
    history.resume();
    expect(history.condition.contested).toBeUndefined();
    expect(history.condition.setBacks).toBeUndefined();
    expect(wakeAt(history.record)).toBe(history.now);
    const { computeOptimizer } = judged({
      computeOptimizer: seen('Inactive'),
      record: history.record,
      now: history.now,
    });
    expect(computeOptimizer).toMatchObject({ verdict: 'Drifted', action: 'UpdateEnrollmentStatus' });
    // Still the same drift: it was detected when it became contested.
    expect(history.assess(seen('Inactive', { lastUpdated: history.now }))?.type).toBe('VerdictChanged');
  });

  it('is not changed by resuming another enrollment', () => {
    const contested = { since: iso(NOW), message: 'm' };
    const blocked = condition({
      verdict: 'Blocked',
      reason: 'contested',
      contested,
      setBacks: [{ at: iso(NOW), by: null }],
    });
    const record = recordOf({ computeOptimizer: blocked, automation: condition() });
    const context: EntryContext = { newId: () => 'id', now: NOW, actor: 'a', runId: null, policyHash: null };
    const draft = accountEntry(context, 'AccountResumed', MEMBER_ID, 'automation', {});
    const after = foldEntry(record, sealEntry(draft, record.head));
    expect(after.conditions.computeOptimizer).toEqual(blocked);
    expect(after.conditions.automation).toEqual(record.conditions.automation);
  });
});
