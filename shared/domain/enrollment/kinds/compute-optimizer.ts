import type { EnrollmentKind } from './kind.ts';

export const COMPUTE_OPTIMIZER = {
  id: 'computeOptimizer',
  title: 'Compute Optimizer',
  service: 'compute-optimizer',
  partitions: null,
  listOperation: 'GetEnrollmentStatusesForOrganization',
  // [API_GetEnrollmentStatusesForOrganization]
  listPageSize: 100,
  readOperation: 'GetEnrollmentStatus',
  targets: ['Active', 'Inactive'],
  prerequisites: [],
  coolDownMs: null,
  // [API_UpdateEnrollmentStatus]
  optOutDeletes: 'recommendations and metrics',
  hasRuleMode: false,
  sinceFirstRelease: true,
  actions: [
    {
      operation: 'UpdateEnrollmentStatus',
      effect: 'setStatus',
      scopes: ['member', 'own', 'organization'],
      batchSize: null,
      idempotent: false,
    },
  ],
  // The service model and the documentation spell it in different ways.
  eventSources: ['computeoptimizer.amazonaws.com', 'compute-optimizer.amazonaws.com'],
  serviceLinkedRole: 'compute-optimizer.amazonaws.com',
  organizationPrincipal: 'compute-optimizer.amazonaws.com',
  iamActions: {
    caller: [
      'compute-optimizer:GetEnrollmentStatus',
      'compute-optimizer:GetEnrollmentStatusesForOrganization',
      'compute-optimizer:UpdateEnrollmentStatus',
    ],
    member: ['compute-optimizer:GetEnrollmentStatus', 'compute-optimizer:UpdateEnrollmentStatus'],
  },
  // The listing never contains the management account [API_GetEnrollmentStatusesForOrganization].
  absence: 'unknown',
} as const satisfies EnrollmentKind;
