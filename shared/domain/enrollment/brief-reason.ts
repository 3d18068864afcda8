import { actorName } from '../actor.ts';
import { type EnrollmentId, kindOf, TITLES } from './kinds/index.ts';
import type { EnrollmentStatus, RuleMode, TargetStatus } from './model.ts';
import { type ReasonCode, reasonText } from './reason-codes.ts';

/** What the sentence about one enrollment of an account needs. Times are ISO 8601. */
export interface BriefSubject {
  readonly enrollment: EnrollmentId;
  /** A `ReasonCode`; a stored document may contain a code of another version. */
  readonly reason: string | null;
  readonly status: EnrollmentStatus | null;
  readonly ruleMode: RuleMode | null;
  readonly desired: TargetStatus | null;
  readonly desiredRuleMode: RuleMode | null;
  readonly notBefore: string | null;
  readonly attempts: number;
  /** Who caused the drift; `null`: unknown. */
  readonly changedBy: string | null;
  readonly reversions: number;
}

/** A moment in few characters: `14:41` on the day of `now`, else `2 Dec`, or `31 Jan 2027` in another year. */
export type ShortTime = (iso: string) => string;

/** `Inactive → Active`: what AWS reports, and what the policy requires; `null` if they do not differ or one is unknown. */
export function observedToDesired({
  status,
  ruleMode,
  desired,
  desiredRuleMode,
}: Pick<BriefSubject, 'status' | 'ruleMode' | 'desired' | 'desiredRuleMode'>): string | null {
  if (desired !== null && status !== null && status !== desired) return `${status} → ${desired}`;
  if (desiredRuleMode !== null && ruleMode !== null && ruleMode !== desiredRuleMode)
    return `${ruleMode} → ${desiredRuleMode}`;
  return null;
}

const by = ({ changedBy }: BriefSubject): string => (changedBy === null ? '' : `; by ${actorName(changedBy)}`);

/** `null`: the reason has no time. */
const until = ({ notBefore }: BriefSubject, short: ShortTime): string | null =>
  notBefore === null ? null : `until ${short(notBefore)}`;

function differs(about: BriefSubject, then: string): string {
  return `${observedToDesired(about) ?? 'Differs from the policy'}${then}${by(about)}`;
}

type Sentence = (about: BriefSubject, short: ShortTime) => string;

/** Cause first, then what happens next. */
export const BRIEF_REASONS: Readonly<Record<ReasonCode, string | Sentence>> = {
  accountNotActive: 'The account is not active',
  policySaysNothing: 'Not set by the policy',
  notInPolicy: 'Not set by the policy',
  notInPartition: 'This AWS partition does not have the service',
  modeOff: 'The policy turns evaluation off',
  suspendedByOperator: (about, short) => `Suspended ${until(about, short) ?? 'until resumed'}`,
  approvedRun: 'An earlier, approved run makes this change',
  tagsChanged: 'Its tags have changed; checked again soon',
  resumed: 'Resumed; checked again soon',
  exemption: (about, short) => (about.notBefore === null ? 'Exempt by the policy' : `Exempt ${until(about, short)}`),
  notListed: 'Missing from the last listing',
  listingIncomplete: 'The last listing was incomplete',
  unknownState: 'AWS reports an unknown account state',
  nameUnreadable: 'AWS did not return its name',
  tagsUnreadable: 'AWS did not return its tags',
  callerCannotRead: 'These credentials cannot read it',
  denied: 'AWS denied access',
  unavailable: 'AWS did not answer; the next scan retries',
  policyContradiction: 'The policy contradicts itself here',
  organizationConfiguration: (about) => `An organization configuration differs${by(about)}`,
  prerequisite: ({ enrollment }) => `Needs ${needed(enrollment)} first`,
  coolDown: (about, short) => `Cool-down ${until(about, short) ?? 'of 24 hours'}${by(about)}`,
  window: (about, short) =>
    about.notBefore === null ? 'Waits for the next change window' : `Change window opens ${short(about.notBefore)}`,
  halted: 'Waits until the halt ends',
  contested: ({ reversions, changedBy }) =>
    `Contested: reverted ${reversions > 0 ? `${reversions} times ` : ''}by ${changedBy === null ? 'an unknown actor' : actorName(changedBy)}`,
  guardrail: 'A guardrail stopped the run; review its plan',
  rollout: 'Waits for the canary accounts',
  enrollmentFailed: 'AWS reports that the enrollment failed',
  pending: 'AWS is processing it',
  acted: 'Change accepted by AWS; waiting for confirmation',
  deadlinePassed: 'Stalled: AWS did not confirm in time',
  statusDiffers: (about) => differs(about, ', not fixed yet'),
  ruleModeDiffers: (about) => differs(about, ', not fixed yet'),
  alertOnly: (about) => differs(about, ', alert only'),
  retrying: (about, short) =>
    about.notBefore === null ? 'Retried after an AWS error' : `Retry at ${short(about.notBefore)} after an AWS error`,
  deadLettered: ({ attempts }) =>
    attempts > 1 ? `Given up after ${attempts} attempts; see dead letters` : 'Given up; see the dead letters',
};

const needed = (enrollment: EnrollmentId): string =>
  kindOf(enrollment)
    .prerequisites.map((id) => TITLES[id])
    .join(' and ') || 'another enrollment';

const SENTENCE_OF: ReadonlyMap<string, string | Sentence> = new Map(Object.entries(BRIEF_REASONS));

/** The reason in about 50 characters, for a row of a list: cause, then what happens next; `null` if there is none. */
export function briefReason(about: BriefSubject, short: ShortTime): string | null {
  if (about.reason === null) return null;
  const sentence = SENTENCE_OF.get(about.reason);
  if (sentence === undefined) return reasonText(about.reason);
  return typeof sentence === 'string' ? sentence : sentence(about, short);
}
