import { contestOf, isReverted } from '../account/flapping.ts';
import type { Condition } from '../enrollment/condition.ts';
import { governedText, governingConfiguration, rulesOut } from '../enrollment/governing-configuration.ts';
import { kindOf } from '../enrollment/kinds/index.ts';
import type { Call, Mismatch } from '../enrollment/mismatch.ts';
import type { EpochMs, GoverningConfiguration, RuleMode } from '../enrollment/model.ts';
import type { ReasonCode } from '../enrollment/reason-codes.ts';
import { toIso } from '../time.ts';
import type { AssessContext, Outcome, Subject } from './assess-context.ts';
import { chooseCall } from './choose-call.ts';
import { coolDownEnd } from './cool-down.ts';

const HOUR_MS = 60 * 60 * 1000;

const COMPLIANT: Outcome = { verdict: 'Compliant', reason: null };

/** The outcome when no change is in progress: Compliant, Blocked or Drifted. */
export function outcomeOfMismatch(subject: Subject, mismatch: Mismatch | null): Outcome {
  if (mismatch === null) return COMPLIANT;
  const { observation, context, condition, state } = subject;
  if (observation.kind !== 'observed') return COMPLIANT;
  const contradiction = contradicted(subject);
  if (contradiction !== null) return contradiction;
  const drift = { verdict: 'Drifted', reason: mismatch, message: observation.statusReason } as const;
  if (state?.mode.value === 'alert') return { ...drift, reason: 'alertOnly' };
  const governing = governingConfiguration(observation, condition);
  const governed = governing !== null;
  const call = chooseCall(context.caller, subject.account, subject.desired, observation, subject.enrollment, governed);
  const blocked =
    governedBy(subject, governing, call) ?? failedOptOut(subject) ?? contestedBy(subject) ?? blockedBy(subject, call);
  if (blocked !== null) return blocked;
  const backoff = backoffOf(condition, subject);
  if (backoff !== null) return { ...backoff, ...(backoff.verdict === 'Drifted' ? { call } : { held: call }) };
  for (const holdOf of context.holds ?? []) {
    const hold = holdOf(subject.account, subject.enrollment, call);
    if (hold !== null) return { verdict: 'Blocked', ...hold, held: call };
  }
  const waiting = stillHalted(context, condition) ?? closedWindow(context);
  if (waiting !== null) return { ...waiting, held: call };
  return { ...drift, reason: observation.status === 'Failed' ? 'enrollmentFailed' : mismatch, call };
}

/** Checked last, so that a reason that lasts longer than a closed window is reported instead of it. */
function closedWindow({ policy, now }: AssessContext): Outcome | null {
  if (policy.windows.isOpen(now)) return null;
  const notBefore = policy.windows.nextOpening(now);
  return { verdict: 'Blocked', reason: 'window', message: closedText(notBefore), notBefore };
}

/** A drift that the kill switch has already held back stays Blocked until `resume`. Other drift stays Drifted, with the call that would fix it. */
function stillHalted({ halted = false }: AssessContext, condition: Condition | null): Outcome | null {
  if (!halted || condition?.verdict !== 'Blocked' || condition.reason !== 'halted') return null;
  return { verdict: 'Blocked', reason: 'halted', message: 'enforcement is halted' };
}

export function closedText(opensAt: EpochMs | null): string {
  const next = opensAt === null ? 'none opens within 10 years' : `the next one opens ${toIso(opensAt)}`;
  return `no change window is open; ${next}`;
}

/**
 * A configuration sets another rule mode than the policy, or keeps Automation enabled where the policy wants it Inactive. No call for the account can
 * change that. `null`: the configuration allows the desired state.
 */
function governedBy(subject: Subject, governing: GoverningConfiguration | null, call: Call): Outcome | null {
  const { context, condition, desired, observation, account } = subject;
  if (governing === null || observation.kind !== 'observed') return null;
  if (!rulesOut(observation.ruleMode, desired)) return null;
  // Until the prerequisite is Active, AWS applies no configuration to the account.
  const waiting = unmetPrerequisite(subject, call);
  if (waiting !== null) return waiting;
  if (isOwn(context, governing, observation.ruleMode)) {
    const drift = { verdict: 'Drifted', reason: 'ruleModeDiffers' } as const;
    return backoffOf(condition, subject) ?? stillHalted(context, condition) ?? closedWindow(context) ?? drift;
  }
  const message = governedText({ ruleMode: observation.ruleMode, ruleModeSource: governing }, account.id, account);
  return { verdict: 'Blocked', reason: 'organizationConfiguration', message };
}

/** A configuration that Rollcall stored: the next scan plans the call that changes it, so no call for the account follows. */
function isOwn(
  { isOwnConfiguration = () => false }: AssessContext,
  { targetId }: GoverningConfiguration,
  ruleMode: RuleMode | null,
): boolean {
  return targetId !== null && ruleMode !== null && isOwnConfiguration(targetId, ruleMode);
}

function failedOptOut({ observation, desired }: Subject): Outcome | null {
  if (observation.kind !== 'observed' || observation.status !== 'Failed' || desired.status !== 'Inactive') return null;
  const message = observation.statusReason ?? 'AWS gives no reason';
  return { verdict: 'Blocked', reason: 'enrollmentFailed', message };
}

/** Someone keeps reverting the enrollment, so Rollcall stops changing it. */
function contestedBy({ observation, condition, desired, context }: Subject): Outcome | null {
  if (observation.kind !== 'observed' || condition === null) return null;
  const lastUpdated = observation.lastUpdated === null ? null : toIso(observation.lastUpdated);
  const message = contestOf(condition, isReverted(condition, { ...observation, lastUpdated }, desired), context.now);
  return message === null ? null : { verdict: 'Blocked', reason: 'contested', message };
}

/** A reason in the account itself that delays the call. */
function blockedBy(subject: Subject, call: Call): Outcome | null {
  const { context, enrollment, observation, condition, prerequisites } = subject;
  if (call.optOut && !context.optOutsAllowed) {
    const message = 'a listing is incomplete, so no account is opted out';
    return { verdict: 'Blocked', reason: 'guardrail', message };
  }
  if (!call.enables || observation.kind !== 'observed') return null;
  const unmet = unmetPrerequisite(subject, call);
  if (unmet !== null) return unmet;
  const { coolDownMs } = kindOf(enrollment);
  const notBefore = coolDownMs === null ? null : coolDownEnd(coolDownMs, observation, condition, prerequisites);
  if (notBefore === null || coolDownMs === null || context.now >= notBefore) return null;
  const message = `opted out less than ${coolDownMs / HOUR_MS} hours ago; AWS allows opting in again from ${toIso(notBefore)}`;
  return { verdict: 'Blocked', reason: 'coolDown', message, notBefore, held: call };
}

function unmetPrerequisite({ enrollment, prerequisites }: Subject, call: Call): Outcome | null {
  if (!call.enables) return null;
  const unmet = prerequisites.find(({ observation: seen }) => seen.kind !== 'observed' || seen.status !== 'Active');
  if (unmet === undefined) return null;
  const seen = unmet.observation.kind === 'observed' ? unmet.observation.status : 'unknown';
  const message = `${kindOf(enrollment).title} requires ${kindOf(unmet.enrollment).title} to be Active first; it is ${seen}`;
  return { verdict: 'Blocked', reason: 'prerequisite', message, held: call };
}

const RETRY_REASONS: ReadonlySet<ReasonCode> = new Set([
  'retrying',
  'deadLettered',
  'denied',
  'prerequisite',
  'coolDown',
]);

/** The retry delay after an earlier failure. A changed policy or desired state ends it. */
function backoffOf(condition: Condition | null, { context, desired }: Subject): Outcome | null {
  if (condition === null || condition.notBefore === null || condition.reason === null) return null;
  if (!RETRY_REASONS.has(condition.reason) || condition.policyHash !== context.policy.hash) return null;
  if (condition.desired !== desired.status || condition.desiredRuleMode !== desired.ruleMode) return null;
  const notBefore = Date.parse(condition.notBefore);
  const { verdict } = condition;
  if (context.now >= notBefore || (verdict !== 'Blocked' && verdict !== 'Drifted')) return null;
  return { verdict, reason: condition.reason, notBefore };
}

function contradicted({ state, enrollment }: Subject): Outcome | null {
  const contradiction = state?.contradiction ?? null;
  if (contradiction === null || !contradiction.enrollments.includes(enrollment)) return null;
  return { verdict: 'Blocked', reason: 'policyContradiction', message: contradiction.message };
}
