import { describe } from 'vitest';
import {
  condition,
  DAY,
  HOUR,
  iso,
  MANAGEMENT,
  MEMBER,
  NOW,
  policyOf,
  recordOf,
  seen,
  unknown,
} from '../../../support/domain-kit.ts';
import { type Case, table } from './assess-table.ts';

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

describe('an organization enrollment configuration', () => {
  const facts = { ...MEMBER, unitIds: ['r-root', 'ou-workloads', 'ou-prod'] };
  const computeOptimizer = seen('Active');
  const inherited = { type: 'inherited', targetId: 'ou-workloads' } as const;
  const any = { ruleMode: 'AnyAllowed', ruleModeSource: inherited } as const;
  const none = { ruleMode: 'NoneAllowed', ruleModeSource: inherited } as const;
  const associate = policyOf('computeOptimizer: Active, automation: Active, organizationRules: AnyAllowed');
  const dissociate = policyOf('computeOptimizer: Active, automation: Active, organizationRules: NoneAllowed');
  const off = policyOf('computeOptimizer: Active, automation: Inactive');
  const governed = {
    verdict: 'Blocked',
    reason: 'organizationConfiguration',
    action: 'none',
    heldAction: 'none',
  } as const;
  const enable = {
    verdict: 'Drifted',
    action: 'UpdateEnrollmentConfiguration',
    scope: 'member',
    target: 'Active',
  } as const;
  const given = (policy: typeof off, automation: ReturnType<typeof seen>) => ({
    policy,
    computeOptimizer,
    automation,
    facts,
  });

  table('automation', [
    [
      'that sets what the policy wants',
      given(associate, seen('Active', any)),
      { verdict: 'Compliant', ruleModeSource: inherited },
    ],
    [
      'that sets another rule mode needs a person',
      given(associate, seen('Active', none)),
      {
        ...{ ...governed, ruleModeSource: inherited },
        message:
          'the organization enrollment configuration on OU /Workloads (ou-workloads) sets NoneAllowed and keeps Automation enabled; change or delete it, or change the policy',
      },
    ],
    ['that sets AnyAllowed instead', given(dissociate, seen('Active', any)), governed],
    ['on an account that should be disabled', given(off, seen('Active', none)), governed],
    ['on an account that should be disabled and is', given(off, seen('Inactive', none)), { verdict: 'Compliant' }],
    ['that allows associations, on an account that should be disabled', given(off, seen('Active', any)), governed],
    ['with the right rule mode: the account enables itself', given(associate, seen('Inactive', any)), enable],
    ['with the wrong rule mode on a disabled account', given(associate, seen('Inactive', none)), governed],
    [
      'on the account itself',
      given(associate, seen('Active', { ...none, ruleModeSource: { type: 'applied', targetId: MEMBER.id } })),
      {
        ...governed,
        message: `the organization enrollment configuration on account ${MEMBER.id} sets NoneAllowed and keeps Automation enabled; change or delete it, or change the policy`,
      },
    ],
    [
      'that is not named by the read of one account, but by the record',
      {
        ...given(associate, seen('Active', { ...none, ruleModeSource: { type: 'configuration', targetId: null } })),
        record: recordOf({ automation: condition({ ruleMode: 'NoneAllowed', ruleModeSource: inherited }) }),
      },
      { ...governed, ruleModeSource: inherited },
    ],
    [
      'that is gone',
      {
        ...given(associate, seen('Active', { ruleMode: 'NoneAllowed', ruleModeSource: null })),
        record: recordOf({ automation: condition({ ruleMode: 'NoneAllowed', ruleModeSource: inherited }) }),
      },
      { verdict: 'Drifted', action: 'AssociateAccounts' },
    ],
    [
      'above an account that lacks Compute Optimizer',
      { ...given(associate, seen('Inactive', none)), computeOptimizer: seen('Inactive') },
      { verdict: 'Blocked', reason: 'prerequisite' },
    ],
    [
      'does not hide that someone set the account directly before',
      given(associate, seen('Active', { ruleMode: 'NoneAllowed', ruleModeSource: { type: 'direct', targetId: null } })),
      { verdict: 'Drifted', action: 'AssociateAccounts' },
    ],
  ]);
});
