import { describe } from 'vitest';
import {
  condition,
  DAY,
  HOUR,
  iso,
  MANAGEMENT,
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
