import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromStoredRecord, isStoredRecord, toStoredRecord } from '../../shared/adapters/stored-shapes.ts';
import { type AccountRecord, emptyRecord, foldEntry } from '../../shared/domain/account/record.ts';
import { type EntryContext, joined, left, transition } from '../../shared/domain/account/transition.ts';
import { parseCloudTrailEvent } from '../../shared/domain/cloudtrail-event.ts';
import { assess } from '../../shared/domain/decision/assess.ts';
import { isChange, planHash, sortChanges, toChange } from '../../shared/domain/decision/plan.ts';
import { followUpsOf, totalsOf } from '../../shared/domain/decision/plan-totals.ts';
import { BATCH_OPERATIONS, byKind, ENROLLMENT_IDS, KINDS, kindOf } from '../../shared/domain/enrollment/kinds/index.ts';
import { REGISTRY as PRODUCT } from '../../shared/domain/enrollment/kinds/registry.ts';
import { type EntryDraft, sealEntry } from '../../shared/domain/ledger/entry.ts';
import { DESIRED_FIELDS } from '../../shared/domain/policy/types.ts';
import { workMessageSchema } from '../../shared/domain/work-message.ts';
import { hashOfExample, POLICY_HASHES } from '../golden/policy-hashes.ts';
import { anyFacts, anyObservations, anyRecord } from '../property/arbitraries.ts';
import {
  CALLER,
  condition,
  contextOf,
  MEMBER,
  MEMBER_ID,
  NOW,
  policyOf,
  recordOf,
  seen,
} from '../support/domain-kit.ts';
import { FAKE_KIND } from '../support/fake-kind.ts';

const THIRD = ENROLLMENT_IDS.at(-1) ?? expect.fail('the registry has the fake kind');

const anyStatus = fc.constantFrom('Active' as const, 'Inactive' as const, 'unmanaged' as const);
/** Policies that manage something and do not contradict themselves. */
const anyPolicy = fc
  .record(byKind(() => anyStatus))
  .filter((wanted) => ENROLLMENT_IDS.some((id) => wanted[id] !== 'unmanaged'))
  .filter((wanted) =>
    KINDS.every(({ id, prerequisites }) => {
      return wanted[id] !== 'Active' || prerequisites.every((each) => wanted[each] !== 'Inactive');
    }),
  )
  .map((wanted) => policyOf(ENROLLMENT_IDS.map((id) => `${id}: ${wanted[id]}`).join(', ')));

const anything = fc.record({ policy: anyPolicy, facts: anyFacts, observations: anyObservations, record: anyRecord });

function always(name: string, check: (given: typeof anything extends fc.Arbitrary<infer T> ? T : never) => void): void {
  it(name, () => fc.assert(fc.property(anything, check), { numRuns: 500 }));
}

const context = (id = 'id'): EntryContext => {
  return { newId: () => id, now: NOW, actor: 'test', runId: 'run-1', policyHash: null };
};
const fold = (record: AccountRecord, draft: EntryDraft): AccountRecord =>
  foldEntry(record, sealEntry(draft, record.head));

describe('with a third kind in the registry', () => {
  it('the registry of this test has it', () => {
    expect(ENROLLMENT_IDS).toEqual([...PRODUCT.map(({ id }) => id), FAKE_KIND.id]);
    expect(Object.keys(byKind(() => null))).toEqual(ENROLLMENT_IDS);
    expect(kindOf(THIRD)).toBe(FAKE_KIND);
  });

  it('every kind comes after its prerequisites, and no two kinds share a batch operation', () => {
    for (const [index, { prerequisites }] of KINDS.entries()) {
      for (const each of prerequisites) expect(ENROLLMENT_IDS.indexOf(each)).toBeLessThan(index);
    }
    const batches = KINDS.flatMap(({ actions }) => actions.filter(({ scopes }) => scopes.includes('batch')));
    expect(batches.map(({ operation }) => operation)).toEqual(BATCH_OPERATIONS);
  });

  always(
    'every kind is assessed, and what the policy asks of it decides',
    ({ policy, facts, observations, record }) => {
      const found = assess(contextOf({ policy }), facts, observations, record);
      expect(Object.keys(found)).toEqual(ENROLLMENT_IDS);
      for (const id of ENROLLMENT_IDS) {
        const { enrollment, verdict, desired, action } = found[id];
        expect(enrollment).toBe(id);
        if (policy.policy.defaults[id] !== 'unmanaged' && policy.canDecide(facts)) {
          expect(desired.status).toBe(policy.policy.defaults[id]);
        }
        if (verdict === 'Drifted' && action !== 'none') {
          expect(kindOf(id).actions.map(({ operation }) => operation)).toContain(action);
        }
      }
    },
  );

  always('a kind is never enabled while a prerequisite is not Active', ({ policy, facts, observations, record }) => {
    const found = assess(contextOf({ policy }), facts, observations, record);
    for (const { id, prerequisites } of KINDS) {
      if (found[id].action === 'none' || found[id].target !== 'Active') continue;
      for (const each of prerequisites)
        expect(observations[each]).toMatchObject({ kind: 'observed', status: 'Active' });
    }
  });

  always('the fold keeps every kind, stored and read again', ({ policy, facts, observations }) => {
    const found = assess(contextOf({ policy }), facts, observations, null);
    let state = fold(emptyRecord(facts.id), joined(context(), facts, found));
    for (const id of ENROLLMENT_IDS) {
      const draft = transition(context(), state, found[id]);
      if (draft !== null) state = fold(state, draft);
      const recorded = policy.kinds.includes(id) ? found[id].verdict : undefined;
      expect(state.conditions[id]?.verdict).toBe(recorded);
    }
    const stored: unknown = JSON.parse(JSON.stringify(toStoredRecord(state)));
    if (state.conditions[THIRD] === null) expect(stored).not.toHaveProperty(THIRD);
    if (!isStoredRecord(stored)) expect.fail('not a stored record');
    expect(fromStoredRecord(stored)).toEqual(state);
    const gone = fold(state, left(context(), state));
    for (const id of ENROLLMENT_IDS) {
      if (state.conditions[id] !== null) expect(gone.conditions[id]?.verdict).toBe('NotApplicable');
    }
  });

  always('nothing is recorded about a kind that no policy has mentioned', ({ policy, facts, observations, record }) => {
    const other = policyOf('computeOptimizer: Active');
    const before = record === null ? null : { ...record, conditions: { ...record.conditions, [THIRD]: null } };
    const found = assess(contextOf({ policy: other }), facts, observations, before);
    expect(found[THIRD]).toMatchObject({ verdict: 'Unmanaged', reason: 'notInPolicy', action: 'none' });
    expect(transition(context(), before ?? emptyRecord(facts.id), found[THIRD])).toBeNull();
    const entry = joined(context(), facts, found);
    expect(Object.keys(entry.detail?.facets ?? {})).not.toContain(THIRD);
    const managed = assess(contextOf({ policy }), facts, observations, before);
    const becomesKnown = policy.kinds.includes(THIRD);
    expect(transition(context(), before ?? emptyRecord(facts.id), managed[THIRD]) !== null).toBe(becomesKnown);
  });

  it('a kind that the policy no longer mentions is recorded as Unmanaged, once', () => {
    const known = recordOf({ [THIRD]: condition({ verdict: 'Compliant', reason: null, status: 'Active' }) });
    const found = assess(
      contextOf({}),
      MEMBER,
      byKind(() => seen('Active')),
      known,
    );
    const draft = transition(context(), known, found[THIRD]) ?? expect.fail('nothing was recorded');
    expect(draft.after).toMatchObject({ verdict: 'Unmanaged', reason: 'notInPolicy' });
    expect(transition(context(), fold(known, draft), found[THIRD])).toBeNull();
  });

  always('the changes and the hash of a plan cover every kind', ({ policy, facts, observations, record }) => {
    const found = assess(contextOf({ policy }), facts, observations, record);
    const changes = ENROLLMENT_IDS.flatMap((id) => (isChange(found[id]) ? [toChange(found[id], facts)] : []));
    expect(sortChanges(changes.toReversed())).toEqual(changes);
    expect(totalsOf(changes, []).now).toBe(changes.length);
    const acting = changes.filter(({ action, heldAction }) => action !== 'none' || heldAction !== 'none');
    for (const change of acting) {
      const others = changes.filter((each) => each !== change);
      expect(planHash(policy.hash, others)).not.toBe(planHash(policy.hash, changes));
    }
  });

  it('enabling a prerequisite brings a follow-up of every kind that waits for it', () => {
    const policy = policyOf(`computeOptimizer: Active, automation: Active, ${THIRD}: Active`);
    const found = assess(
      contextOf({ policy }),
      MEMBER,
      byKind(() => seen('Inactive')),
      null,
    );
    const changes = ENROLLMENT_IDS.map((id) => toChange(found[id], MEMBER));
    expect(changes.map(({ verdict }) => verdict)).toEqual(['Drifted', 'Blocked', 'Unmanaged', 'Blocked']);
    const [first] = changes;
    const followUps = followUpsOf(changes, first === undefined ? [] : [first], NOW);
    expect(followUps.map(({ enrollment }) => enrollment)).toEqual(['automation', THIRD]);
  });

  it('a record from before the kind is read with no condition for it', () => {
    const { [THIRD]: _, ...older } = toStoredRecord(emptyRecord(MEMBER_ID));
    if (!isStoredRecord(older)) expect.fail('not a stored record');
    expect(fromStoredRecord(older)).toEqual(emptyRecord(MEMBER_ID));
  });

  it.each(POLICY_HASHES)('the example policy %s, which does not mention the kind, keeps its hash', (name, hash) => {
    expect(hashOfExample(name)).toBe(hash);
  });

  it('the hash of a policy depends on the kind once the policy manages it', () => {
    const without = policyOf('computeOptimizer: Active').hash;
    expect(policyOf(`computeOptimizer: Active, ${THIRD}: unmanaged`).hash).toBe(without);
    expect(policyOf(`computeOptimizer: Active, ${THIRD}: Active`).hash).not.toBe(without);
    const rule = `rules: [{ id: all, match: { ou: / }, ${THIRD}: unmanaged }]`;
    const other = 'rules: [{ id: all, match: { ou: / }, automation: unmanaged }]';
    expect(policyOf('computeOptimizer: Active', rule).hash).not.toBe(policyOf('computeOptimizer: Active', other).hash);
  });

  it('a policy file, a work message and a CloudTrail event may name it', () => {
    const policy = policyOf('computeOptimizer: Active', `rules: [{ id: all, match: { ou: / }, ${THIRD}: Active }]`);
    expect(policy.resolve(MEMBER)[THIRD]).toEqual({ value: 'Active', rule: 'all' });
    expect(policy.explain(MEMBER).rules[0]?.decided).toEqual([THIRD]);
    expect(DESIRED_FIELDS).toContain(THIRD);
    const contradiction = policyOf(
      `${THIRD}: Active`,
      'rules: [{ id: all, match: { ou: / }, computeOptimizer: Inactive }]',
    );
    expect(contradiction.resolve(MEMBER).contradiction).toMatchObject({ enrollments: [THIRD] });
    const common = { v: 1, policyHash: 'a', runId: 'run-1', planHash: null };
    const message = { ...common, kind: 'account', accountId: MEMBER_ID, enrollment: THIRD };
    expect(workMessageSchema.parse(message)).toEqual(message);
    // Compute Optimizer has an operation of the same name.
    const event = {
      'detail-type': 'AWS API Call via CloudTrail',
      source: 'aws.fake-service',
      account: MEMBER_ID,
      detail: {
        eventSource: FAKE_KIND.eventSources[0],
        eventName: 'UpdateEnrollmentStatus',
        recipientAccountId: MEMBER_ID,
      },
    };
    expect(parseCloudTrailEvent(event, CALLER.organizationId)).toMatchObject({
      kind: 'enrollment',
      enrollment: THIRD,
      accountIds: [MEMBER_ID],
      wide: false,
    });
  });
});
