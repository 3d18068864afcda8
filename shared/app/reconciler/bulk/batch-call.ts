import type { AccountRecord } from '../../../domain/account/record.ts';
import { ASSOCIABLE, actionOf } from '../../../domain/enrollment/kinds/index.ts';
import type { WorkMessage } from '../../../domain/work-message.ts';
import { CloudError, type CloudErrorKind } from '../../../ports/cloud.ts';
import { errorFacts, type Failure, failureOutcome, undone } from '../error-policy.ts';
import type { RemediationCall } from '../remediate.ts';
import { attemptsOf, type Remediation } from '../remediation-entries.ts';
import type { WorkContext } from '../worker-context.ts';
import type { Member } from './batch-observation.ts';
import { managementPrerequisite } from './management-prerequisite.ts';

export type BatchMessage = Extract<WorkMessage, { kind: 'batch' }>;

/**
 * One call that associates or disassociates many accounts.
 * @param own the record of the management account
 */
export function batchCall(
  work: WorkContext,
  message: BatchMessage,
  members: readonly Member[],
  own: AccountRecord | null,
): RemediationCall<Member> {
  const optOut = actionOf(ASSOCIABLE, message.operation)?.effect === 'disassociate';
  return {
    key: message,
    members,
    scope: 'batch',
    optOut,
    refusal: optOut ? null : managementPrerequisite(work, own),
    explain: (error, remediations) => explain(work, remediations, error),
  };
}

/**
 * A failure of the call or of the organization (throttled, denied, a prerequisite that all accounts lack) is recorded for all accounts, which
 * are retried as a batch after one pause. If a single account may be the cause, each account is retried on its own.
 * @throws CloudError of kind Unauthenticated if the credentials were refused while looking for the cause
 */
async function explain(
  work: WorkContext,
  remediations: readonly Remediation[],
  error: CloudError,
): Promise<readonly Failure[]> {
  const kind = await commonCause(work, error);
  const facts = errorFacts(error);
  if (kind === null) {
    const undo = { ...facts, kind: 'Batch', operation: null };
    return remediations.map((remediation) => ({ outcome: undone(attemptsOf(remediation)), error: undo }));
  }
  const { clock, random } = work.deps;
  // One random number for all accounts: if they were retried at different times, they would no longer form a batch.
  const draw = random();
  const common = { kind, maxAttempts: work.settings.maxAttempts, now: clock.now(), random: () => draw };
  return remediations.map((remediation) => {
    const { enrollment, lastUpdated } = remediation.assessment;
    const outcome = failureOutcome({ ...common, enrollment, attempts: attemptsOf(remediation), lastUpdated });
    return { outcome, error: { ...facts, kind } };
  });
}

/** The kind of failure that all accounts of the batch have in common; `null`: there may be no common cause. */
async function commonCause(work: WorkContext, error: CloudError): Promise<CloudErrorKind | null> {
  if (error.passing || error.kind === 'Prerequisite' || error.kind === 'Unauthenticated') return error.kind;
  if (error.kind !== 'Denied') return null;
  if (!error.details.ambiguous) return 'Denied';
  // AWS returns this code if trusted access is off and also if one account may not be changed. If trusted access is off, AWS refuses listings, too.
  try {
    await work.automationListing.begunAfter(work.deps.clock.now());
    return null;
  } catch (cause) {
    if (!(cause instanceof CloudError) || cause.kind === 'Unauthenticated') throw cause;
    return cause.kind === 'Denied' || cause.kind === 'Prerequisite' ? 'Prerequisite' : error.kind;
  }
}
