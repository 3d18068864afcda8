import type { EnrollmentKind } from '../../shared/domain/enrollment/kinds/kind.ts';
import { REGISTRY as PRODUCT } from '../../shared/domain/enrollment/kinds/registry.ts';

/**
 * A third kind that no product file knows. It shares the name of an operation with Compute Optimizer, as AWS's Cost Optimization Hub does, and depends
 * on Compute Optimizer as Automation does.
 */
export const FAKE_KIND = {
  id: 'fakeKind',
  title: 'Fake kind',
  service: 'fake-service',
  partitions: null,
  listOperation: 'ListFakeAccounts',
  listPageSize: 100,
  readOperation: 'GetFakeStatus',
  targets: ['Active', 'Inactive'],
  prerequisites: ['computeOptimizer'],
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
      idempotent: true,
    },
  ],
  eventSources: ['fake-service.amazonaws.com'],
  serviceLinkedRole: 'fake-service.amazonaws.com',
  organizationPrincipal: 'fake-service.amazonaws.com',
  iamActions: {
    caller: ['fake-service:GetFakeStatus', 'fake-service:ListFakeAccounts', 'fake-service:UpdateEnrollmentStatus'],
    member: ['fake-service:GetFakeStatus', 'fake-service:UpdateEnrollmentStatus'],
  },
  absence: 'unknown',
} as const satisfies EnrollmentKind;

/** Replaces `shared/domain/enrollment/kinds/registry.ts` in the tests of `test/third-kind` (`third-kind.ts`). */
export const REGISTRY = [...PRODUCT, FAKE_KIND] as const;
