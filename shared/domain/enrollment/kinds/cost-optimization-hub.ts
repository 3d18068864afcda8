import type { EnrollmentKind } from './kind.ts';

export const COST_OPTIMIZATION_HUB = {
  id: 'costOptimizationHub',
  title: 'Cost Optimization Hub',
  service: 'cost-optimization-hub',
  partitions: ['aws'],
  listOperation: 'ListEnrollmentStatuses',
  // [API_CostOptimizationHub_ListEnrollmentStatuses]
  listPageSize: 100,
  readOperation: 'ListEnrollmentStatuses',
  targets: ['Active', 'Inactive'],
  prerequisites: [],
  coolDownMs: null,
  optOutDeletes: null,
  hasRuleMode: false,
  sinceFirstRelease: false,
  actions: [
    {
      operation: 'UpdateEnrollmentStatus',
      effect: 'setStatus',
      scopes: ['member', 'own', 'organization'],
      batchSize: null,
      idempotent: false,
    },
  ],
  eventSources: ['cost-optimization-hub.amazonaws.com'],
  serviceLinkedRole: 'cost-optimization-hub.bcm.amazonaws.com',
  organizationPrincipal: 'cost-optimization-hub.bcm.amazonaws.com',
  iamActions: {
    caller: ['cost-optimization-hub:ListEnrollmentStatuses', 'cost-optimization-hub:UpdateEnrollmentStatus'],
    member: ['cost-optimization-hub:ListEnrollmentStatuses', 'cost-optimization-hub:UpdateEnrollmentStatus'],
  },
  // An account that was never enrolled is not listed [API_CostOptimizationHub_ListEnrollmentStatuses].
  absence: 'inactive',
} as const satisfies EnrollmentKind;
