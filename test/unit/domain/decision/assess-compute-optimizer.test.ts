import { describe } from 'vitest';
import { DELEGATE, HOUR, MANAGEMENT, MEMBER, NOW, policyOf, seen, unknown } from '../../../support/domain-kit.ts';
import { type Case, exemption, MODE_OFF, table } from './assess-table.ts';

const BY_TAG = 'rules: [{ id: tagged, match: { not: { tags: { env: [prod] } } }, mode: off }]';
const BY_NAME = 'rules: [{ id: named, match: { not: { name: "prod-*" } }, mode: off }]';

describe('Compute Optimizer', () => {
  const inactive = { computeOptimizer: seen('Inactive') };
  const wantsInactive = policyOf('computeOptimizer: Inactive');
  table('computeOptimizer', [
    [
      'an account in an unknown state',
      { ...inactive, facts: { ...MEMBER, state: 'UNKNOWN' } },
      { verdict: 'Unknown', reason: 'unknownState', action: 'none' },
    ],
    [
      'an account without the tags that the policy needs',
      { ...inactive, policy: policyOf('computeOptimizer: Inactive', BY_TAG), facts: { ...MEMBER, tags: null } },
      {
        verdict: 'Unknown',
        reason: 'tagsUnreadable',
        desired: { status: null, ruleMode: null },
        rule: null,
        optOut: false,
      },
    ],
    [
      'an account without the name that the policy needs',
      { ...inactive, policy: policyOf('computeOptimizer: Inactive', BY_NAME), facts: { ...MEMBER, name: '' } },
      { verdict: 'Unknown', reason: 'nameUnreadable', optOut: false },
    ],
    [
      'an account without a name that the policy does not need',
      { ...inactive, facts: { ...MEMBER, name: '' } },
      { verdict: 'Drifted', rule: 'defaults' },
    ],
    [
      'an account without tags that the policy does not need',
      { ...inactive, facts: { ...MEMBER, tags: null } },
      { verdict: 'Drifted', rule: 'defaults' },
    ],
    [
      'a closed account without the tags that the policy needs',
      {
        ...inactive,
        policy: policyOf('computeOptimizer: Active', BY_TAG),
        facts: { ...MEMBER, state: 'CLOSED', tags: null },
      },
      { verdict: 'NotApplicable', reason: 'accountNotActive' },
    ],
    [
      'a suspended account without the tags that the policy needs',
      {
        ...inactive,
        suspended: true,
        policy: policyOf('computeOptimizer: Active', BY_TAG),
        facts: { ...MEMBER, tags: null },
      },
      { verdict: 'Suspended', reason: 'suspendedByOperator' },
    ],
    ...(['SUSPENDED', 'PENDING_ACTIVATION', 'PENDING_CLOSURE', 'CLOSED'] as const).map((state): Case => {
      const facts = { ...MEMBER, state };
      return [`a ${state} account`, { ...inactive, facts }, { verdict: 'NotApplicable', reason: 'accountNotActive' }];
    }),
    [
      'the policy does not manage it',
      { ...inactive, policy: policyOf('computeOptimizer: unmanaged, automation: Active') },
      { verdict: 'Unmanaged', reason: 'policySaysNothing' },
    ],
    [
      'mode off',
      { ...inactive, policy: policyOf('computeOptimizer: Active', MODE_OFF) },
      { verdict: 'Unmanaged', reason: 'modeOff' },
    ],
    [
      'suspended by an operator',
      { ...inactive, suspended: true },
      { verdict: 'Suspended', reason: 'suspendedByOperator', message: 'incident 7', notBefore: NOW + HOUR },
    ],
    [
      'exempt',
      { ...inactive, policy: policyOf('computeOptimizer: Active', exemption('both')) },
      { verdict: 'Exempt', reason: 'exemption', notBefore: Date.UTC(2027, 0, 1), status: 'Inactive' },
    ],
    [
      'exempt for the other enrollment only',
      { ...inactive, policy: policyOf('computeOptimizer: Active', exemption('automation')) },
      { verdict: 'Drifted' },
    ],
    [
      'the exemption has ended',
      {
        ...inactive,
        policy: policyOf('computeOptimizer: Active', exemption('both')),
        now: Date.UTC(2027, 0, 1),
      },
      { verdict: 'Drifted' },
    ],
    [
      'the exemption is in force until its last moment',
      {
        ...inactive,
        policy: policyOf('computeOptimizer: Active', exemption('both')),
        now: Date.UTC(2027, 0, 1) - 1,
      },
      { verdict: 'Exempt' },
    ],
    ...(['notListed', 'listingIncomplete', 'callerCannotRead', 'denied', 'unavailable'] as const).map(
      (reason): Case => [
        `unknown: ${reason}`,
        { computeOptimizer: unknown(reason) },
        { verdict: 'Unknown', reason, status: null },
      ],
    ),
    ['as wanted', { computeOptimizer: seen('Active') }, { verdict: 'Compliant', reason: null }],
    [
      'not as wanted',
      inactive,
      {
        verdict: 'Drifted',
        reason: 'statusDiffers',
        action: 'UpdateEnrollmentStatus',
        scope: 'member',
        target: 'Active',
        optOut: false,
        notBefore: null,
      },
    ],
    [
      'the management account changes itself with its own credentials',
      { ...inactive, facts: MANAGEMENT },
      { verdict: 'Drifted', action: 'UpdateEnrollmentStatus', scope: 'own' },
    ],
    [
      'a delegated administrator changes its own account with its own credentials',
      { ...inactive, caller: DELEGATE, facts: { ...MEMBER, id: DELEGATE.accountId } },
      { verdict: 'Drifted', scope: 'own' },
    ],
    [
      'a delegated administrator cannot read the management account',
      { computeOptimizer: unknown('callerCannotRead'), caller: DELEGATE, facts: MANAGEMENT },
      { verdict: 'Unknown', reason: 'callerCannotRead' },
    ],
    [
      'opting out is marked as such',
      { computeOptimizer: seen('Active'), policy: wantsInactive },
      { verdict: 'Drifted', action: 'UpdateEnrollmentStatus', target: 'Inactive', optOut: true },
    ],
    [
      'an incomplete listing prevents opting out',
      { computeOptimizer: seen('Active'), policy: wantsInactive, optOutsAllowed: false },
      { verdict: 'Blocked', reason: 'guardrail' },
    ],
    [
      'an incomplete listing does not prevent opting in',
      { ...inactive, optOutsAllowed: false },
      { verdict: 'Drifted' },
    ],
    [
      'alert only',
      { ...inactive, policy: policyOf('computeOptimizer: Active, mode: alert') },
      { verdict: 'Drifted', reason: 'alertOnly', action: 'none' },
    ],
    [
      'Failed, Active desired',
      { computeOptimizer: seen('Failed', { statusReason: 'no service-linked role' }) },
      {
        verdict: 'Drifted',
        reason: 'enrollmentFailed',
        action: 'UpdateEnrollmentStatus',
        message: 'no service-linked role',
      },
    ],
    [
      'Failed, Inactive desired',
      { computeOptimizer: seen('Failed'), policy: wantsInactive },
      { verdict: 'Blocked', reason: 'enrollmentFailed', optOut: false },
    ],
    [
      'the reason of the deciding rule',
      {
        ...inactive,
        policy: policyOf(
          'computeOptimizer: Inactive',
          'rules: [{ id: prod, match: { ou: /Workloads }, computeOptimizer: Active }]',
        ),
      },
      { verdict: 'Drifted', rule: 'prod' },
    ],
  ]);
});
