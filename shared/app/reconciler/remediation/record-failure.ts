import type { AccountRecord } from '../../../domain/account/record.ts';
import { nextPollMs } from '../../../domain/enrollment/backoff.ts';
import type { Condition } from '../../../domain/enrollment/condition.ts';
import type { EnrollmentId } from '../../../domain/enrollment/kinds/index.ts';
import type { AccountId } from '../../../domain/enrollment/model.ts';
import type { Assessment } from '../../../domain/enrollment/verdict.ts';
import type { WorkMessage } from '../../../domain/work-message.ts';
import type { CloudError } from '../../../ports/cloud.ts';
import type { WorkOutcome } from '../../context.ts';
import { NOTHING, type WorkContext, type WorkResult } from '../worker-context.ts';
import { type ErrorFacts, errorFacts, failureEntry, type Remediation } from './entries.ts';
import { type FailureOutcome, fateOf } from './error-policy.ts';

type AccountMessage = Extract<WorkMessage, { kind: 'account' }>;

export function ended(accountId: AccountId, outcome: WorkOutcome): WorkResult {
  return { ...NOTHING, outcomes: [{ accountId, outcome }] };
}

/** What a failure means for the message. The dead letter names the account's last entry, which records the failure. */
export function failureResult(
  accountId: AccountId,
  record: AccountRecord,
  fate: FailureOutcome,
  error: Pick<ErrorFacts, 'code' | 'message'>,
): WorkResult {
  if (!fate.dead) return ended(accountId, fate.verdict === 'Blocked' ? 'blocked' : 'retrying');
  const entryId = `${record.accountId}#${record.head.seq}`;
  return { ...ended(accountId, 'dead'), dead: { code: error.code, message: error.message, entryId } };
}

/** The account could not even be read: recorded with what was last known of it, and tried again or given up. */
export async function failRead(
  work: WorkContext,
  message: AccountMessage,
  record: AccountRecord,
  error: CloudError,
): Promise<WorkResult> {
  const condition = record.conditions[message.enrollment];
  // A scan records every account before it queues one; without a condition there is nothing to fail, and a scan will come.
  if (condition === null) return ended(message.accountId, 'superseded');
  const { verdict } = condition;
  if (verdict === 'Converging' || verdict === 'Stalled') {
    // Not seeing the result of a call is no failure of the call; taking it for one would have it made again.
    const now = work.deps.clock.now();
    await work.deps.records.snooze(
      record.accountId,
      record.head.seq,
      now + nextPollMs(now - Date.parse(condition.since)),
    );
    return ended(message.accountId, 'converging');
  }
  // Where nothing was wrong, nothing has failed either; the next scan says if it can no longer be told.
  if (verdict !== 'Drifted' && verdict !== 'Blocked') return ended(message.accountId, 'nothingToDo');
  const assessment = remembered(message.accountId, message.enrollment, condition);
  return fail(work, message, record, assessment, errorFacts(error), fateFor(work, record, assessment, error.kind));
}

/** Our call was answered, and AWS then says Failed: a failed attempt like any other. */
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
  return fail(work, message, record, assessment, error, fateFor(work, record, assessment, 'Transient'));
}

function fateFor(
  work: WorkContext,
  record: AccountRecord,
  assessment: Assessment,
  kind: CloudError['kind'],
): FailureOutcome {
  return fateOf({
    kind,
    enrollment: assessment.enrollment,
    attempts: record.conditions[assessment.enrollment]?.attempts ?? 0,
    maxAttempts: work.settings.maxAttempts,
    now: work.deps.clock.now(),
    random: work.deps.random,
    lastUpdated: assessment.lastUpdated,
  });
}

async function fail(
  work: WorkContext,
  { runId, accountId }: AccountMessage,
  record: AccountRecord,
  assessment: Assessment,
  error: ErrorFacts,
  fate: FailureOutcome,
): Promise<WorkResult> {
  const undertaking: Remediation = { runId, assessment, record, intentId: null, clientToken: null, batch: null };
  const entry = failureEntry(work, undertaking, fate, error);
  const decide = (current: AccountRecord) => (current.head.hash === record.head.hash ? [entry] : []);
  const { record: after } = await work.journal.write(accountId, decide, record);
  return failureResult(accountId, after, fate, error);
}

/** The last known condition in the shape of an assessment. */
function remembered(accountId: AccountId, enrollment: EnrollmentId, condition: Condition): Assessment {
  const { verdict, reason, status, ruleMode, desired, desiredRuleMode, rule } = condition;
  return {
    ...{ accountId, enrollment, verdict, reason, message: null, rule: rule ?? 'defaults', status, ruleMode },
    lastUpdated: condition.lastUpdated === null ? null : Date.parse(condition.lastUpdated),
    desired: { status: desired, ruleMode: desiredRuleMode },
    ...{
      action: 'none',
      heldAction: 'none',
      scope: 'member',
      target: null,
      optOut: false,
      notBefore: null,
      deadline: null,
    },
  };
}
