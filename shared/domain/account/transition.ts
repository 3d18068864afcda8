import { backoffMs } from '../enrollment/backoff.ts';
import type { Condition, Facet } from '../enrollment/condition.ts';
import { isSameConfiguration } from '../enrollment/governing-configuration.ts';
import { ENROLLMENT_IDS, type EnrollmentId } from '../enrollment/kinds/index.ts';
import type { EpochMs } from '../enrollment/model.ts';
import type { Assessment, Verdict } from '../enrollment/verdict.ts';
import type { Detail, EntryDraft } from '../ledger/entry.ts';
import type { EntryType } from '../ledger/entry-types.ts';
import { toIso } from '../time.ts';
import { contestMessage, isReverted, reversionsWith } from './flapping.ts';
import { type AccountRecord, afterLeaving } from './record.ts';

/** The fields that all audit log entries of one unit of work share. */
export interface EntryContext {
  readonly newId: () => string;
  readonly now: EpochMs;
  readonly actor: string;
  readonly runId: string | null;
  readonly policyHash: string | null;
  /** [0, 1): spreads retry delays. Absent: every delay has its maximum length. */
  readonly random?: () => number;
}

const iso = (time: EpochMs | null): string | null => (time === null ? null : toIso(time));

/** A new kind adds no entries to a ledger whose policies never mention it. */
const isAboutPolicy = ({ reason }: Assessment): boolean => reason !== 'notInPolicy';

/** @param attempts failed calls for the same drift */
export function facetOf(assessment: Assessment, attempts: number): Facet {
  return {
    verdict: assessment.verdict,
    reason: assessment.reason,
    status: assessment.status,
    ruleMode: assessment.ruleMode,
    ...(assessment.ruleModeSource && { ruleModeSource: assessment.ruleModeSource }),
    lastUpdated: iso(assessment.lastUpdated),
    desired: assessment.desired.status,
    desiredRuleMode: assessment.desired.ruleMode,
    notBefore: iso(assessment.notBefore),
    deadline: iso(assessment.deadline),
    attempts,
  };
}

export function facetOfCondition(condition: Condition): Facet {
  const { verdict, reason, status, ruleMode, ruleModeSource, lastUpdated } = condition;
  const { desired, desiredRuleMode, notBefore, deadline, attempts } = condition;
  return {
    verdict,
    reason,
    status,
    ruleMode,
    ...(ruleModeSource && { ruleModeSource }),
    lastUpdated,
    desired,
    desiredRuleMode,
    notBefore,
    deadline,
    attempts,
  };
}

export function accountEntry(
  context: EntryContext,
  type: EntryType,
  accountId: string,
  enrollment: EnrollmentId | null,
  rest: Partial<Pick<EntryDraft, 'before' | 'after' | 'reason' | 'rule' | 'api' | 'detail' | 'actor'>>,
): EntryDraft {
  return {
    id: context.newId(),
    chain: accountId,
    at: toIso(context.now),
    type,
    accountId,
    enrollment,
    runId: context.runId,
    actor: context.actor,
    before: null,
    after: null,
    reason: null,
    rule: null,
    policyHash: context.policyHash,
    api: null,
    detail: null,
    ...rest,
  };
}

/** A change of any of these fields is recorded. Times are left out: they change with every scan, so each scan would write every account. */
const RECORDED = ['verdict', 'reason', 'status', 'ruleMode', 'desired', 'desiredRuleMode'] as const;

function isRecorded(condition: Condition, facet: Facet): boolean {
  return (
    RECORDED.every((field) => condition[field] === facet[field]) &&
    isSameConfiguration(condition.ruleModeSource, facet.ruleModeSource)
  );
}

/** A policy can leave the state as it is and name another rule for it. An assessment without a rule says nothing about it. */
function isSameRule(condition: Condition, { rule }: Assessment): boolean {
  return rule === null || rule === condition.rule;
}

/** What an entry says that records nothing but another rule; `null`: the assessment's own message, if any, says it. */
function ruleText(condition: Condition | null, facet: Facet, { rule }: Assessment): string | null {
  if (condition === null || condition.rule === null || rule === null || !isRecorded(condition, facet)) return null;
  return `decided by ${rule} instead of ${condition.rule}`;
}

/** Verdicts with an entry type of their own. */
const OWN_TYPE: Partial<Record<Verdict, EntryType>> = {
  Blocked: 'RemediationBlocked',
  Stalled: 'ConvergenceStalled',
};

/** A drift is detected once and resolved once (invariant 1). In between, only a change of its verdict is recorded. */
function entryTypeFor(condition: Condition | null, { verdict, reason }: Assessment): EntryType {
  const open = (condition?.driftSince ?? null) !== null;
  if (reason === 'contested' && condition?.contested === undefined) return 'FlapDetected';
  if (verdict === 'Compliant') return open ? 'DriftResolved' : 'VerdictChanged';
  if (verdict === 'Drifted') return open ? 'VerdictChanged' : 'DriftDetected';
  return condition?.verdict === verdict ? 'VerdictChanged' : (OWN_TYPE[verdict] ?? 'VerdictChanged');
}

/**
 * The entry that moves the recorded condition to the new assessment; `null` if nothing has changed, or while a worker holds a
 * claim on the enrollment: only that worker records the result.
 */
export function transition(
  context: EntryContext,
  record: AccountRecord,
  assessment: Assessment,
  detail: Detail = {},
): EntryDraft | null {
  const condition = record.conditions[assessment.enrollment];
  if (condition?.claim) return null;
  const attempts = attemptsAfter(condition, assessment, context.policyHash);
  const facet = facetOf(assessment, attempts);
  const isKnown =
    condition === null ? !isAboutPolicy(assessment) : isRecorded(condition, facet) && isSameRule(condition, assessment);
  if (isKnown) return null;
  const failure = condition === null ? null : failedAttempt(context, condition, assessment, facet);
  const type = failure?.type ?? entryTypeFor(condition, assessment);
  const after = failure?.after ?? facet;
  const message =
    type === 'FlapDetected'
      ? contestText(context, condition, facet, detail)
      : (ruleText(condition, facet, assessment) ?? assessment.message);
  return accountEntry(context, type, assessment.accountId, assessment.enrollment, {
    before: condition === null ? null : facetOfCondition(condition),
    after,
    reason: after.reason,
    rule: assessment.rule,
    detail: message === null ? detail : { ...detail, message },
  });
}

/** The message of `FlapDetected`. It names the actor of the last reversion, which only the entry's detail contains, not the assessment. */
function contestText({ now }: EntryContext, condition: Condition | null, facet: Facet, { changedBy }: Detail): string {
  const desired = { status: facet.desired, ruleMode: facet.desiredRuleMode };
  return contestMessage(
    reversionsWith(condition, isReverted(condition, facet, desired), changedBy?.actor ?? null, now),
  );
}

/**
 * A change that AWS accepted but that failed later: AWS reports Failed, or the deadline passed without a result.
 * It counts as a failed attempt, so the next call waits for the retry delay.
 */
function failedAttempt(
  context: EntryContext,
  condition: Condition,
  assessment: Assessment,
  facet: Facet,
): { readonly type: EntryType; readonly after: Facet } | null {
  const attempts = facet.attempts + 1;
  const notBefore = toIso(context.now + backoffMs(attempts, context.random ?? (() => 1)));
  if (assessment.verdict === 'Stalled' && condition.verdict !== 'Stalled') {
    return { type: 'ConvergenceStalled', after: { ...facet, notBefore, attempts } };
  }
  if (!hasFailed(condition, assessment)) return null;
  return { type: 'RemediationFailed', after: { ...facet, reason: 'retrying', notBefore, attempts } };
}

/** Whether AWS now reports Failed for a change that was in progress. */
export function hasFailed(condition: Condition | null, { status, action }: Assessment): boolean {
  if (condition?.verdict !== 'Converging' || condition.driftSince === null) return false;
  return status === 'Failed' && action !== 'none';
}

/** Failed attempts count per drift, policy and desired state; a change of any of them resets the count. */
function attemptsAfter(condition: Condition | null, assessment: Assessment, policyHash: string | null): number {
  if (condition === null || assessment.verdict === 'Compliant' || condition.policyHash !== policyHash) return 0;
  const sameDesired =
    condition.desired === assessment.desired.status && condition.desiredRuleMode === assessment.desired.ruleMode;
  return sameDesired ? condition.attempts : 0;
}

/** Verdicts of a new account that `AccountJoined` records, without an entry of their own. */
const IN_JOIN_ENTRY: ReadonlySet<Verdict> = new Set([
  'NotApplicable',
  'Unmanaged',
  'Suspended',
  'Exempt',
  'Unknown',
  'Converging',
  'Compliant',
]);

/** The first entry of an account's chain, or the first after the account has returned. */
export function joined(
  context: EntryContext,
  account: { readonly id: string; readonly name: string; readonly ou: string; readonly state: string },
  assessments: Readonly<Record<EnrollmentId, Assessment>>,
): EntryDraft {
  const facets: Partial<Record<EnrollmentId, Facet>> = {};
  const rules: Partial<Record<EnrollmentId, string>> = {};
  for (const assessment of ENROLLMENT_IDS.map((id) => assessments[id])) {
    if (!IN_JOIN_ENTRY.has(assessment.verdict) || !isAboutPolicy(assessment) || isBeingChanged(assessment)) continue;
    facets[assessment.enrollment] = facetOf(assessment, 0);
    if (assessment.rule !== null) rules[assessment.enrollment] = assessment.rule;
  }
  const { name, ou, state } = account;
  return accountEntry(context, 'AccountJoined', account.id, null, {
    detail: { account: { name, ou, state }, facets, rules },
  });
}

/** Whether a worker holds a claim on the enrollment. Only that worker records the result. */
function isBeingChanged({ verdict, deadline }: Assessment): boolean {
  return verdict === 'Converging' && deadline === null;
}

/** The entry for an account that is missing from a complete listing of the organization. */
export function left(context: EntryContext, record: AccountRecord): EntryDraft {
  const facets: Partial<Record<EnrollmentId, Facet>> = {};
  for (const id of ENROLLMENT_IDS) {
    const condition = record.conditions[id];
    if (condition !== null) facets[id] = afterLeaving(facetOfCondition(condition));
  }
  const detail = { facets, message: 'no longer in the organization' };
  return accountEntry(context, 'AccountLeft', record.accountId, null, { reason: 'accountNotActive', detail });
}
