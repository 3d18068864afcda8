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
      // Whatever is not Drifted makes no call; whatever is not Compliant says why.
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
      'an account in a state that is not known',
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
      'the policy says nothing',
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
      'the exemption is in force to its last moment',
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
      'the management account changes itself by its own credentials',
      { ...inactive, facts: MANAGEMENT },
      { verdict: 'Drifted', action: 'UpdateEnrollmentStatus', scope: 'own' },
    ],
    [
      'to a delegated administrator, its own account is its own',
      { ...inactive, caller: DELEGATE, facts: { ...MEMBER, id: DELEGATE.accountId } },
      { verdict: 'Drifted', scope: 'own' },
    ],
    [
      'a delegated administrator sees nothing of the management account',
      { computeOptimizer: unknown('callerCannotRead'), caller: DELEGATE, facts: MANAGEMENT },
      { verdict: 'Unknown', reason: 'callerCannotRead' },
    ],
    [
      'opting out is marked as such',
      { computeOptimizer: seen('Active'), policy: wantsInactive },
      { verdict: 'Drifted', action: 'UpdateEnrollmentStatus', target: 'Inactive', optOut: true },
    ],
    [
      'a listing broke off: nothing is opted out',
      { computeOptimizer: seen('Active'), policy: wantsInactive, optOutsAllowed: false },
      { verdict: 'Blocked', reason: 'guardrail' },
    ],
    ['a listing broke off: opting in goes on', { ...inactive, optOutsAllowed: false }, { verdict: 'Drifted' }],
    [
      'alert only',
      { ...inactive, policy: policyOf('computeOptimizer: Active, mode: alert') },
      { verdict: 'Drifted', reason: 'alertOnly', action: 'none' },
    ],
    [
      'Failed where Active is wanted',
      { computeOptimizer: seen('Failed', { statusReason: 'no service-linked role' }) },
      {
        verdict: 'Drifted',
        reason: 'enrollmentFailed',
        action: 'UpdateEnrollmentStatus',
        message: 'no service-linked role',
      },
    ],
    [
      'Failed where Inactive is wanted',
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

describe('Pending, and what was acted upon', () => {
  const acted = condition({ verdict: 'Converging', reason: 'acted', deadline: iso(NOW + 5 * HOUR) });
  const stalled = { ...acted, verdict: 'Stalled', reason: 'deadlinePassed', deadline: iso(NOW - DAY) } as const;
  const pending = (lastUpdated: number | null) => ({ computeOptimizer: seen('Pending', { lastUpdated }) });
  table('computeOptimizer', [
    [
      'Pending has until pendingDeadline after AWS says it began',
      pending(NOW - HOUR),
      { verdict: 'Converging', reason: 'pending', deadline: NOW + 23 * HOUR },
    ],
    [
      'Pending where Inactive is wanted as well',
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
      'Pending without a timestamp counts from when it is first seen',
      pending(null),
      { verdict: 'Converging', deadline: NOW + DAY },
    ],
    [
      'Pending without a timestamp keeps the deadline it was given',
      {
        ...pending(null),
        record: recordOf({
          computeOptimizer: condition({ verdict: 'Converging', status: 'Pending', deadline: iso(NOW - 1) }),
        }),
      },
      { verdict: 'Stalled', deadline: NOW - 1 },
    ],
    [
      'Pending that AWS dates from long before our call counts from our call',
      { ...pending(NOW - 30 * DAY), record: recordOf({ computeOptimizer: acted }) },
      { verdict: 'Converging', deadline: NOW + 5 * HOUR },
    ],
    [
      'a stalled Pending that began anew has its whole time again',
      {
        ...pending(NOW - HOUR),
        record: recordOf({
          computeOptimizer: condition({ verdict: 'Stalled', status: 'Pending', deadline: iso(NOW - DAY) }),
        }),
      },
      { verdict: 'Converging', deadline: NOW + 23 * HOUR },
    ],
    [
      'acted, and AWS shows the old picture',
      { computeOptimizer: seen('Inactive'), record: recordOf({ computeOptimizer: acted }) },
      { verdict: 'Converging', reason: 'acted', deadline: NOW + 5 * HOUR },
    ],
    [
      'acted, the old picture, and the deadline has passed',
      {
        computeOptimizer: seen('Inactive'),
        record: recordOf({ computeOptimizer: condition({ ...acted, deadline: iso(NOW) }) }),
      },
      { verdict: 'Stalled', reason: 'deadlinePassed' },
    ],
    [
      'stalled stays stalled while nothing moves, until its pause is over',
      {
        computeOptimizer: seen('Inactive'),
        record: recordOf({ computeOptimizer: condition({ ...stalled, notBefore: iso(NOW + 1) }) }),
      },
      { verdict: 'Stalled', reason: 'deadlinePassed', notBefore: NOW + 1 },
    ],
    [
      'the result of a call was never seen: after the pause the call is made again',
      {
        computeOptimizer: seen('Inactive'),
        record: recordOf({ computeOptimizer: condition({ ...stalled, notBefore: iso(NOW) }) }),
      },
      { verdict: 'Drifted', action: 'UpdateEnrollmentStatus' },
    ],
    [
      'stalled while AWS says Pending: never called, however long',
      {
        computeOptimizer: seen('Pending'),
        record: recordOf({
          computeOptimizer: condition({ ...stalled, status: 'Pending', notBefore: iso(NOW - 9 * DAY) }),
        }),
      },
      { verdict: 'Stalled' },
    ],
    [
      'acted, and the result is there',
      { computeOptimizer: seen('Active'), record: recordOf({ computeOptimizer: acted }) },
      { verdict: 'Compliant' },
    ],
    [
      'acted, and someone moved it since',
      {
        computeOptimizer: seen('Inactive', { lastUpdated: NOW - 1 }),
        record: recordOf({ computeOptimizer: acted }),
      },
      { verdict: 'Drifted', action: 'UpdateEnrollmentStatus' },
    ],
    [
      'acted, and the policy now wants something else',
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
      'a worker holds the claim',
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
      'a retry keeps its action and its time',
      { policy, computeOptimizer, record: waiting({}) },
      { verdict: 'Drifted', reason: 'retrying', action: 'UpdateEnrollmentStatus', notBefore: NOW + HOUR },
    ],
    [
      'the pause is over',
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
      'another policy ends the pause',
      { policy, computeOptimizer, record: waiting({ policyHash: 'another' }) },
      { verdict: 'Drifted', reason: 'statusDiffers' },
    ],
    [
      'another wish ends the pause',
      { policy, computeOptimizer, record: waiting({ desired: 'Inactive' }) },
      { verdict: 'Drifted', reason: 'statusDiffers' },
    ],
    [
      'what has healed by itself is Compliant, pause or not',
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
      'the management account enables its own',
      { policy: associate, computeOptimizer, automation: seen('Inactive', none), facts: MANAGEMENT },
      { ...update, scope: 'own', target: 'Active', desired: { status: 'Active', ruleMode: null } },
    ],
    [
      'the management account is never disassociated from itself',
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
      'AnyAllowed is wanted',
      { policy: associate, computeOptimizer, automation: seen('Active', none) },
      { verdict: 'Drifted', reason: 'ruleModeDiffers', action: 'AssociateAccounts', scope: 'batch' },
    ],
    [
      'NoneAllowed is wanted',
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
      'the rule that decides the rule mode is named where only that is managed',
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
      'nothing is disassociated when a listing broke off',
      { policy: dissociate, computeOptimizer, automation: seen('Active', any), optOutsAllowed: false },
      { verdict: 'Blocked', reason: 'guardrail' },
    ],
    [
      'Failed where Inactive is wanted blocks disassociating as well',
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
      'prerequisite: Compute Optimizer is not known',
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
      'Pending with only the rule mode managed and as wanted',
      {
        policy: policyOf('computeOptimizer: Active, organizationRules: NoneAllowed'),
        computeOptimizer,
        automation: seen('Pending', none),
      },
      { verdict: 'Compliant' },
    ],
    [
      'Pending while associated and not wanted so',
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
      'a contradiction between rules, for the half that is observed as desired: no drift, so nothing is blocked',
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

describe('the first verdict that applies stands', () => {
  // Everything is wrong with this account at once. Each step takes away what gave the verdict before it.
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

  it('covers all verdicts in their order', () => {
    expect(steps.map(([verdict]) => verdict)).toEqual(VERDICTS);
  });

  let situation = worst;
  for (const [verdict, change] of steps) {
    situation = { ...situation, ...change };
    const now = situation;
    it(verdict, () => expect(judged(now).automation.verdict).toBe(verdict));
  }
});

it('an account that is suspended or exempt still says what was observed', () => {
  const { computeOptimizer } = judged({ computeOptimizer: seen('Inactive'), suspended: true, caller: CALLER });
  expect(computeOptimizer).toMatchObject({ status: 'Inactive', desired: { status: 'Active', ruleMode: null } });
});
