import type { AccountRecord } from '../../domain/account/record.ts';
import { accountEntry, facetOfCondition } from '../../domain/account/transition.ts';
import { desiredOf } from '../../domain/decision/assess.ts';
import { nextPollMs } from '../../domain/enrollment/backoff.ts';
import type { Condition } from '../../domain/enrollment/condition.ts';
import type { EnrollmentId } from '../../domain/enrollment/kinds/index.ts';
import { mismatchOf } from '../../domain/enrollment/mismatch.ts';
import type { EntryDraft } from '../../domain/ledger/entry.ts';
import type { OrganizationAccount } from '../../domain/policy/index.ts';
import { toIso } from '../../domain/time.ts';
import { CloudError, type Observed } from '../../ports/cloud.ts';
import { readLive } from './observe-live.ts';
import { entryContext, type WorkContext } from './worker-context.ts';

/**
 * Writes the outcome of an intent whose worker died before it could, from the live state. If the account can no longer be read (closed, or
 * access denied), the outcome says that the result is unknown: every intent has an outcome (invariant 2).
 * @returns the record after the outcome; `null` if the state cannot be read now. The account is then polled again, more and more rarely.
 */
export async function recoverClaim(
  work: WorkContext,
  runId: string,
  facts: OrganizationAccount,
  enrollment: EnrollmentId,
  known: AccountRecord,
): Promise<AccountRecord | null> {
  const { claim = null } = known.conditions[enrollment] ?? {};
  if (claim === null) return known;
  const close = async (found: Found): Promise<AccountRecord> => {
    const decide = (record: AccountRecord): EntryDraft[] => {
      const condition = record.conditions[enrollment];
      if (condition === null || condition.claim === null || condition.claim.entryId !== claim.entryId) return [];
      return [outcomeEntry(work, runId, facts.id, enrollment, condition, found)];
    };
    return (await work.writer.write(facts.id, decide, known)).record;
  };
  if (facts.state !== 'ACTIVE' && facts.state !== 'UNKNOWN') return close('closed');
  try {
    const live = await readLive(work, facts.id, enrollment);
    const condition = known.conditions[enrollment];
    const happened = isDesired(work, facts, enrollment, live) || (condition !== null && hasMoved(condition, live));
    return await close(happened ? 'happened' : 'nothing');
  } catch (error) {
    if (!(error instanceof CloudError) || error.kind === 'Unauthenticated') throw error;
    if (!error.passing) return close('unreadable');
    const now = work.deps.clock.now();
    await work.deps.records.snooze(facts.id, known.head.seq, now + nextPollMs(now - Date.parse(claim.startedAt)));
    return null;
  }
}

/** Closes a claim on an account that has left the organization and can no longer be read. */
export async function abandonClaim(
  work: WorkContext,
  runId: string,
  enrollment: EnrollmentId,
  known: AccountRecord,
): Promise<AccountRecord> {
  const decide = (record: AccountRecord): EntryDraft[] => {
    const condition = record.conditions[enrollment];
    if (record.present || condition?.claim == null) return [];
    return [outcomeEntry(work, runId, record.accountId, enrollment, condition, 'gone')];
  };
  return (await work.writer.write(known.accountId, decide, known)).record;
}

function isDesired(
  { policy }: WorkContext,
  facts: OrganizationAccount,
  enrollment: EnrollmentId,
  live: Observed,
): boolean {
  if (!policy.canDecide(facts)) return false;
  return mismatchOf(desiredOf(policy.resolve(facts), facts, enrollment), live) === null;
}

/** Whether AWS reports a state other than the one before the intent. */
function hasMoved(condition: Condition, live: Observed): boolean {
  const lastUpdated = live.lastUpdated === null ? null : toIso(live.lastUpdated);
  return (
    live.status !== condition.status || live.ruleMode !== condition.ruleMode || lastUpdated !== condition.lastUpdated
  );
}

const FOUND = {
  happened: 'recovered: the worker ended before it wrote an outcome; the live state has changed since the intent',
  nothing:
    'recovered: the worker ended before it wrote an outcome; the live state is unchanged, so the account is assessed again',
  gone: 'recovered: the worker ended before it wrote an outcome; the account has left the organization and cannot be read',
  closed: 'recovered: the worker ended before it wrote an outcome; the account was closed since and cannot be read',
  unreadable:
    'recovered: the worker ended before it wrote an outcome; the account cannot be read, so it is not known whether it was changed',
} as const;
type Found = keyof typeof FOUND;

function outcomeEntry(
  work: WorkContext,
  runId: string,
  accountId: string,
  enrollment: EnrollmentId,
  condition: Condition,
  found: Found,
): EntryDraft {
  const { claim } = condition;
  const happened = found === 'happened';
  const message = FOUND[found];
  const before = facetOfCondition(condition);
  const deadline = toIso(work.deps.clock.now() + work.policy.policy.pendingDeadlineMs);
  const after = happened ? { ...before, verdict: 'Converging' as const, reason: 'acted' as const, deadline } : before;
  const type = happened ? 'RemediationSucceeded' : 'RemediationFailed';
  return accountEntry(entryContext(work, runId), type, accountId, enrollment, {
    before,
    after,
    reason: after.reason,
    rule: condition.rule,
    api: { operation: claim?.operation ?? 'unknown', requestId: null, clientToken: claim?.clientToken ?? null },
    detail: { ...(claim === null ? {} : { intentId: claim.entryId, optOut: claim.optOut }), message },
  });
}
