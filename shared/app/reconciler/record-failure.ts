import type { AccountRecord } from '../../domain/account/record.ts';
import { nextPollMs } from '../../domain/enrollment/backoff.ts';
import type { Condition } from '../../domain/enrollment/condition.ts';
import type { EnrollmentId } from '../../domain/enrollment/kinds/index.ts';
import type { AccountId } from '../../domain/enrollment/model.ts';
import type { Assessment } from '../../domain/enrollment/verdict.ts';
import type { CloudError } from '../../ports/cloud.ts';
import type { WorkOutcome } from '../context.ts';
import { recordFailure } from './claims.ts';
import { type ErrorFacts, errorFacts, type Failure, failureOutcome } from './error-policy.ts';
import { attemptsOf } from './remediation-entries.ts';
import { keepPolls } from './schedule-recheck.ts';
import { type AccountMessage, NO_RESULT, type WorkContext, type WorkResult } from './worker-context.ts';

export function ended(accountId: AccountId, outcome: WorkOutcome): WorkResult {
  return { ...NO_RESULT, outcomes: [{ accountId, outcome }] };
}

/** The result of a message whose account failed. The dead letter names the account's last entry, which records the failure. */
export function failureResult(accountId: AccountId, record: AccountRecord, { outcome, error }: Failure): WorkResult {
  if (!outcome.dead) return ended(accountId, outcome.verdict === 'Blocked' ? 'blocked' : 'retrying');
  const entryId = `${record.accountId}#${record.head.seq}`;
  return { ...ended(accountId, 'dead'), dead: { code: error.code, message: error.message, entryId } };
}

/** The account could not be read. The failure is recorded with the last known condition, and the key is retried or given up. */
export async function failRead(
  work: WorkContext,
  message: AccountMessage,
  record: AccountRecord,
  error: CloudError,
): Promise<WorkResult> {
  const condition = record.conditions[message.enrollment];
  // A scan records every account before it enqueues a key, so without a condition nothing has failed, and the next scan decides.
  if (condition === null) return ended(message.accountId, 'superseded');
  const { verdict } = condition;
  if (verdict === 'Converging' || verdict === 'Stalled') {
    // The call itself has not failed. A recorded failure would lead to a second call.
    const now = work.deps.clock.now();
    await work.deps.records.snooze(
      record.accountId,
      record.head.seq,
      now + nextPollMs(now - Date.parse(condition.since)),
    );
    return ended(message.accountId, 'converging');
  }
  // No remediation is due, so none has failed. If the status stays unreadable, the next scan records it.
  if (verdict !== 'Drifted' && verdict !== 'Blocked') return ended(message.accountId, 'nothingToDo');
  const assessment = remembered(message.accountId, message.enrollment, condition);
  return fail(work, message, record, assessment, error.kind, errorFacts(error));
}

/** AWS accepted the call, and reports Failed afterwards: a failed attempt like any other. */
export async function failVisibly(
  work: WorkContext,
  message: AccountMessage,
  record: AccountRecord,
  assessment: Assessment,
): Promise<WorkResult> {
  const reason = assessment.message ?? 'AWS gives no reason';
  const error: ErrorFacts = {
    kind: 'Transient',
    code: 'EnrollmentFailed',
    message: `AWS reports the enrollment as Failed: ${reason}`,
    requestId: null,
    operation: assessment.action,
  };
  return fail(work, message, record, assessment, 'Transient', error);
}

async function fail(
  work: WorkContext,
  { runId, accountId }: AccountMessage,
  record: AccountRecord,
  assessment: Assessment,
  kind: CloudError['kind'],
  error: ErrorFacts,
): Promise<WorkResult> {
  const outcome = failureOutcome({
    enrollment: assessment.enrollment,
    kind,
    attempts: attemptsOf({ record, assessment }),
    maxAttempts: work.settings.maxAttempts,
    now: work.deps.clock.now(),
    random: work.deps.random,
    lastUpdated: assessment.lastUpdated,
  });
  const failure = { outcome, error };
  const after = await recordFailure(work, runId, { record, assessment }, failure);
  await keepPolls(work, after);
  return failureResult(accountId, after, failure);
}

/** The last known condition in the shape of an assessment. */
function remembered(accountId: AccountId, enrollment: EnrollmentId, condition: Condition): Assessment {
  const { verdict, reason, status, ruleMode, desired, desiredRuleMode, rule } = condition;
  return {
    accountId,
    enrollment,
    verdict,
    reason,
    message: null,
    rule: rule ?? 'defaults',
    status,
    ruleMode,
    lastUpdated: condition.lastUpdated === null ? null : Date.parse(condition.lastUpdated),
    desired: { status: desired, ruleMode: desiredRuleMode },
    action: 'none',
    heldAction: 'none',
    scope: 'member',
    target: null,
    optOut: false,
    notBefore: null,
    deadline: null,
  };
}
