import { describe, expect, it } from 'vitest';
import { withDetection } from '../../../../shared/domain/account/drift-detection.ts';
import { isReverted, MAX_REVERSIONS } from '../../../../shared/domain/account/flapping.ts';
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

const WISH = { status: 'Active', ruleMode: null } as const;
const COMPLIANT = condition({ verdict: 'Compliant', reason: null, status: 'Active' });
const ACTED = condition({ verdict: 'Converging', reason: 'acted' });
const inactive = (lastUpdated = NOW) =>
  ({ status: 'Inactive', ruleMode: null, lastUpdated: iso(lastUpdated) }) as const;

describe('a set-back', () => {
  const cases: readonly (readonly [string, boolean, Condition | null, Parameters<typeof isReverted>[1]])[] = [
    ['what was as wanted is not any more', true, COMPLIANT, inactive()],
    ['under a new timestamp, what we had just asked for is as before', true, ACTED, inactive()],
    ['what we had just asked for has not come yet', false, ACTED, inactive(NOW - 30 * DAY)],
    ['it is as wanted', false, COMPLIANT, { ...inactive(), status: 'Active' }],
    ['it has failed: nobody’s doing', false, COMPLIANT, { ...inactive(), status: 'Failed' }],
    ['it is on its way', false, COMPLIANT, { ...inactive(), status: 'Pending' }],
    ['it was not seen', false, COMPLIANT, { ...inactive(), status: null }],
    ['it was drifted already', false, condition(), inactive()],
    ['the wish is another one', false, { ...COMPLIANT, desired: 'Inactive', status: 'Inactive' }, inactive()],
    ['nothing was known', false, null, inactive()],
  ];
  it.each(cases)('%s: %s', (_, expected, known, now) => expect(isReverted(known, now, WISH)).toBe(expected));
});

/** One account's life: looks at it, and answers the entry that each look led to. */
class Life {
  record: AccountRecord = { ...emptyRecord(MEMBER_ID), present: true };
  now = NOW;
  #ids = 0;

  look(observed: Observation, detail: Detail = {}, policy = ACTIVE_POLICY): LedgerEntry | null {
    return this.looked(observed, detail, policy).at(-1) ?? null;
  }

  /** All entries that one look leads to. */
  looked(observed: Observation, detail: Detail = {}, policy = ACTIVE_POLICY): readonly LedgerEntry[] {
    const { computeOptimizer } = judged({ computeOptimizer: observed, record: this.record, now: this.now, policy });
    const context = this.#context(policy.hash);
    const draft = transition(context, this.record, computeOptimizer, detail);
    const drafts = draft === null ? [] : withDetection(this.record, draft, context.newId);
    return drafts.map((each) => this.#append(each));
  }

  /** Somebody opts out, we notice, and it is put right again. */
  round(by: string | null = null): LedgerEntry | null {
    this.now += HOUR;
    const changedBy =
      by === null ? {} : { changedBy: { actor: by, operation: 'x', requestId: null, at: iso(this.now) } };
    const entry = this.look(seen('Inactive', { lastUpdated: this.now }), changedBy);
    this.now += 60_000;
    if (this.condition.verdict === 'Drifted') this.look(seen('Active', { lastUpdated: this.now }));
    return entry;
  }

  resume(): LedgerEntry {
    return this.#append(accountEntry(this.#context(null), 'AccountResumed', MEMBER_ID, null, {}));
  }

  get condition(): Condition {
    return this.record.conditions.computeOptimizer ?? expect.fail('nothing is known');
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

function settled(): Life {
  const life = new Life();
  life.look(seen('Active'));
  return life;
}

describe('an account that is set back', () => {
  it('is put right twice; the third time within 24 hours it is contested, and the actors are named', () => {
    const life = settled();
    expect(life.round('arn:aws:iam::1:user/ann')?.type).toBe('DriftDetected');
    expect(life.round()?.type).toBe('DriftDetected');
    const flap = life.round('arn:aws:iam::1:user/bob');
    expect(flap).toMatchObject({
      type: 'FlapDetected',
      reason: 'contested',
      after: { verdict: 'Blocked', reason: 'contested', notBefore: null },
    });
    expect(flap?.detail?.message).toMatch(
      /^reverted 3 times within 24 hours by .*user\/ann, .*user\/bob; .*rollcall resume/,
    );
    expect(life.condition).toMatchObject({ verdict: 'Blocked', reason: 'contested', driftSince: flap?.at });
    expect(life.condition.setBacks).toHaveLength(MAX_REVERSIONS);
    // Nothing wakes it, and looking again tells nothing new.
    expect(wakeAt(life.record)).toBeNull();
    life.now += 3 * DAY;
    expect(life.look(seen('Inactive', { lastUpdated: life.now }))).toBeNull();
  });

  it('stays contested while it happens to be as wanted, and whatever else the policy says', () => {
    const life = settled();
    for (let n = 0; n < 3; n += 1) life.round();
    expect(life.look(seen('Active', { lastUpdated: life.now }))?.type).toBe('DriftResolved');
    expect(life.condition).toMatchObject({ verdict: 'Compliant' });
    const again = life.look(
      seen('Inactive', { lastUpdated: life.now }),
      {},
      policyOf('computeOptimizer: Active', 'schedule: 2h'),
    );
    expect(again).toMatchObject({ type: 'RemediationBlocked', reason: 'contested' });
  });

  it('is detected as drifted and then contested, also if a process ends between the two entries', () => {
    const life = settled();
    for (let n = 0; n < 2; n += 1) life.round('arn:aws:iam::1:user/ann');
    life.now += HOUR;
    const [detected, flap] = life.looked(seen('Inactive', { lastUpdated: life.now }), {
      changedBy: { actor: 'arn:aws:iam::1:user/bob', operation: 'x', requestId: null, at: iso(life.now) },
    });
    expect(detected).toMatchObject({
      type: 'DriftDetected',
      detail: { changedBy: { actor: 'arn:aws:iam::1:user/bob' } },
    });
    expect(flap).toMatchObject({ type: 'FlapDetected', before: detected?.after });
    expect(flap?.detail?.changedBy).toBeUndefined();

    const cut = settled();
    for (let n = 0; n < 2; n += 1) cut.round();
    cut.now += HOUR;
    const record = cut.record;
    const [first] = cut.looked(seen('Inactive', { lastUpdated: cut.now }));
    cut.record = foldEntry(record, first ?? expect.fail('nothing was detected'));
    cut.now += 60_000;
    const again = cut.looked(seen('Inactive', { lastUpdated: cut.now - 60_000 }));
    expect(again.map(({ type }) => type)).toEqual(['FlapDetected']);
    expect(again[0]?.detail?.message).toMatch(/^reverted 3 times/);
  });

  it('is not contested where the set-backs are further apart', () => {
    const life = settled();
    for (let n = 0; n < 8; n += 1) {
      expect(life.round()?.type).toBe('DriftDetected');
      life.now += 12 * HOUR;
    }
  });

  it('is nobody’s fight where the policy only watches', () => {
    const alert = policyOf('computeOptimizer: Active, mode: alert');
    const life = new Life();
    for (let n = 0; n < 5; n += 1) {
      life.look(seen('Active', { lastUpdated: life.now }), {}, alert);
      life.now += 60_000;
      expect(life.look(seen('Inactive', { lastUpdated: life.now }), {}, alert)?.type).toBe('DriftDetected');
    }
    expect(life.condition.setBacks).toBeUndefined();
  });

  it('resumed by an operator: all is forgotten, it is due at once, and enforced again', () => {
    const life = settled();
    for (let n = 0; n < 3; n += 1) life.round();
    life.now += HOUR;
    life.resume();
    expect(life.condition.contested).toBeUndefined();
    expect(life.condition.setBacks).toBeUndefined();
    expect(wakeAt(life.record)).toBe(life.now);
    const { computeOptimizer } = judged({ computeOptimizer: seen('Inactive'), record: life.record, now: life.now });
    expect(computeOptimizer).toMatchObject({ verdict: 'Drifted', action: 'UpdateEnrollmentStatus' });
    // The same drift still: it was detected when it was contested.
    expect(life.look(seen('Inactive', { lastUpdated: life.now }))?.type).toBe('VerdictChanged');
  });

  it('resuming another enrollment, or one that nobody fights about, changes nothing', () => {
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
