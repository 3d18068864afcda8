import type { Reversion } from './condition.ts';
import { type Branch, targetText } from './governing-configuration.ts';
import { type EnrollmentId, kindOf, TITLES } from './kinds/index.ts';
import type { RuleMode, RuleModeSource } from './model.ts';
import { reasonText, reasonWords, type Step } from './reason-codes.ts';
import type { Status } from './status.ts';

/** What a status means, and what to do about it. */
export interface StatusMeaning {
  readonly meaning: string;
  readonly todo: string;
}

export const STATUS_MEANINGS: Readonly<Record<Status, StatusMeaning>> = {
  'Needs attention': {
    meaning: 'The account differs from the policy, and a person must act before Rollcall can fix it.',
    todo: 'rollcall account ID names the cause and what to do.',
  },
  Drifted: {
    meaning: 'The account differs from the policy.',
    todo: 'The next run fixes it if the policy has mode: enforce there and no guardrail stops the run. To fix it now: rollcall apply.',
  },
  'In progress': {
    meaning: 'AWS accepted a change and has not confirmed the desired state yet.',
    todo: 'Nothing. Rollcall reads the account again until AWS confirms.',
  },
  Waiting: {
    meaning: 'The account differs from the policy and will be fixed without anybody acting.',
    todo: 'Nothing. rollcall account ID says what it waits for and until when.',
  },
  Unknown: {
    meaning: 'Rollcall could not read the account, so it reports no state and changes nothing.',
    todo: 'rollcall doctor shows missing permissions. The next scan reads the account again.',
  },
  Suspended: {
    meaning: 'An operator suspended the account: scans and alerts continue, changes do not.',
    todo: 'rollcall resume with the same selector ends the suspension.',
  },
  Exempt: {
    meaning: 'The policy has an exemption for the account that has not ended.',
    todo: 'Nothing. When the exemption ends, the policy applies again.',
  },
  Compliant: { meaning: 'AWS reports the state that the policy declares.', todo: 'Nothing.' },
  Unmanaged: {
    meaning: 'The policy does not set this enrollment for the account.',
    todo: 'Nothing. To manage it, set it in the policy.',
  },
  'Not applicable': {
    meaning: 'The account is suspended or closed in AWS Organizations, or its partition lacks the service.',
    todo: 'Nothing.',
  },
};

/** One enrollment of one account as people see it. */
export interface SeenStatus {
  readonly enrollment: EnrollmentId;
  readonly status: Status;
  /** A reason code, possibly of another version; `null` for Compliant. */
  readonly reason: string | null;
}

/** A few words for the reason, for lists: `after Compute Optimizer`, `access denied`. Empty for Compliant. */
export function shortReason({ enrollment, status, reason }: SeenStatus): string {
  const needed = reason === 'prerequisite' ? prerequisiteOf(enrollment) : null;
  if (needed !== null) return status === 'Needs attention' ? `needs ${needed} first` : `after ${needed}`;
  return reasonWords(reason)?.short ?? reason ?? '';
}

function prerequisiteOf(enrollment: EnrollmentId): string | null {
  const [first] = kindOf(enrollment).prerequisites;
  return first === undefined ? null : TITLES[first];
}

/** What the explanation of a status is made from. */
export interface Explained extends SeenStatus {
  readonly accountId: string;
  /** ISO 8601; `null`: no time is known. */
  readonly notBefore: string | null;
  readonly ruleMode: RuleMode | null;
  readonly ruleModeSource?: RuleModeSource | undefined;
  readonly setBacks?: readonly Reversion[] | undefined;
  /** The account's place in the tree of OUs; `null`: it is not in the last snapshot. */
  readonly branch: Branch | null;
}

/** Why an enrollment has its status, and what to do. */
export interface StatusExplanation {
  /** Full sentences. */
  readonly cause: string;
  /** Full sentences; end with a colon if `steps` follow. */
  readonly todo: string;
  readonly steps: readonly Step[];
}

/**
 * Explains a status to people; `null` for Compliant and other statuses without a reason.
 * @param time writes a time (ISO 8601) as the view writes times
 */
export function explainStatus(seen: Explained, time: (iso: string) => string): StatusExplanation | null {
  const { reason, accountId } = seen;
  if (reason === null) return null;
  const words = reasonWords(reason);
  if (words === null) return { cause: sentence(reason), todo: '', steps: [] };
  const steps = (words.steps ?? []).map(({ what, ...rest }) => ({ what: what.replace(/\bID\b/, accountId), ...rest }));
  const cause = causeOf(seen) ?? words.cause ?? sentence(reasonText(reason) ?? reason);
  return { cause, ...(todoOf(seen, time) ?? { todo: words.todo, steps }) };
}

function causeOf(seen: Explained): string | null {
  const { enrollment, status, reason, setBacks = [], ruleMode, ruleModeSource, accountId, branch } = seen;
  if (reason === 'prerequisite') {
    const needed = prerequisiteOf(enrollment);
    if (needed === null) return null;
    return status === 'Needs attention' ? `Needs ${needed} first.` : `${needed} must be Active first.`;
  }
  if (reason === 'contested' && setBacks.length > 0) {
    return `Contested: someone reverted it ${setBacks.length} times in 24 hours, so Rollcall stopped changing it.`;
  }
  if (reason === 'organizationConfiguration' && ruleModeSource !== undefined) {
    const target = targetText(ruleModeSource, accountId, branch);
    const effect = ruleMode === null ? 'decides the rule mode' : `sets ${ruleMode}`;
    return `An organization enrollment configuration on ${target} ${effect} and takes precedence over the account.`;
  }
  return null;
}

function todoOf(seen: Explained, time: (iso: string) => string): Omit<StatusExplanation, 'cause'> | null {
  const { enrollment, status, reason, notBefore } = seen;
  if (reason === 'prerequisite' && status === 'Needs attention') {
    const needed = prerequisiteOf(enrollment);
    return needed === null ? null : { todo: `Resolve ${needed}; the rest follows.`, steps: [] };
  }
  if (status !== 'Waiting' || notBefore === null) return null;
  return { todo: `Nothing to do. The first run after ${time(notBefore)} fixes it.`, steps: [] };
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}
