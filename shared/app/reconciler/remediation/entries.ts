import type { AccountRecord } from '../../../domain/account/record.ts';
import { accountEntry, facetOf, facetOfCondition } from '../../../domain/account/transition.ts';
import type { EpochMs } from '../../../domain/enrollment/model.ts';
import type { Assessment } from '../../../domain/enrollment/verdict.ts';
import type { EntryDraft } from '../../../domain/ledger/entry.ts';
import type { CloudError } from '../../../ports/cloud.ts';
import { entryContext, type WorkContext } from '../worker-context.ts';
import type { FailureOutcome } from './error-policy.ts';

/** What a mutating call is about, from its intent to its outcome. */
export interface Remediation {
  readonly runId: string;
  readonly assessment: Assessment;
  readonly record: AccountRecord;
  /** `null`: it failed before there was anything to claim. */
  readonly intentId: string | null;
  readonly clientToken: string | null;
  /** The other accounts of the same call, if there are any. */
  readonly batch: readonly string[] | null;
  /** Certainly no request was sent for it. A change that was never sent does not count against the caps. */
  readonly unsent?: boolean;
}

const attemptsOf = ({ record, assessment }: Remediation): number =>
  record.conditions[assessment.enrollment]?.attempts ?? 0;

const beforeOf = ({ record, assessment }: Remediation) => {
  const condition = record.conditions[assessment.enrollment];
  return condition === null ? null : facetOfCondition(condition);
};

/** `RemediationStarted`: durable before the call (invariant 2), and the claim that keeps other workers away. */
export function intentEntry(work: WorkContext, undertaking: Remediation): EntryDraft {
  const { assessment, runId, intentId, clientToken, batch } = undertaking;
  if (intentId === null) throw new Error('an intent needs an id');
  const { action, scope, target, optOut, rule, reason } = assessment;
  const expiresAt = work.deps.clock.now() + work.settings.claimMs;
  const entry = accountEntry(
    entryContext(work, runId),
    'RemediationStarted',
    assessment.accountId,
    assessment.enrollment,
    {
      before: beforeOf(undertaking),
      after: facetOf({ ...assessment, notBefore: null }, attemptsOf(undertaking)),
      reason,
      rule,
      api: { operation: action, requestId: null, clientToken },
      detail: {
        claimExpiresAt: new Date(expiresAt).toISOString(),
        scope,
        target,
        optOut,
        ...(batch === null ? {} : { batch }),
      },
    },
  );
  return { ...entry, id: intentId };
}

/** `RemediationSucceeded`: the call was answered. Nothing is Compliant yet: that takes an observation. */
export function successEntry(
  work: WorkContext,
  undertaking: Remediation,
  answer: { readonly requestId: string | null; readonly message: string | null },
): EntryDraft {
  const { assessment, runId, intentId, clientToken } = undertaking;
  const deadline: EpochMs = work.deps.clock.now() + work.policy.policy.pendingDeadlineMs;
  const acted: Assessment = { ...assessment, verdict: 'Converging', reason: 'acted', notBefore: null, deadline };
  const { accountId, enrollment, action, optOut, rule } = assessment;
  return accountEntry(entryContext(work, runId), 'RemediationSucceeded', accountId, enrollment, {
    before: beforeOf(undertaking),
    after: facetOf(acted, attemptsOf(undertaking)),
    reason: 'acted',
    rule,
    api: { operation: action, requestId: answer.requestId, clientToken },
    detail: { ...closes(intentId), optOut, ...(answer.message === null ? {} : { message: answer.message }) },
  });
}

/** `RemediationFailed` or `RemediationBlocked`: what came of it, and what happens next. */
export function failureEntry(
  work: WorkContext,
  undertaking: Remediation,
  fate: Pick<FailureOutcome, 'verdict' | 'reason' | 'notBefore' | 'attempts'>,
  error: ErrorFacts,
): EntryDraft {
  const { assessment, runId, intentId, clientToken } = undertaking;
  const { verdict, reason, notBefore, attempts } = fate;
  const { accountId, enrollment, action, rule } = assessment;
  const { kind, code, message, requestId } = error;
  const type = verdict === 'Blocked' ? 'RemediationBlocked' : 'RemediationFailed';
  return accountEntry(entryContext(work, runId), type, accountId, enrollment, {
    before: beforeOf(undertaking),
    after: facetOf({ ...assessment, verdict, reason, notBefore, deadline: null }, attempts),
    reason,
    rule,
    // A call that never began failed in something that comes before it: a read, or assuming the role.
    api: { operation: intentId === null ? (error.operation ?? action) : action, requestId, clientToken },
    detail: { ...closes(intentId), ...neverSent(undertaking), message, error: { kind, code, message } },
  });
}

const neverSent = ({ intentId, unsent }: Remediation) => (intentId !== null && unsent === true ? { unsent } : {});

const closes = (intentId: string | null) => (intentId === null ? {} : { intentId });

/** What an entry keeps of an error. */
export interface ErrorFacts {
  readonly kind: string;
  readonly code: string;
  readonly message: string;
  readonly requestId: string | null;
  readonly operation: string | null;
}

export function errorFacts(error: CloudError): ErrorFacts {
  const { code, requestId, operation } = error.details;
  return { kind: error.kind, code, message: error.message, requestId, operation };
}

/** Whether this undertaking still holds its claim; otherwise someone has found out and closed it for us. */
export function holdsClaim(record: AccountRecord, { assessment, intentId }: Remediation): boolean {
  return record.conditions[assessment.enrollment]?.claim?.entryId === intentId;
}
