import type { UnknownReason } from './model.ts';

/** The reason for a verdict; every verdict except Compliant has one. */
export type ReasonCode =
  | 'accountNotActive'
  | 'policySaysNothing'
  | 'notInPolicy'
  | 'notInPartition'
  | 'modeOff'
  | 'suspendedByOperator'
  | 'tagsChanged' // since the snapshot; only of a call that was not made, because the account is then assessed again
  | 'resumed' // no longer suspended, and not checked since
  | 'exemption'
  | UnknownReason
  | 'policyContradiction'
  | 'organizationConfiguration' // an organization enrollment configuration sets something else, and only its change helps
  | 'prerequisite' // another enrollment of the account is not Active yet, or the account is still associated
  | 'coolDown' // opted out of Automation less than 24 hours ago
  | 'window'
  | 'halted' // the kill switch is on
  | 'contested'
  | 'guardrail'
  | 'rollout' // canary accounts go first
  | 'approvedRun' // only in a plan: an earlier run that an operator has approved makes the change
  | 'enrollmentFailed' // AWS reports Failed
  | 'pending' // AWS reports Pending
  | 'acted' // a call was made, and its result has not been observed yet
  | 'deadlinePassed'
  | 'statusDiffers'
  | 'ruleModeDiffers'
  | 'alertOnly'
  | 'retrying' // a call failed and will be retried at notBefore
  | 'deadLettered'; // the attempts are used up, or the error is permanent

/** One way to resolve a reason. */
export interface Step {
  /** What to do; a command begins with `rollcall`, and `ID` in it stands for the account. */
  readonly what: string;
  readonly effect?: string;
}

/** How people see a reason. `help statuses`, the account pages and the reference show these words. */
export interface ReasonWords {
  /** One sentence without a full stop. */
  readonly text: string;
  /** A few words for lists. */
  readonly short: string;
  /** Full sentences that say why it is so, where `text` is not enough. */
  readonly cause?: string;
  /** Full sentences that say what to do. */
  readonly todo: string;
  /** The alternatives that `todo` introduces with a colon. */
  readonly steps?: readonly Step[];
}

const NOTHING = 'Nothing to do.';
const READ_AGAIN = 'Every scan reads it again. If the status stays Unknown:';
const DOCTOR: Step = { what: 'rollcall doctor', effect: 'shows what is missing and the command that fixes it' };
const EXEMPT: Step = { what: 'add an exemption to the policy' };

export const REASON_WORDS: Readonly<Record<ReasonCode, ReasonWords>> = {
  accountNotActive: {
    text: 'the account is not active',
    short: 'account not active',
    todo: `${NOTHING} AWS accepts no enrollment of a suspended or closed account.`,
  },
  policySaysNothing: {
    text: 'the policy does not set it',
    short: 'not set by the policy',
    todo: `${NOTHING} To manage it, set it in the policy.`,
  },
  notInPolicy: {
    text: 'the policy does not mention it',
    short: 'not in the policy',
    todo: `${NOTHING} To manage it, set it in the policy.`,
  },
  notInPartition: {
    text: 'this AWS partition does not have the service',
    short: 'not in this partition',
    todo: NOTHING,
  },
  modeOff: {
    text: 'the policy turns evaluation off',
    short: 'mode: off',
    todo: `${NOTHING} To manage it, set mode: alert or mode: enforce in the deciding rule.`,
  },
  suspendedByOperator: {
    text: 'suspended by an operator',
    short: 'suspended',
    cause: 'An operator suspended the account: scans and alerts continue, changes do not.',
    todo: 'To allow changes again, name what was suspended:',
    steps: [{ what: 'rollcall resume ID' }],
  },
  tagsChanged: {
    text: 'its tags have changed since the last scan',
    short: 'tags changed',
    todo: `${NOTHING} The account is assessed again with its new tags.`,
  },
  resumed: {
    text: 'resumed, not checked since',
    short: 'resumed',
    todo: `${NOTHING} The next run reads the account and decides again.`,
  },
  exemption: {
    text: 'exempt by the policy',
    short: 'exempt',
    todo: `${NOTHING} When the exemption ends, the policy applies again.`,
  },
  notListed: {
    text: 'AWS does not list it',
    short: 'not listed',
    cause: 'A complete listing omits the account, and it could not be read through its role yet.',
    todo: READ_AGAIN,
    steps: [DOCTOR],
  },
  listingIncomplete: {
    text: 'the listing is incomplete',
    short: 'listing incomplete',
    todo: READ_AGAIN,
    steps: [DOCTOR],
  },
  unknownState: {
    text: 'AWS reports an account state that this version does not know',
    short: 'unknown account state',
    todo: 'Update Rollcall to a version that knows this state.',
  },
  nameUnreadable: {
    text: 'the policy needs its name, which AWS did not return',
    short: 'name unreadable',
    todo: READ_AGAIN,
    steps: [DOCTOR],
  },
  tagsUnreadable: {
    text: 'the policy needs its tags, which AWS did not return',
    short: 'tags unreadable',
    todo: READ_AGAIN,
    steps: [DOCTOR],
  },
  callerCannotRead: {
    text: 'these credentials cannot read it',
    short: 'not readable',
    cause:
      'These credentials cannot read it; a delegated administrator, for example, cannot read the management account.',
    todo: 'Scan with credentials of the management account, or exclude the account in the policy.',
  },
  denied: {
    text: 'AWS denied access',
    short: 'access denied',
    cause: 'AWS denied access: the member role is missing in the account, or a policy refuses the call.',
    todo: 'Find the missing permission, then let the next run try again:',
    steps: [DOCTOR],
  },
  unavailable: {
    text: 'AWS did not answer',
    short: 'no answer from AWS',
    todo: `${NOTHING} The next scan reads it again.`,
  },
  policyContradiction: {
    text: 'the policy contradicts itself here',
    short: 'policy contradiction',
    todo: 'Correct the policy for this account:',
    steps: [{ what: 'rollcall policy explain ID', effect: 'shows which rules contradict each other' }],
  },
  organizationConfiguration: {
    text: 'an organization enrollment configuration differs from the policy',
    short: 'organization configuration',
    cause: 'An organization enrollment configuration differs from the policy and takes precedence over the account.',
    todo: 'Do one of these:',
    steps: [
      { what: 'change that configuration in AWS' },
      { what: 'change the policy for these accounts' },
      { what: 'let Rollcall manage it: organization.automationConfigurations: manage' },
      {
        what: 'rollcall plan',
        effect: 'if Rollcall manages it already: shows the change and whether it needs an approval',
      },
    ],
  },
  prerequisite: {
    text: 'a prerequisite is not met yet',
    short: 'prerequisite first',
    cause: 'Another enrollment of the account must be Active first.',
    todo: `${NOTHING} It is changed as soon as the other enrollment is Active.`,
  },
  coolDown: {
    text: "Automation's 24-hour cool-down",
    short: 'cool-down',
    cause: 'AWS does not allow enabling it within 24 hours after it was disabled.',
    todo: NOTHING,
  },
  window: {
    text: 'outside the change windows',
    short: 'outside the change windows',
    todo: `${NOTHING} It is fixed when the next change window opens.`,
  },
  halted: {
    text: 'the kill switch is on',
    short: 'halted',
    cause: 'All changes are halted.',
    todo: 'To allow changes again:',
    steps: [{ what: 'rollcall resume' }],
  },
  contested: {
    text: 'reverted repeatedly by someone else',
    short: 'contested',
    cause: 'Contested: someone reverts it repeatedly, so Rollcall stopped changing it.',
    todo: "Agree with the account's owner which state is right, then do one of these:",
    steps: [{ what: 'rollcall resume ID', effect: 'enforce the policy again' }, EXEMPT],
  },
  guardrail: {
    text: 'a guardrail stopped the run',
    short: 'guardrail',
    todo: 'Check the plan, then approve it or change the guardrail:',
    steps: [
      { what: 'rollcall status', effect: 'names the guardrail and the plan' },
      { what: 'rollcall approve HASH', effect: 'lets the plan exceed maxChanges, once' },
    ],
  },
  approvedRun: {
    text: 'an earlier, approved run makes this change',
    short: 'made by an approved run',
    todo: `${NOTHING} The change is in the work queue, which \`serve\` and \`apply\` work on.`,
  },
  rollout: {
    text: 'canary accounts go first',
    short: 'after the canaries',
    todo: `${NOTHING} It is changed when the canary accounts have complied for the time that the policy sets.`,
  },
  enrollmentFailed: {
    text: 'AWS reports that the enrollment failed',
    short: 'enrollment failed',
    todo: 'Open the service in the account and resolve what AWS reports; the next run tries again.',
  },
  pending: {
    text: 'AWS is processing it',
    short: 'AWS is processing it',
    todo: NOTHING,
  },
  acted: {
    text: 'change accepted by AWS; waiting for confirmation',
    short: 'waiting for confirmation',
    todo: NOTHING,
  },
  deadlinePassed: {
    text: 'the change was not confirmed in time',
    short: 'not confirmed in time',
    cause: 'AWS accepted the change, but did not report the desired state before the deadline.',
    todo: 'Open the service in the account and look for the reason. The status changes as soon as AWS reports the result.',
  },
  statusDiffers: {
    text: 'the status differs from the policy',
    short: 'differs from policy',
    todo: 'The next run fixes it, unless a guardrail stops the run. To fix it now:',
    steps: [{ what: 'rollcall apply' }],
  },
  ruleModeDiffers: {
    text: 'the rule mode differs from the policy',
    short: 'rule mode differs',
    todo: 'The next run fixes it, unless a guardrail stops the run. To fix it now:',
    steps: [{ what: 'rollcall apply' }],
  },
  alertOnly: {
    text: 'the policy only alerts here',
    short: 'mode: alert',
    cause: 'The policy has mode: alert for this account, so Rollcall reports the drift and does not fix it.',
    todo: 'Do one of these:',
    steps: [{ what: 'set mode: enforce in the deciding rule' }, EXEMPT],
  },
  retrying: {
    text: 'a call failed and will be retried',
    short: 'retrying',
    todo: `${NOTHING} The call is repeated.`,
  },
  deadLettered: {
    text: 'given up; see the dead letters',
    short: 'given up',
    cause: 'All attempts failed, or repeating the call cannot fix the error.',
    todo: 'Fix the cause, then put the work back on the queue:',
    steps: [
      { what: 'rollcall dlq list', effect: 'shows the last error' },
      { what: 'rollcall dlq redrive', effect: 'with the id of the dead letter' },
    ],
  },
};

const WORDS_OF: ReadonlyMap<string, ReasonWords> = new Map(Object.entries(REASON_WORDS));

/** The words for a reason code; `null` for a code of another version. */
export function reasonWords(code: string | null): ReasonWords | null {
  return code === null ? null : (WORDS_OF.get(code) ?? null);
}

/** The sentence for a reason code. An unknown code, from another version, is returned unchanged. */
export function reasonText(code: string | null): string | null {
  return code === null ? null : (WORDS_OF.get(code)?.text ?? code);
}
