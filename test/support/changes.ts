import type { Change } from '../../shared/domain/decision/plan.ts';

/** The nth account id. */
export const id = (n: number): string => String(100_000_000_000 + n);

export function change(rest: Partial<Change> = {}): Change {
  return {
    accountId: id(0),
    accountName: 'payments',
    ou: '/Workloads',
    enrollment: 'computeOptimizer',
    observed: 'Inactive',
    observedRuleMode: null,
    desired: 'Active',
    desiredRuleMode: null,
    verdict: 'Drifted',
    status: 'Drifted',
    action: 'UpdateEnrollmentStatus',
    heldAction: 'none',
    scope: 'member',
    optOut: false,
    rule: 'defaults',
    reason: 'statusDiffers',
    message: null,
    notBefore: null,
    ...rest,
  };
}
