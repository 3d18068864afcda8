import { backoffMs } from '../../domain/enrollment/backoff.ts';
import { governedText, isGoverned, targetText } from '../../domain/enrollment/governing-configuration.ts';
import { type EnrollmentId, kindOf } from '../../domain/enrollment/kinds/index.ts';
import type { EpochMs, GoverningConfiguration, Observation, TargetStatus } from '../../domain/enrollment/model.ts';
import type { ReasonCode } from '../../domain/enrollment/reason-codes.ts';
import type { Assessment, Verdict } from '../../domain/enrollment/verdict.ts';
import type { OrganizationAccount } from '../../domain/policy/index.ts';
import type { CloudError, CloudErrorKind, Observed } from '../../ports/cloud.ts';
import type { OutdatedPolicyError } from '../coordination/outdated-policy-error.ts';
import type { ChangeRefused } from './guard.ts';

/** The next step of an account whose change or read failed. */
export interface FailureOutcome {
  readonly verdict: Extract<Verdict, 'Drifted' | 'Blocked'>;
  readonly reason: ReasonCode;
  readonly notBefore: EpochMs | null;
  readonly attempts: number;
  /** The message is given up as a dead letter. */
  readonly dead: boolean;
  /** A mutating call that ends this way counts towards `failureTolerance`. Denied roles do not, so that one bad account never stops a run. */
  readonly counts: boolean;
}

/** What an entry keeps of an error. */
export interface ErrorFacts {
  readonly kind: string;
  readonly code: string;
  readonly message: string;
  readonly requestId: string | null;
  readonly operation: string | null;
}

export interface Failure {
  readonly outcome: FailureOutcome;
  readonly error: ErrorFacts;
  /** What was learned about the account after the failure. */
  readonly seen?: Partial<Pick<Assessment, 'ruleMode' | 'ruleModeSource'>>;
}

/** A rule mode and the configuration that sets it. */
export interface Governed extends Pick<Observed, 'ruleMode'> {
  readonly ruleModeSource: GoverningConfiguration;
  /** AWS has stored the configuration and is still applying it to the account. */
  readonly applying?: true;
}

export function errorFacts(error: CloudError): ErrorFacts {
  const { code, requestId, operation } = error.details;
  return { kind: error.kind, code, message: error.message, requestId, operation };
}

/** AWS refused the call because a configuration governs the account. */
export function governedFailure(
  error: CloudError,
  seen: Governed,
  outcome: FailureOutcome,
  facts: Pick<OrganizationAccount, 'id' | 'ou' | 'unitIds'>,
): Failure {
  const { ruleModeSource, applying = false } = seen;
  const target = targetText(ruleModeSource, facts.id, facts);
  const message =
    outcome.verdict === 'Blocked'
      ? governedText(seen, facts.id, facts)
      : `AWS applies the organization enrollment configuration on ${target}`;
  const learned = applying ? { ruleModeSource } : { ruleMode: seen.ruleMode, ruleModeSource };
  return { outcome, error: { ...errorFacts(error), kind: 'Governed', message }, seen: learned };
}

export interface FailureInput {
  readonly kind: CloudErrorKind;
  readonly enrollment: EnrollmentId;
  /** Failed attempts before this one. */
  readonly attempts: number;
  readonly maxAttempts: number;
  readonly now: EpochMs;
  readonly random: () => number;
  readonly lastUpdated: EpochMs | null;
}

/** How often the pause is doubled in addition after a dead letter, so that the next scans do not retry the account. */
const DEAD_PAUSE = 8;

/** How often the pause is doubled in addition after a denial: a person has to fix the permissions, so an early retry is useless. */
const DENIED_PAUSE = 5;

/** The one place that turns an error into the next step. It covers every kind of error. */
export function failureOutcome(input: FailureInput): FailureOutcome {
  const { kind, now, random, lastUpdated } = input;
  const attempts = input.attempts + 1;
  const later = now + backoffMs(attempts, random);
  const blocked = { verdict: 'Blocked' as const, attempts, dead: false, counts: false };
  switch (kind) {
    case 'Throttled':
    case 'Transient':
    case 'Unauthenticated':
      if (attempts >= input.maxAttempts) return deadLetter(now, attempts, random);
      return { verdict: 'Drifted', reason: 'retrying', notBefore: later, attempts, dead: false, counts: true };
    case 'Denied':
      return { ...blocked, reason: 'denied', notBefore: now + backoffMs(attempts + DENIED_PAUSE, random) };
    case 'Prerequisite':
      return { ...blocked, reason: 'prerequisite', notBefore: later };
    case 'Governed':
      // Not a failed attempt, and not retried: the next observation that shows another configuration makes it due again.
      return { ...blocked, reason: 'organizationConfiguration', notBefore: null, attempts: input.attempts };
    case 'CoolingDown':
      return {
        ...blocked,
        reason: 'coolDown',
        notBefore: (lastUpdated ?? now) + (kindOf(input.enrollment).coolDownMs ?? 0),
        attempts: input.attempts,
      };
    case 'Invalid':
    case 'Conflict':
      return deadLetter(now, attempts, random);
  }
}

function deadLetter(now: EpochMs, attempts: number, random: () => number): FailureOutcome {
  const notBefore = now + backoffMs(attempts + DEAD_PAUSE, random);
  return { verdict: 'Drifted', reason: 'deadLettered', notBefore, attempts, dead: true, counts: true };
}

/** Nothing was learned about the account: it is still drifted, and is assessed again immediately. */
export function undone(attempts: number): FailureOutcome {
  return { verdict: 'Drifted', reason: 'retrying', notBefore: null, attempts, dead: false, counts: false };
}

/** Minimum pause before an account is read again while AWS applies a configuration to it, ms. AWS takes up to five minutes. */
const APPLYING_MS = 60_000;

/** A configuration gives the account the desired rule mode, so it is only observed, at growing intervals. */
export function awaitingConfiguration(attempts: number, now: EpochMs, random: () => number): FailureOutcome {
  const next = attempts + 1;
  return { ...undone(next), notBefore: now + Math.max(APPLYING_MS, backoffMs(next, random)) };
}

export const isUndone = ({ verdict, notBefore }: FailureOutcome): boolean =>
  verdict === 'Drifted' && notBefore === null;

/** Reasons to refuse a call after which its accounts are assessed again, because something about an account has changed. */
export const ASSESSED_AGAIN: ReadonlySet<string> = new Set<ReasonCode>(['suspendedByOperator', 'tagsChanged']);

/** The `error.kind` of a refused change in stored entries, which does not follow the name of the class. */
const REFUSED_KIND = 'Vetoed';

/** The guard refused the change. After a suspension the account is assessed again, as Suspended; after any other refusal it is Blocked. */
export function refusedChange({ reason, message, notBefore }: ChangeRefused, attempts: number): Failure {
  const blocked = { verdict: 'Blocked', reason, notBefore, attempts, dead: false, counts: false } as const;
  return {
    outcome: ASSESSED_AGAIN.has(reason) ? undone(attempts) : blocked,
    error: { kind: REFUSED_KIND, code: reason, message, requestId: null, operation: null },
  };
}

/** The call was not sent, because another policy is in force. */
export function outdatedPolicy({ message }: OutdatedPolicyError, attempts: number): Failure {
  const error = { kind: REFUSED_KIND, code: 'OutdatedPolicy', message, requestId: null, operation: null };
  return { outcome: undone(attempts), error };
}

/**
 * The kind of an error whose code has several causes (docs/reference/aws-behaviour.md), by the state read again. An account that opted out recently is in its
 * cool-down. One that a configuration governs cannot be associated, disassociated or disabled, and one that is still associated cannot be disabled yet.
 * Otherwise the kind stays as it is.
 */
export function disambiguate(
  kind: CloudErrorKind,
  enrollment: EnrollmentId,
  target: TargetStatus | null,
  live: Observation | null,
  now: EpochMs,
): CloudErrorKind {
  if (live === null || live.kind !== 'observed') return kind;
  const { coolDownMs, hasRuleMode } = kindOf(enrollment);
  const justOptedOut =
    coolDownMs !== null &&
    live.status === 'Inactive' &&
    live.lastUpdated !== null &&
    now - live.lastUpdated < coolDownMs;
  if (target !== 'Active' && isGoverned(live)) return 'Governed';
  if (target !== 'Inactive' && justOptedOut) return 'CoolingDown';
  return hasRuleMode && target === 'Inactive' && live.ruleMode === 'AnyAllowed' ? 'Prerequisite' : kind;
}
