import { describe, expect, it } from 'vitest';
import type { EnrollmentId } from '../../../../shared/domain/enrollment/kinds/index.ts';
import { type Assessment, VERDICTS } from '../../../../shared/domain/enrollment/verdict.ts';
import {
  CALLER,
  condition,
  DAY,
  DELEGATE,
  HOUR,
  iso,
  judged,
  MANAGEMENT,
  MEMBER,
  MEMBER_ID,
  NOW,
  policyOf,
  recordOf,
  type Situation,
  seen,
  unknown,
} from '../../../support/domain-kit.ts';

type Expected = Partial<Assessment>;
type Case = readonly [name: string, situation: Situation, expected: Expected];

function table(enrollment: EnrollmentId, cases: readonly Case[]): void {
  for (const [name, situation, expected] of cases) {
    it(name, () => {
      const assessment = judged(situation)[enrollment];
      expect(assessment).toMatchObject(expected);
      // Only Drifted has a call, and only Compliant has no reason.
      if (assessment.verdict !== 'Drifted') expect(assessment.action).toBe('none');
      expect(assessment.reason === null).toBe(assessment.verdict === 'Compliant');
    });
  }
}

const exemption = (enrollment: string): string =>
  `exemptions:\n  - { accounts: ["${MEMBER_ID}"], enrollment: ${enrollment}, until: 2026-12-31, reason: freeze, owner: a@example.com }`;

const BY_TAG = 'rules: [{ id: tagged, match: { not: { tags: { env: [prod] } } }, mode: off }]';
const BY_NAME = 'rules: [{ id: named, match: { not: { name: "prod-*" } }, mode: off }]';
const MODE_OFF = 'rules: [{ id: off, match: { ou: /Workloads }, mode: off }]';

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

describe('Pending, and after a call', () => {
  const acted = condition({ verdict: 'Converging', reason: 'acted', deadline: iso(NOW + 5 * HOUR) });
  const stalled = { ...acted, verdict: 'Stalled', reason: 'deadlinePassed', deadline: iso(NOW - DAY) } as const;
  const pending = (lastUpdated: number | null) => ({ computeOptimizer: seen('Pending', { lastUpdated }) });
  table('computeOptimizer', [
    [
      'Pending may last pendingDeadline from the timestamp of AWS',
      pending(NOW - HOUR),
      { verdict: 'Converging', reason: 'pending', deadline: NOW + 23 * HOUR },
    ],
    [
      'Pending, Inactive desired',
      { ...pending(NOW - HOUR), policy: policyOf('computeOptimizer: Inactive') },
      { verdict: 'Converging', reason: 'pending' },
    ],
    [
      'Pending in alert mode',
      { ...pending(NOW - HOUR), policy: policyOf('computeOptimizer: Active, mode: alert') },
      { verdict: 'Converging', reason: 'pending' },
    ],
    ['Pending past its deadline', pending(NOW - DAY), { verdict: 'Stalled', reason: 'deadlinePassed' }],
    ['Pending just before its deadline', pending(NOW - DAY + 1), { verdict: 'Converging' }],
    [
      'Pending without a timestamp counts from its first observation',
      pending(null),
      { verdict: 'Converging', deadline: NOW + DAY },
    ],
    [
      'Pending without a timestamp keeps its deadline',
      {
        ...pending(null),
        record: recordOf({
          computeOptimizer: condition({ verdict: 'Converging', status: 'Pending', deadline: iso(NOW - 1) }),
        }),
      },
      { verdict: 'Stalled', deadline: NOW - 1 },
    ],
    [
      'Pending with a timestamp long before our call counts from our call',
      { ...pending(NOW - 30 * DAY), record: recordOf({ computeOptimizer: acted }) },
      { verdict: 'Converging', deadline: NOW + 5 * HOUR },
    ],
    [
      'a new Pending after a stalled one gets the full period',
      {
        ...pending(NOW - HOUR),
        record: recordOf({
          computeOptimizer: condition({ verdict: 'Stalled', status: 'Pending', deadline: iso(NOW - DAY) }),
        }),
      },
      { verdict: 'Converging', deadline: NOW + 23 * HOUR },
    ],
    [
      'after a call, AWS still shows the old state',
      { computeOptimizer: seen('Inactive'), record: recordOf({ computeOptimizer: acted }) },
      { verdict: 'Converging', reason: 'acted', deadline: NOW + 5 * HOUR },
    ],
    [
      'after a call, the old state past the deadline',
      {
        computeOptimizer: seen('Inactive'),
        record: recordOf({ computeOptimizer: condition({ ...acted, deadline: iso(NOW) }) }),
      },
      { verdict: 'Stalled', reason: 'deadlinePassed' },
    ],
    [
      'stalled stays stalled until its retry delay is over',
      {
        computeOptimizer: seen('Inactive'),
        record: recordOf({ computeOptimizer: condition({ ...stalled, notBefore: iso(NOW + 1) }) }),
      },
      { verdict: 'Stalled', reason: 'deadlinePassed', notBefore: NOW + 1 },
    ],
    [
      'a call without an observed result is retried after its delay',
      {
        computeOptimizer: seen('Inactive'),
        record: recordOf({ computeOptimizer: condition({ ...stalled, notBefore: iso(NOW) }) }),
      },
      { verdict: 'Drifted', action: 'UpdateEnrollmentStatus' },
    ],
    [
      'stalled while AWS reports Pending: no call, however long',
      {
        computeOptimizer: seen('Pending'),
        record: recordOf({
          computeOptimizer: condition({ ...stalled, status: 'Pending', notBefore: iso(NOW - 9 * DAY) }),
        }),
      },
      { verdict: 'Stalled' },
    ],
    [
      'after a call, the result is observed',
      { computeOptimizer: seen('Active'), record: recordOf({ computeOptimizer: acted }) },
      { verdict: 'Compliant' },
    ],
    [
      'after a call, someone else changed it',
      {
        computeOptimizer: seen('Inactive', { lastUpdated: NOW - 1 }),
        record: recordOf({ computeOptimizer: acted }),
      },
      { verdict: 'Drifted', action: 'UpdateEnrollmentStatus' },
    ],
    [
      'after a call, the policy changes',
      {
        computeOptimizer: seen('Active'),
        policy: policyOf('computeOptimizer: Inactive'),
        record: recordOf({ computeOptimizer: condition({ ...acted, status: 'Active' }) }),
      },
      { verdict: 'Drifted', target: 'Inactive' },
    ],
    [
      'Pending that fell back to Inactive',
      {
        computeOptimizer: seen('Inactive'),
        record: recordOf({ computeOptimizer: condition({ ...acted, reason: 'pending', status: 'Pending' }) }),
      },
      { verdict: 'Drifted', reason: 'statusDiffers' },
    ],
    [
      'a worker has a claim',
      {
        computeOptimizer: seen('Inactive'),
        record: recordOf({
          computeOptimizer: condition({
            claim: {
              ...{
                entryId: 'i',
                startedAt: iso(NOW - 1),
                expiresAt: iso(NOW + 1),
                operation: 'UpdateEnrollmentStatus',
              },
              ...{ clientToken: null, optOut: false },
            },
          }),
        }),
      },
      { verdict: 'Converging', reason: 'acted', notBefore: NOW + 1 },
    ],
  ]);
});

describe('waiting after a failure', () => {
  const policy = policyOf('computeOptimizer: Active');
  const computeOptimizer = seen('Inactive');
  const waiting = (rest: Parameters<typeof condition>[0]) =>
    recordOf({
      computeOptimizer: condition({ policyHash: policy.hash, notBefore: iso(NOW + HOUR), reason: 'retrying', ...rest }),
    });
  table('computeOptimizer', [
    [
      'a retry keeps its action and its delay',
      { policy, computeOptimizer, record: waiting({}) },
      { verdict: 'Drifted', reason: 'retrying', action: 'UpdateEnrollmentStatus', notBefore: NOW + HOUR },
    ],
    [
      'the delay is over',
      { policy, computeOptimizer, record: waiting({ notBefore: iso(NOW) }) },
      { verdict: 'Drifted', reason: 'statusDiffers', notBefore: null },
    ],
    [
      'dead-lettered',
      { policy, computeOptimizer, record: waiting({ reason: 'deadLettered' }) },
      { verdict: 'Drifted', reason: 'deadLettered', notBefore: NOW + HOUR },
    ],
    ...(['denied', 'prerequisite', 'coolDown'] as const).map(
      (reason): Case => [
        `blocked: ${reason}`,
        { policy, computeOptimizer, record: waiting({ verdict: 'Blocked', reason }) },
        { verdict: 'Blocked', reason, notBefore: NOW + HOUR },
      ],
    ),
    [
      'another policy ends the delay',
      { policy, computeOptimizer, record: waiting({ policyHash: 'another' }) },
      { verdict: 'Drifted', reason: 'statusDiffers' },
    ],
    [
      'another desired state ends the delay',
      { policy, computeOptimizer, record: waiting({ desired: 'Inactive' }) },
      { verdict: 'Drifted', reason: 'statusDiffers' },
    ],
    [
      'a fixed enrollment is Compliant during the delay',
      { policy, computeOptimizer: seen('Active'), record: waiting({ verdict: 'Blocked', reason: 'denied' }) },
      { verdict: 'Compliant' },
    ],
  ]);
});

describe('Automation', () => {
  const on = policyOf('computeOptimizer: Active, automation: Active');
  const off = policyOf('computeOptimizer: Active, automation: Inactive');
  const associate = policyOf('computeOptimizer: Active, automation: Active, organizationRules: AnyAllowed');
  const dissociate = policyOf('computeOptimizer: Active, automation: Active, organizationRules: NoneAllowed');
  const computeOptimizer = seen('Active');
  const none = { ruleMode: 'NoneAllowed' } as const;
  const any = { ruleMode: 'AnyAllowed' } as const;
  const update = { verdict: 'Drifted', action: 'UpdateEnrollmentConfiguration', scope: 'member' } as const;
  const dissociated = {
    verdict: 'Drifted',
    action: 'DisassociateAccounts',
    scope: 'batch',
    target: null,
    optOut: true,
  } as const;
  table('automation', [
    ['enable', { policy: on, computeOptimizer, automation: seen('Inactive', none) }, { ...update, target: 'Active' }],
    [
      'the management account enables its own Automation',
      { policy: associate, computeOptimizer, automation: seen('Inactive', none), facts: MANAGEMENT },
      { ...update, scope: 'own', target: 'Active', desired: { status: 'Active', ruleMode: null } },
    ],
    [
      'the management account is never disassociated',
      { policy: off, computeOptimizer, automation: seen('Active', any), facts: MANAGEMENT },
      { ...update, scope: 'own', target: 'Inactive', optOut: true },
    ],
    [
      'disable',
      { policy: off, computeOptimizer, automation: seen('Active', none) },
      { ...update, target: 'Inactive', optOut: true },
    ],
    ['disassociate before disabling', { policy: off, computeOptimizer, automation: seen('Active', any) }, dissociated],
    [
      'associating enables as well: one call for both',
      { policy: associate, computeOptimizer, automation: seen('Inactive', none) },
      { verdict: 'Drifted', reason: 'statusDiffers', action: 'AssociateAccounts', scope: 'batch', optOut: false },
    ],
    [
      'AnyAllowed is desired',
      { policy: associate, computeOptimizer, automation: seen('Active', none) },
      { verdict: 'Drifted', reason: 'ruleModeDiffers', action: 'AssociateAccounts', scope: 'batch' },
    ],
    [
      'NoneAllowed is desired',
      { policy: dissociate, computeOptimizer, automation: seen('Active', any) },
      { ...dissociated, reason: 'ruleModeDiffers' },
    ],
    [
      'an account without a rule mode allows none',
      { policy: dissociate, computeOptimizer, automation: seen('Active') },
      { verdict: 'Compliant' },
    ],
    [
      'only the rule mode is managed',
      {
        policy: policyOf('computeOptimizer: Active, organizationRules: NoneAllowed'),
        computeOptimizer,
        automation: seen('Inactive', none),
      },
      { verdict: 'Compliant', desired: { status: null, ruleMode: 'NoneAllowed' } },
    ],
    [
      'names the rule that decides the rule mode if only that is managed',
      {
        policy: policyOf(
          'computeOptimizer: Active',
          'rules: [{ id: no-rules, match: { ou: /Workloads }, organizationRules: NoneAllowed }]',
        ),
        computeOptimizer,
        automation: seen('Active', any),
      },
      { ...dissociated, rule: 'no-rules' },
    ],
    [
      'an incomplete listing prevents disassociating',
      { policy: dissociate, computeOptimizer, automation: seen('Active', any), optOutsAllowed: false },
      { verdict: 'Blocked', reason: 'guardrail' },
    ],
    [
      'Failed, Inactive desired: no disassociation either',
      { policy: off, computeOptimizer, automation: seen('Failed', any) },
      { verdict: 'Blocked', reason: 'enrollmentFailed' },
    ],
    ...(['Inactive', 'Pending', 'Failed'] as const).flatMap((status): Case[] => [
      [
        `prerequisite: Compute Optimizer is ${status}`,
        { policy: on, computeOptimizer: seen(status), automation: seen('Inactive', none) },
        { verdict: 'Blocked', reason: 'prerequisite', notBefore: null },
      ],
      [
        `prerequisite of associating: Compute Optimizer is ${status}`,
        { policy: associate, computeOptimizer: seen(status), automation: seen('Active', none) },
        { verdict: 'Blocked', reason: 'prerequisite' },
      ],
    ]),
    [
      'prerequisite: Compute Optimizer is unknown',
      { policy: on, computeOptimizer: unknown('denied'), automation: seen('Inactive', none) },
      { verdict: 'Blocked', reason: 'prerequisite' },
    ],
    [
      'disabling has no prerequisite',
      { policy: off, computeOptimizer: seen('Inactive'), automation: seen('Active', none) },
      { ...update, target: 'Inactive' },
    ],
    [
      'cool-down from the timestamp of AWS',
      { policy: on, computeOptimizer, automation: seen('Inactive', { ...none, lastUpdated: NOW - DAY + 1 }) },
      { verdict: 'Blocked', reason: 'coolDown', notBefore: NOW + 1 },
    ],
    [
      'the cool-down is over to the millisecond',
      { policy: on, computeOptimizer, automation: seen('Inactive', { ...none, lastUpdated: NOW - DAY }) },
      update,
    ],
    [
      'cool-down from our own ledger, where AWS names no time',
      {
        policy: on,
        computeOptimizer,
        automation: seen('Inactive', { ...none, lastUpdated: null }),
        record: recordOf({ automation: condition({ verdict: 'Compliant', optedOutAt: iso(NOW - HOUR) }) }),
      },
      { verdict: 'Blocked', reason: 'coolDown', notBefore: NOW + 23 * HOUR },
    ],
    [
      'the later of both counts',
      {
        policy: on,
        computeOptimizer,
        automation: seen('Inactive', { ...none, lastUpdated: NOW - 2 * HOUR }),
        record: recordOf({ automation: condition({ verdict: 'Compliant', optedOutAt: iso(NOW - HOUR) }) }),
      },
      { verdict: 'Blocked', reason: 'coolDown', notBefore: NOW + 23 * HOUR },
    ],
    [
      'associating has to wait for the cool-down, too, because it enables',
      { policy: associate, computeOptimizer, automation: seen('Inactive', { ...none, lastUpdated: NOW - HOUR }) },
      { verdict: 'Blocked', reason: 'coolDown' },
    ],
    [
      'what is Active has no cool-down',
      { policy: associate, computeOptimizer, automation: seen('Active', { ...none, lastUpdated: NOW - HOUR }) },
      { verdict: 'Drifted', action: 'AssociateAccounts' },
    ],
    [
      'Pending with only the rule mode managed, and compliant',
      {
        policy: policyOf('computeOptimizer: Active, organizationRules: NoneAllowed'),
        computeOptimizer,
        automation: seen('Pending', none),
      },
      { verdict: 'Compliant' },
    ],
    [
      'Pending while associated, NoneAllowed desired',
      { policy: dissociate, computeOptimizer, automation: seen('Pending', any) },
      { verdict: 'Stalled' },
    ],
    [
      'a contradiction between rules',
      {
        policy: policyOf(
          'computeOptimizer: Active, automation: Active',
          'rules: [{ id: off, match: { ou: /Workloads }, computeOptimizer: Inactive }]',
        ),
        computeOptimizer,
        automation: seen('Inactive', none),
      },
      { verdict: 'Blocked', reason: 'policyContradiction' },
    ],
    [
      'a contradiction between rules for a compliant enrollment: no drift',
      {
        policy: policyOf(
          'computeOptimizer: Active, automation: Active',
          'rules: [{ id: off, match: { ou: /Workloads }, computeOptimizer: Inactive }]',
        ),
        computeOptimizer,
        automation: seen('Active', none),
      },
      { verdict: 'Compliant' },
    ],
  ]);
});

describe('the first verdict that applies is taken', () => {
  // All verdicts apply to this account. Each step removes the cause of the previous verdict.
  const contradictory = policyOf(
    'computeOptimizer: Active, automation: Active',
    `rules: [{ id: off, match: { ou: /Workloads }, computeOptimizer: Inactive }]\n${exemption('both')}`,
  );
  const worst: Situation = {
    policy: contradictory,
    facts: { ...MEMBER, state: 'CLOSED' },
    suspended: true,
    computeOptimizer: seen('Inactive'),
    automation: unknown('denied'),
    record: recordOf({ automation: condition({ verdict: 'Converging', reason: 'acted', deadline: iso(NOW - 1) }) }),
  };
  const wants = policyOf('computeOptimizer: Active, automation: Active');
  const steps: readonly (readonly [Assessment['verdict'], Situation])[] = [
    ['NotApplicable', {}],
    [
      'Unmanaged',
      {
        facts: MEMBER,
        policy: policyOf('computeOptimizer: Active, automation: Active', `${MODE_OFF}\n${exemption('both')}`),
      },
    ],
    ['Suspended', { policy: contradictory }],
    ['Exempt', { suspended: false }],
    ['Unknown', { now: Date.UTC(2027, 5, 1) }],
    ['Converging', { automation: seen('Pending', { lastUpdated: Date.UTC(2027, 5, 1) }) }],
    ['Stalled', { now: Date.UTC(2027, 5, 2) }],
    ['Blocked', { automation: seen('Inactive', { lastUpdated: NOW - 9 * DAY }), computeOptimizer: seen('Active') }],
    ['Drifted', { policy: wants }],
    ['Compliant', { automation: seen('Active') }],
  ];

  it('covers all verdicts in order', () => {
    expect(steps.map(([verdict]) => verdict)).toEqual(VERDICTS);
  });

  let situation = worst;
  for (const [verdict, change] of steps) {
    situation = { ...situation, ...change };
    const now = situation;
    it(verdict, () => expect(judged(now).automation.verdict).toBe(verdict));
  }
});

it('a suspended account still has its observed status', () => {
  const { computeOptimizer } = judged({ computeOptimizer: seen('Inactive'), suspended: true, caller: CALLER });
  expect(computeOptimizer).toMatchObject({ status: 'Inactive', desired: { status: 'Active', ruleMode: null } });
});
