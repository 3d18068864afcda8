import { backoffMs } from '../enrollment/backoff.ts';
import type { Condition, Facet } from '../enrollment/condition.ts';
import { ENROLLMENT_IDS, type EnrollmentId } from '../enrollment/kinds/index.ts';
import type { EpochMs } from '../enrollment/model.ts';
import type { Assessment, Verdict } from '../enrollment/verdict.ts';
import type { Detail, EntryDraft, EntryType } from '../ledger/entry.ts';
import { toIso } from '../time.ts';
import { contestMessage, isSetBack, setBacksWith } from './flapping.ts';
import type { AccountRecord } from './record.ts';

/** What every entry of one piece of work shares. */
export interface EntryContext {
  readonly newId: () => string;
  readonly now: EpochMs;
  readonly actor: string;
  readonly runId: string | null;
  readonly policyHash: string | null;
  /** [0, 1): spreads the pauses after failures. Absent: every pause is as long as it may be. */
  readonly random?: () => number;
}

const iso = (time: EpochMs | null): string | null => (time === null ? null : toIso(time));

/** An assessment as an entry states it. `attempts` counts failed calls of the same drift. */
export function facetOf(assessment: Assessment, attempts: number): Facet {
  return {
    verdict: assessment.verdict,
    reason: assessment.reason,
    status: assessment.status,
    ruleMode: assessment.ruleMode,
    lastUpdated: iso(assessment.lastUpdated),
    desired: assessment.desired.status,
    desiredRuleMode: assessment.desired.ruleMode,
    notBefore: iso(assessment.notBefore),
    deadline: iso(assessment.deadline),
    attempts,
  };
}

/** The facet that a condition holds at present. */
export function facetOfCondition(condition: Condition): Facet {
  const { verdict, reason, status, ruleMode, lastUpdated, desired, desiredRuleMode, notBefore, deadline, attempts } =
    condition;
  return { verdict, reason, status, ruleMode, lastUpdated, desired, desiredRuleMode, notBefore, deadline, attempts };
}

/** A draft about one enrollment of one account. */
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

/**
 * Whether two facets say the same to a reader of the ledger. Times alone are no news: a deadline or a timestamp that is read
 * again at every scan must not write an entry, or writes would grow with accounts instead of with drift.
 */
function sameNews(a: Facet, b: Facet): boolean {
  return (
    a.verdict === b.verdict &&
    a.reason === b.reason &&
    a.status === b.status &&
    a.ruleMode === b.ruleMode &&
    a.desired === b.desired &&
    a.desiredRuleMode === b.desiredRuleMode
  );
}

/** Verdicts whose beginning has a name of its own. */
const NAMED: Partial<Record<Verdict, EntryType>> = {
  Blocked: 'RemediationBlocked',
  Stalled: 'ConvergenceStalled',
};

/**
 * A drift is detected once and ends once (invariant 1): while one is open, further findings are changes of it. The reason that delays the fix is an
 * entry of its own; if it is the first to record the drift, {@link withDetection} puts `DriftDetected` before it.
 */
function entryTypeFor(condition: Condition | null, { verdict, reason }: Assessment): EntryType {
  const open = (condition?.driftSince ?? null) !== null;
  if (reason === 'contested' && condition?.contested === undefined) return 'FlapDetected';
  if (verdict === 'Compliant') return open ? 'DriftResolved' : 'VerdictChanged';
  if (verdict === 'Drifted') return open ? 'VerdictChanged' : 'DriftDetected';
  return condition?.verdict === verdict ? 'VerdictChanged' : (NAMED[verdict] ?? 'VerdictChanged');
}

/**
 * The entry that turns what is remembered of an enrollment into what was found now; `null` if there is nothing to tell.
 * An open claim is its holder's to close: nothing is told while it lasts, whatever a scan sees meanwhile.
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
  const seen = facetOf(assessment, attempts);
  if (condition !== null && sameNews(condition, seen)) return null;
  const failed = condition === null ? null : failedAttempt(context, condition, assessment, seen);
  const type = failed?.type ?? entryTypeFor(condition, assessment);
  const after = failed?.after ?? seen;
  const message = type === 'FlapDetected' ? contestText(context, condition, seen, detail) : assessment.message;
  return accountEntry(context, type, assessment.accountId, assessment.enrollment, {
    before: condition === null ? null : facetOfCondition(condition),
    after,
    reason: after.reason,
    rule: assessment.rule,
    detail: message === null ? detail : { ...detail, message },
  });
}

/** The assessment's message, with the actor of the last reversion, which only the detail names. */
function contestText({ now }: EntryContext, condition: Condition | null, seen: Facet, { changedBy }: Detail): string {
  const wanted = { status: seen.desired, ruleMode: seen.desiredRuleMode };
  return contestMessage(setBacksWith(condition, isSetBack(condition, seen, wanted), changedBy?.actor ?? null, now));
}

/**
 * What was set going has visibly failed: AWS says Failed, or nothing came of it by the deadline. A failed attempt like any other, whoever
 * sees it first, a scan or a worker: it counts, and the next one waits for a pause that grows.
 */
function failedAttempt(
  context: EntryContext,
  condition: Condition,
  assessment: Assessment,
  seen: Facet,
): { readonly type: EntryType; readonly after: Facet } | null {
  const attempts = seen.attempts + 1;
  const notBefore = toIso(context.now + backoffMs(attempts, context.random ?? (() => 1)));
  if (assessment.verdict === 'Stalled' && condition.verdict !== 'Stalled') {
    return { type: 'ConvergenceStalled', after: { ...seen, notBefore, attempts } };
  }
  if (!hasFailedVisibly(condition, assessment)) return null;
  return { type: 'RemediationFailed', after: { ...seen, reason: 'retrying', notBefore, attempts } };
}

/** What was set going for an open drift has ended in Failed, be it seen right after our call or after a while of Pending. */
export function hasFailedVisibly(condition: Condition | null, { status, action }: Assessment): boolean {
  if (condition?.verdict !== 'Converging' || condition.driftSince === null) return false;
  return status === 'Failed' && action !== 'none';
}

/** Failed attempts count for one drift under one policy; anything else starts at none. */
function attemptsAfter(condition: Condition | null, assessment: Assessment, policyHash: string | null): number {
  if (condition === null || assessment.verdict === 'Compliant' || condition.policyHash !== policyHash) return 0;
  const sameWish =
    condition.desired === assessment.desired.status && condition.desiredRuleMode === assessment.desired.ruleMode;
  return sameWish ? condition.attempts : 0;
}

/** Verdicts that a first sight of an account records inside `AccountJoined`, without an entry of their own. */
const QUIET: ReadonlySet<Verdict> = new Set([
  'NotApplicable',
  'Unmanaged',
  'Suspended',
  'Exempt',
  'Unknown',
  'Converging',
  'Compliant',
]);

/** The first entry of an account's chain, or the one with which it comes back. */
export function joined(
  context: EntryContext,
  account: { readonly id: string; readonly name: string; readonly ou: string; readonly state: string },
  assessments: Readonly<Record<EnrollmentId, Assessment>>,
): EntryDraft {
  const facets: Partial<Record<EnrollmentId, Facet>> = {};
  const rules: Partial<Record<EnrollmentId, string>> = {};
  for (const assessment of ENROLLMENT_IDS.map((id) => assessments[id])) {
    if (!QUIET.has(assessment.verdict)) continue;
    facets[assessment.enrollment] = facetOf(assessment, 0);
    if (assessment.rule !== null) rules[assessment.enrollment] = assessment.rule;
  }
  const { name, ou, state } = account;
  return accountEntry(context, 'AccountJoined', account.id, null, {
    detail: { account: { name, ou, state }, facets, rules },
  });
}

/** The entry for an account that a complete snapshot no longer has. */
export function left(context: EntryContext, record: AccountRecord): EntryDraft {
  const gone = (condition: Condition): Facet => ({
    ...facetOfCondition(condition),
    verdict: 'NotApplicable',
    reason: 'accountNotActive',
    notBefore: null,
    deadline: null,
    attempts: 0,
  });
  const facets: Partial<Record<EnrollmentId, Facet>> = {};
  for (const id of ENROLLMENT_IDS) {
    const condition = record.conditions[id];
    if (condition !== null) facets[id] = gone(condition);
  }
  const detail = { facets, message: 'no longer in the organization' };
  return accountEntry(context, 'AccountLeft', record.accountId, null, { reason: 'accountNotActive', detail });
}
