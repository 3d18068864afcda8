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
  | 'enrollmentFailed' // AWS reports Failed
  | 'pending' // AWS reports Pending
  | 'acted' // a call was made, and its result has not been observed yet
  | 'deadlinePassed'
  | 'statusDiffers'
  | 'ruleModeDiffers'
  | 'alertOnly'
  | 'retrying' // a call failed and will be retried at notBefore
  | 'deadLettered'; // the attempts are used up, or the error is permanent

/** One sentence for each reason code, without a full stop. */
const REASON_TEXT: Readonly<Record<ReasonCode, string>> = {
  accountNotActive: 'the account is not active',
  policySaysNothing: 'the policy does not set it',
  notInPolicy: 'the policy does not mention it',
  notInPartition: 'this AWS partition does not have the service',
  modeOff: 'the policy turns evaluation off',
  suspendedByOperator: 'suspended by an operator',
  tagsChanged: 'its tags have changed since the last scan',
  resumed: 'resumed, not checked since',
  exemption: 'exempt by the policy',
  notListed: 'AWS does not list it',
  listingIncomplete: 'the listing is incomplete',
  unknownState: 'AWS reports an account state that this version does not know',
  nameUnreadable: 'the policy needs its name, which AWS did not return',
  tagsUnreadable: 'the policy needs its tags, which AWS did not return',
  callerCannotRead: 'these credentials cannot read it',
  denied: 'AWS denied access',
  unavailable: 'AWS did not answer',
  policyContradiction: 'the policy contradicts itself here',
  organizationConfiguration: 'an organization enrollment configuration differs from the policy',
  prerequisite: 'a prerequisite is not met yet',
  coolDown: "Automation's 24-hour cool-down",
  window: 'outside the change windows',
  halted: 'the kill switch is on',
  contested: 'reverted repeatedly by someone else',
  guardrail: 'a guardrail stopped the run',
  rollout: 'canary accounts go first',
  enrollmentFailed: 'AWS reports that the enrollment failed',
  pending: 'AWS is processing it',
  acted: 'change accepted by AWS; waiting for confirmation',
  deadlinePassed: 'the change was not confirmed in time',
  statusDiffers: 'the status differs from the policy',
  ruleModeDiffers: 'the rule mode differs from the policy',
  alertOnly: 'the policy only alerts here',
  retrying: 'a call failed and will be retried',
  deadLettered: 'given up; see the dead letters',
};

/** The sentence for a reason code. An unknown code, from another version, is returned unchanged. */
export function reasonText(code: string | null): string | null {
  return code === null ? null : (TEXT_OF.get(code) ?? code);
}

const TEXT_OF: ReadonlyMap<string, string> = new Map(Object.entries(REASON_TEXT));
