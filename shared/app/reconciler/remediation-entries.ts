import type { AccountRecord } from '../../domain/account/record.ts';
import { accountEntry, facetOf, facetOfCondition } from '../../domain/account/transition.ts';
import type { Assessment } from '../../domain/enrollment/verdict.ts';
import type { Detail, EntryDraft } from '../../domain/ledger/entry.ts';
import { toIso } from '../../domain/time.ts';
import type { Failure } from './error-policy.ts';
import { entryContext, type WorkContext } from './worker-context.ts';

/** An account that a call is to change, and the record on which its assessment is based. */
export interface Candidate {
  readonly record: AccountRecord;
  readonly assessment: Assessment;
  /** For the entry that may be the first to record its drift: who changed the account. */
  readonly detail?: Detail;
}

/** The change of one account, from its intent to its outcome. */
export interface Remediation extends Candidate {
  readonly runId: string;
  /** `null`: the change failed before its intent was written. */
  readonly intentId: string | null;
  readonly clientToken: string | null;
  /** All accounts of the batch call; `null`: it is not part of one. */
  readonly batch: readonly string[] | null;
  /** The hash of the approved plan that the change belongs to; `null` or absent: none, so the change counts against `maxChanges`. */
  readonly approvedPlan?: string | null;
  /** No request was sent for it. A change that was never sent does not count against the caps. */
  readonly unsent?: boolean;
}

/** Failed attempts of the same drift so far. */
export const attemptsOf = ({ record, assessment }: Candidate): number =>
  record.conditions[assessment.enrollment]?.attempts ?? 0;

const beforeOf = ({ record, assessment }: Remediation) => {
  const condition = record.conditions[assessment.enrollment];
  return condition === null ? null : facetOfCondition(condition);
};

/** `RemediationStarted`: durable before the call (invariant 2), and the claim that keeps other workers away. */
export function intentEntry(work: WorkContext, remediation: Remediation): EntryDraft {
  const { assessment, runId, intentId, clientToken, batch, approvedPlan = null, detail } = remediation;
  if (intentId === null) throw new Error('an intent needs an id');
  const { accountId, enrollment, action, scope, target, optOut, rule, reason } = assessment;
  const claimExpiresAt = toIso(work.deps.clock.now() + work.settings.claimMs);
  const entry = accountEntry(entryContext(work, runId), 'RemediationStarted', accountId, enrollment, {
    before: beforeOf(remediation),
    after: facetOf({ ...assessment, notBefore: null }, attemptsOf(remediation)),
    reason,
    rule,
    api: { operation: action, requestId: null, clientToken },
    detail: {
      claimExpiresAt,
      scope,
      target,
      optOut,
      ...(approvedPlan === null ? {} : { approvedPlan }),
      ...(batch === null ? {} : { batch }),
      ...detail,
    },
  });
  return { ...entry, id: intentId };
}

/** `RemediationSucceeded`: AWS accepted the change. Only an observation makes the account Compliant. */
export function successEntry(
  work: WorkContext,
  remediation: Remediation,
  answer: { readonly requestId: string | null; readonly message: string | null },
): EntryDraft {
  const { assessment, runId, intentId, clientToken } = remediation;
  const deadline = work.deps.clock.now() + work.policy.policy.pendingDeadlineMs;
  const acted: Assessment = { ...assessment, verdict: 'Converging', reason: 'acted', notBefore: null, deadline };
  const { accountId, enrollment, action, optOut, rule } = assessment;
  return accountEntry(entryContext(work, runId), 'RemediationSucceeded', accountId, enrollment, {
    before: beforeOf(remediation),
    after: facetOf(acted, attemptsOf(remediation)),
    reason: 'acted',
    rule,
    api: { operation: action, requestId: answer.requestId, clientToken },
    detail: { ...closes(intentId), optOut, ...(answer.message === null ? {} : { message: answer.message }) },
  });
}

/** `RemediationFailed` or `RemediationBlocked`: the failure, and what happens next. */
export function failureEntry(
  work: WorkContext,
  remediation: Remediation,
  { outcome, error, seen }: Failure,
): EntryDraft {
  const { assessment, runId, intentId, clientToken, unsent = false } = remediation;
  const { verdict, reason, notBefore, attempts } = outcome;
  const { accountId, enrollment, action, rule } = assessment;
  const { kind, code, message, requestId } = error;
  const type = verdict === 'Blocked' ? 'RemediationBlocked' : 'RemediationFailed';
  const neverSent = intentId !== null && unsent ? { unsent } : {};
  return accountEntry(entryContext(work, runId), type, accountId, enrollment, {
    before: beforeOf(remediation),
    after: facetOf({ ...assessment, ...seen, verdict, reason, notBefore, deadline: null }, attempts),
    reason,
    rule,
    // Without an intent, a step before the call failed: a read, or assuming the role.
    api: { operation: intentId === null ? (error.operation ?? action) : action, requestId, clientToken },
    detail: { ...closes(intentId), ...neverSent, message, error: { kind, code, message } },
  });
}

const closes = (intentId: string | null) => (intentId === null ? {} : { intentId });
