import { describe } from 'vitest';
import { condition, DAY, HOUR, iso, NOW, policyOf, recordOf, seen } from '../../../support/domain-kit.ts';
import { type Case, table } from './assess-table.ts';

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
      'a recorded call without a deadline counts from its record, so that it ends',
      {
        computeOptimizer: seen('Inactive'),
        record: recordOf({ computeOptimizer: { ...acted, deadline: null, changedAt: iso(NOW - DAY) } }),
      },
      { verdict: 'Stalled', reason: 'deadlinePassed', deadline: NOW },
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
      'after a call, the policy desires the state from before it, which AWS still shows',
      {
        computeOptimizer: seen('Inactive'),
        policy: policyOf('computeOptimizer: Inactive'),
        record: recordOf({ computeOptimizer: acted }),
      },
      { verdict: 'Converging', reason: 'acted', deadline: NOW + 5 * HOUR, action: 'none' },
    ],
    [
      'the same past the deadline: the call had no effect',
      {
        computeOptimizer: seen('Inactive'),
        policy: policyOf('computeOptimizer: Inactive'),
        record: recordOf({ computeOptimizer: condition({ ...acted, deadline: iso(NOW) }) }),
      },
      { verdict: 'Compliant' },
    ],
    [
      'the same, but AWS shows a change since the call',
      {
        computeOptimizer: seen('Inactive', { lastUpdated: NOW - 1 }),
        policy: policyOf('computeOptimizer: Inactive'),
        record: recordOf({ computeOptimizer: acted }),
      },
      { verdict: 'Compliant' },
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
