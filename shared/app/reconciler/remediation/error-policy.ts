import { backoffMs } from '../../../domain/enrollment/backoff.ts';
import { type EnrollmentId, kindOf } from '../../../domain/enrollment/kinds/index.ts';
import type { EpochMs, Observation, TargetStatus } from '../../../domain/enrollment/model.ts';
import type { ReasonCode, Verdict } from '../../../domain/enrollment/verdict.ts';
import type { CloudErrorKind } from '../../../ports/cloud.ts';

/** What an error means for the key it struck. */
export interface FailureOutcome {
  readonly verdict: Extract<Verdict, 'Drifted' | 'Blocked'>;
  readonly reason: ReasonCode;
  readonly notBefore: EpochMs | null;
  readonly attempts: number;
  /** Nothing more is tried: the message goes to the dead letters. */
  readonly dead: boolean;
  /** A mutating call that ends so counts towards `failureTolerance`; denied roles don't, one bad account never stops a run. */
  readonly counts: boolean;
}

export interface FateInput {
  readonly kind: CloudErrorKind;
  readonly enrollment: EnrollmentId;
  /** Failed attempts before this one. */
  readonly attempts: number;
  readonly maxAttempts: number;
  readonly now: EpochMs;
  readonly random: () => number;
  readonly lastUpdated: EpochMs | null;
}

/** After a dead letter the next scans leave the account alone for about this many doublings of the pause. */
const DEAD_PAUSE = 8;

const DENIED_PAUSE = 5;

/** The one place that turns an error into what happens next (design, "Errors"). Total over the taxonomy. */
export function fateOf(input: FateInput): FailureOutcome {
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
      // Permissions are mended by people: soon is useless.
      return { ...blocked, reason: 'denied', notBefore: now + backoffMs(attempts + DENIED_PAUSE, random) };
    case 'Prerequisite':
      return { ...blocked, reason: 'prerequisite', notBefore: later };
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

/**
 * The cause of an error code that has several (docs/aws-behaviour.md), from the state read again: opted out within the cool-down is the cool-down,
 * still associated is a prerequisite, anything else is taken at face value.
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
  if (target !== 'Inactive' && justOptedOut) return 'CoolingDown';
  return hasRuleMode && target === 'Inactive' && live.ruleMode === 'AnyAllowed' ? 'Prerequisite' : kind;
}
