import { governingConfiguration, rulesOut } from '../../domain/enrollment/governing-configuration.ts';
import { mismatchOf } from '../../domain/enrollment/mismatch.ts';
import type { Assessment } from '../../domain/enrollment/verdict.ts';
import type { OrganizationAccount } from '../../domain/policy/index.ts';
import type { WorkMessage } from '../../domain/work-message.ts';
import { CloudError, type Observed } from '../../ports/cloud.ts';
import { disambiguate, errorFacts, type Failure, failureOutcome, governedFailure, undone } from './error-policy.ts';
import { readLive } from './observe-live.ts';
import { CLAIM_EXPIRING, type RemediationCall } from './remediate.ts';
import { attemptsOf, type Candidate, type Remediation } from './remediation-entries.ts';
import type { WorkContext } from './worker-context.ts';

/** The one call that an assessment asks for. */
export function accountCall(
  work: WorkContext,
  key: Pick<WorkMessage, 'runId' | 'planHash'>,
  member: Candidate,
  facts: OrganizationAccount,
): RemediationCall<Candidate> {
  const { assessment } = member;
  return {
    key,
    members: [member],
    scope: 'account',
    optOut: assessment.optOut,
    explain: async (error, remediations) => Promise.all(remediations.map((each) => explain(work, each, error, facts))),
  };
}

/** If the error code has several causes, the account's state decides. The call may have been refused because the account complies already. */
async function explain(
  work: WorkContext,
  remediation: Remediation,
  error: CloudError,
  facts: OrganizationAccount,
): Promise<Failure> {
  const { assessment } = remediation;
  const { enrollment, target } = assessment;
  const { clock, random } = work.deps;
  const attempts = attemptsOf(remediation);
  const live = error.details.ambiguous ? await readAgain(work, assessment) : null;
  if (live !== null && mismatchOf(assessment.desired, live) === null)
    return { outcome: undone(attempts), error: errorFacts(error) };
  // A claim that expired during the wait is not a fault of the call, which is retried as after any transient failure.
  const kind = error.details.code === CLAIM_EXPIRING ? 'Transient' : error.kind;
  const cause = error.details.ambiguous ? disambiguate(kind, enrollment, target, live, clock.now()) : kind;
  const outcome = failureOutcome({
    enrollment,
    kind: cause,
    attempts,
    maxAttempts: work.settings.maxAttempts,
    now: clock.now(),
    random,
    lastUpdated: live?.lastUpdated ?? assessment.lastUpdated,
  });
  const governing = live === null ? null : governingConfiguration(live, remediation.record.conditions[enrollment]);
  if (cause !== 'Governed' || live === null || governing === null) return { outcome, error: errorFacts(error) };
  // The configuration allows the desired state, so the account is assessed again for the call that is still needed.
  if (!rulesOut(live.ruleMode, assessment.desired)) return { outcome: undone(attempts), error: errorFacts(error) };
  return governedFailure(error, { ruleMode: live.ruleMode, ruleModeSource: governing }, outcome, facts);
}

/** The state read again. `null`: it cannot be read, so the error code is taken at face value. */
async function readAgain(work: WorkContext, { accountId, enrollment }: Assessment): Promise<Observed | null> {
  try {
    return await readLive(work, accountId, enrollment);
  } catch (error) {
    if (error instanceof CloudError && error.kind !== 'Unauthenticated') return null;
    throw error;
  }
}
