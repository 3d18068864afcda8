import { type AccountRecord, foldEntry } from '../../../../shared/domain/account/record.ts';
import { accountEntry, type EntryContext, transition } from '../../../../shared/domain/account/transition.ts';
import type { Observation } from '../../../../shared/domain/enrollment/model.ts';
import type { Assessment } from '../../../../shared/domain/enrollment/verdict.ts';
import { type EntryDraft, sealEntry } from '../../../../shared/domain/ledger/entry.ts';
import { ACTIVE_POLICY, condition, iso, judged, MEMBER_ID, NOW, recordOf, seen } from '../../../support/domain-kit.ts';

let ids = 0;

export function at(now: number, policyHash: string = ACTIVE_POLICY.hash): EntryContext {
  return { newId: () => `id-${ids++}`, now, actor: 'rollcall', runId: 'run-1', policyHash };
}

export function fold(record: AccountRecord, draft: EntryDraft | null): AccountRecord {
  return draft === null ? record : foldEntry(record, sealEntry(draft, record.head));
}

/** The assessment of Compute Optimizer at `now`, given `record`. */
export function assessOne(
  record: AccountRecord,
  observation: Observation,
  now = NOW,
  policy = ACTIVE_POLICY,
): Assessment {
  return judged({ record, computeOptimizer: observation, now, policy }).computeOptimizer;
}

/** Assesses and records. @returns the entry's type (or null) and the record after it */
export function step(
  record: AccountRecord,
  observation: Observation,
  now = NOW,
): readonly [string | null, AccountRecord] {
  const draft = transition(at(now), record, assessOne(record, observation, now));
  return [draft?.type ?? null, fold(record, draft)];
}

export function started(record: AccountRecord, now: number, rest: Partial<EntryDraft['detail']> = {}): EntryDraft {
  const current = record.conditions.computeOptimizer;
  return accountEntry(at(now), 'RemediationStarted', MEMBER_ID, 'computeOptimizer', {
    after: current,
    api: { operation: 'UpdateEnrollmentStatus', requestId: null, clientToken: 'token' },
    detail: { claimExpiresAt: iso(now + 60_000), optOut: false, ...rest },
  });
}

export function outcome(
  record: AccountRecord,
  type: EntryDraft['type'],
  now: number,
  rest: Partial<Assessment>,
  more = {},
) {
  const before = assessOne(recordOf({}), seen('Inactive'), now);
  const { verdict, reason, notBefore, deadline } = { ...before, ...rest };
  const after = {
    ...condition(),
    verdict,
    reason,
    notBefore: null,
    deadline: deadline === null ? null : iso(deadline),
  };
  const stamped = { ...after, notBefore: notBefore === null ? null : iso(notBefore) };
  const detail = { intentId: record.conditions.computeOptimizer?.claim?.entryId ?? 'none', ...more };
  return accountEntry(at(now), type, MEMBER_ID, 'computeOptimizer', {
    after: stamped,
    detail,
    api: { operation: 'UpdateEnrollmentStatus', requestId: 'r', clientToken: null },
  });
}
