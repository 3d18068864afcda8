import type { AccountRecord } from '../account/record.ts';
import type { Condition } from '../enrollment/condition.ts';
import { governingConfiguration } from '../enrollment/governing-configuration.ts';
import { byKind, type EnrollmentId, isAvailable, kindOf } from '../enrollment/kinds/index.ts';
import { mismatchOf, type Observations, statusMatters } from '../enrollment/mismatch.ts';
import type { EpochMs } from '../enrollment/model.ts';
import type { ReasonCode } from '../enrollment/reason-codes.ts';
import type { Assessment, DesiredEnrollment } from '../enrollment/verdict.ts';
import type { DesiredState, OrganizationAccount } from '../policy/index.ts';
import { toIso } from '../time.ts';
import type { AssessContext, Outcome, Subject } from './assess-context.ts';
import { outcomeOfMismatch } from './assess-mismatch.ts';

const UNDECIDED: DesiredEnrollment = { status: null, ruleMode: null };

/**
 * Compares the desired and observed state of each enrollment of an account. Pure, and never throws.
 * The result is the first verdict in the order of `VERDICTS` that applies.
 */
export function assess(
  context: AssessContext,
  account: OrganizationAccount,
  observations: Observations,
  record: AccountRecord | null,
): Readonly<Record<EnrollmentId, Assessment>> {
  const state = context.policy.canDecide(account) ? context.policy.resolve(account) : null;
  return byKind((enrollment) => assessOne(context, account, state, enrollment, observations, record));
}

function assessOne(
  context: AssessContext,
  account: OrganizationAccount,
  state: DesiredState | null,
  enrollment: EnrollmentId,
  observations: Observations,
  record: AccountRecord | null,
): Assessment {
  const desired = state === null ? UNDECIDED : desiredOf(state, account, enrollment);
  const subject: Subject = {
    context,
    account,
    enrollment,
    state,
    desired,
    rule: state === null ? null : decidingRule(state, enrollment),
    observation: observations[enrollment],
    condition: record?.conditions[enrollment] ?? null,
    prerequisites: kindOf(enrollment).prerequisites.map((id) => {
      return { enrollment: id, observation: observations[id], condition: record?.conditions[id] ?? null };
    }),
  };
  return toAssessment(subject, outcomeOf(subject));
}

/** Whether the account is closed, being closed, or not activated yet. Nothing in it can be changed. A state that AWS added later says nothing. */
export function isInactive({ state }: Pick<OrganizationAccount, 'state'>): boolean {
  return state !== 'ACTIVE' && state !== 'UNKNOWN';
}

/** The desired state of one enrollment; both fields are `null` if the policy does not manage it. */
export function desiredOf(
  state: DesiredState,
  account: OrganizationAccount,
  enrollment: EnrollmentId,
): DesiredEnrollment {
  const status = state[enrollment].value;
  const rules = state.organizationRules.value;
  return {
    status: status === 'unmanaged' ? null : status,
    // The management account is not a member, so it cannot be associated.
    ruleMode: kindOf(enrollment).hasRuleMode && !account.management && rules !== 'unmanaged' ? rules : null,
  };
}

function decidingRule(state: DesiredState, enrollment: EnrollmentId): string {
  const status = state[enrollment];
  const byRuleMode = kindOf(enrollment).hasRuleMode && status.value === 'unmanaged';
  return byRuleMode ? state.organizationRules.rule : status.rule;
}

function toAssessment(subject: Subject, outcome: Outcome): Assessment {
  const { observation, account } = subject;
  const seen = observation.kind === 'observed' ? observation : null;
  const { call, held } = outcome;
  const governing = seen === null ? null : governingConfiguration(seen, subject.condition);
  const assessment: Assessment = {
    accountId: account.id,
    enrollment: subject.enrollment,
    verdict: outcome.verdict,
    reason: outcome.reason,
    message: outcome.message ?? null,
    rule: subject.rule,
    status: seen?.status ?? null,
    ruleMode: seen?.ruleMode ?? null,
    lastUpdated: seen?.lastUpdated ?? null,
    desired: subject.desired,
    action: call?.action ?? 'none',
    heldAction: held?.action ?? 'none',
    scope: (call ?? held)?.scope ?? (account.id === subject.context.caller.accountId ? 'own' : 'member'),
    target: call?.target ?? null,
    optOut: (call ?? held)?.optOut ?? false,
    notBefore: outcome.notBefore ?? null,
    deadline: outcome.deadline ?? null,
  };
  return governing === null ? assessment : { ...assessment, ruleModeSource: governing };
}

function outcomeOf(subject: Subject): Outcome {
  return (
    notEnforced(subject) ??
    unknownState(subject) ??
    inProgress(subject) ??
    outcomeOfMismatch(subject, mismatchOf(subject.desired, subject.observation))
  );
}

/** NotApplicable, Unmanaged, Suspended, Exempt: these do not depend on the observation. */
function notEnforced({ context, account, enrollment, state, desired }: Subject): Outcome | null {
  if (!context.policy.kinds.includes(enrollment)) return { verdict: 'Unmanaged', reason: 'notInPolicy' };
  if (!isAvailable(enrollment, context.caller.partition)) return { verdict: 'NotApplicable', reason: 'notInPartition' };
  if (isInactive(account)) {
    return { verdict: 'NotApplicable', reason: 'accountNotActive', message: `the account is ${account.state}` };
  }
  if (state?.mode.value === 'off') return { verdict: 'Unmanaged', reason: 'modeOff' };
  if (state !== null && desired.status === null && desired.ruleMode === null)
    return { verdict: 'Unmanaged', reason: 'policySaysNothing' };
  const suspension = context.suspensionOf(account);
  if (suspension !== null) {
    const { reason, until } = suspension;
    return { verdict: 'Suspended', reason: 'suspendedByOperator', message: reason, notBefore: until };
  }
  const exemption = context.policy.exemption(account.id, enrollment, context.now);
  if (exemption === null) return null;
  const message = `${exemption.reason} (${exemption.owner}, until the end of ${exemption.until} UTC)`;
  return { verdict: 'Exempt', reason: 'exemption', message, notBefore: exemption.endsAt };
}

function unknownState({ context, account, state, observation }: Subject): Outcome | null {
  if (account.state === 'UNKNOWN') {
    const message = 'AWS reports an account state that this version does not know';
    return { verdict: 'Unknown', reason: 'unknownState', message };
  }
  if (state === null) {
    const lacksTags = context.policy.usesTags && account.tags === null;
    const [what, reason] = lacksTags ? (['tags', 'tagsUnreadable'] as const) : (['name', 'nameUnreadable'] as const);
    const message = `the policy needs the ${what} of this account, which AWS did not return`;
    return { verdict: 'Unknown', reason, message };
  }
  if (observation.kind === 'observed') return null;
  return { verdict: 'Unknown', reason: observation.reason, message: observation.message };
}

/** Converging and Stalled: AWS reports Pending, or a call was made and AWS still shows the state from before it. */
function inProgress(subject: Subject): Outcome | null {
  const { observation, condition, context } = subject;
  if (observation.kind !== 'observed') return null;
  const pendingDeadlineMs = context.policy.policy.pendingDeadlineMs;
  const acted = condition?.verdict === 'Converging' || condition?.verdict === 'Stalled' ? condition : null;
  const mismatch = mismatchOf(subject.desired, observation);
  if (observation.status === 'Pending' && (mismatch !== null || statusMatters(subject.desired))) {
    // Counts from AWS's timestamp or from Rollcall's own call, whichever is later, so a new Pending gets the full period.
    const ours = pendingDeadline(acted, condition);
    const theirs = observation.lastUpdated === null ? ours : observation.lastUpdated + pendingDeadlineMs;
    const deadline = theirs === null ? context.now + pendingDeadlineMs : Math.max(theirs, ours ?? theirs);
    return untilDeadline(context.now, 'pending', deadline);
  }
  if (mismatch === null) return acted === null ? null : untilTakenEffect(acted, subject);
  if (condition?.claim && Date.parse(condition.claim.expiresAt) > context.now) {
    const notBefore = Date.parse(condition.claim.expiresAt);
    return { verdict: 'Converging', reason: 'acted', message: 'a worker is changing it', notBefore };
  }
  if (acted === null || !isForThisState(acted, subject) || !isUnchangedSinceCall(acted, subject)) return null;
  if (acted.verdict === 'Stalled') return untilNextAttempt(acted, context.now);
  return untilDeadline(context.now, 'acted', actedDeadline(acted, pendingDeadlineMs));
}

/**
 * A call was accepted, and since then the policy desires the state from before the call again. AWS still shows that state, perhaps in a listing older than
 * the call. Until the deadline, the call may still change it, so the account is not Compliant.
 */
function untilTakenEffect(acted: Condition, subject: Subject): Outcome | null {
  const { context } = subject;
  if (acted.verdict === 'Stalled' || !isUnchangedSinceCall(acted, subject)) return null;
  const deadline = actedDeadline(acted, context.policy.policy.pendingDeadlineMs);
  return context.now < deadline ? { verdict: 'Converging', reason: 'acted', deadline } : null;
}

/** The deadline of an accepted call. An older version may have recorded the condition without one. */
function actedDeadline(acted: Condition, pendingDeadlineMs: number): EpochMs {
  return deadlineOf(acted) ?? Date.parse(acted.changedAt) + pendingDeadlineMs;
}

/** A crash just before Stalled was recorded leaves a Drifted condition with status Pending. Its deadline continues to apply. */
function pendingDeadline(acted: Condition | null, condition: Condition | null): EpochMs | null {
  const known = acted ?? (condition?.status === 'Pending' ? condition : null);
  return known === null ? null : deadlineOf(known);
}

function deadlineOf(condition: Condition): EpochMs | null {
  return condition.deadline === null ? null : Date.parse(condition.deadline);
}

function untilDeadline(now: EpochMs, reason: ReasonCode, deadline: EpochMs): Outcome {
  if (now < deadline) return { verdict: 'Converging', reason, deadline };
  const message = `the change was not confirmed by ${toIso(deadline)}`;
  return { verdict: 'Stalled', reason: 'deadlinePassed', message, deadline };
}

/** After the retry delay, the enrollment is assessed as if no call had been made. */
function untilNextAttempt(stalled: Condition, now: EpochMs): Outcome | null {
  const notBefore = stalled.notBefore === null ? now : Date.parse(stalled.notBefore);
  if (now >= notBefore) return null;
  const message = 'the change was not confirmed in time; the call will be retried';
  return { verdict: 'Stalled', reason: 'deadlinePassed', message, notBefore, deadline: deadlineOf(stalled) };
}

/** Whether the call was made for the state that the policy desires now. */
function isForThisState(acted: Condition, { desired }: Subject): boolean {
  return acted.desired === desired.status && acted.desiredRuleMode === desired.ruleMode;
}

/**
 * Whether AWS still shows exactly the state from before the call. If the status or the timestamp differs, the enrollment has changed since, so the
 * pending call no longer explains its state.
 */
function isUnchangedSinceCall(acted: Condition, { observation }: Subject): boolean {
  if (observation.kind !== 'observed' || acted.status === 'Pending') return false;
  const lastUpdated = observation.lastUpdated === null ? null : toIso(observation.lastUpdated);
  return (
    acted.status === observation.status && acted.ruleMode === observation.ruleMode && acted.lastUpdated === lastUpdated
  );
}
