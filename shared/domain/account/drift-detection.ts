import type { Condition, Facet } from '../enrollment/condition.ts';
import { differs } from '../enrollment/mismatch.ts';
import type { ReasonCode } from '../enrollment/reason-codes.ts';
import { isDrift } from '../enrollment/verdict.ts';
import type { EntryDraft } from '../ledger/entry.ts';
import type { AccountRecord } from './record.ts';

/** Whether an entry with the facet `after` is the first to record a drift, even if the fix is delayed. */
export function beginsDrift(condition: Condition | null, after: Pick<Facet, 'verdict'>): boolean {
  return (condition?.driftSince ?? null) === null && isDrift(after.verdict);
}

/**
 * Inserts `DriftDetected` before an entry that is the first to record a drift but has another type, e.g. `RemediationBlocked`.
 * The ledger writer passes every entry of an account through here, so no use case can forget the detection.
 */
export function withDetection(record: AccountRecord, draft: EntryDraft, newId: () => string): readonly EntryDraft[] {
  const { enrollment, after, type } = draft;
  if (type === 'DriftDetected' || enrollment === null || after === null) return [draft];
  // The account has left the organization since the call was made, so it can no longer drift.
  if (!record.present && record.conditions[enrollment]?.verdict === 'NotApplicable') return [draft];
  if (!beginsDrift(record.conditions[enrollment], after)) return [draft];
  const { changedBy, ...detail } = draft.detail ?? {};
  const observed = detected(after, draft.before);
  const detection: EntryDraft = {
    ...draft,
    id: newId(),
    type: 'DriftDetected',
    after: observed,
    reason: observed.reason,
    api: null,
    detail: changedBy === undefined ? {} : { changedBy },
  };
  return [detection, { ...draft, before: observed, detail: draft.detail === null ? null : detail }];
}

/**
 * The observed state, without the reason that delays the fix. The deadline of a Pending is kept; otherwise a crash before the
 * next entry would make the next scan grant the full period again.
 */
function detected(after: Facet, before: Facet | null): Facet {
  const reason = mismatchIn(after);
  return { ...after, verdict: 'Drifted', reason, notBefore: null, attempts: before?.attempts ?? 0 };
}

function mismatchIn({ status, ruleMode, desired, desiredRuleMode }: Facet): ReasonCode {
  if (status === 'Failed') return 'enrollmentFailed';
  const desiredState = { status: desired, ruleMode: desiredRuleMode };
  return (status === null ? null : differs(desiredState, { status, ruleMode })) ?? 'statusDiffers';
}
