import type { EnrollmentKind } from './kind.ts';

export const AUTOMATION = {
  id: 'automation',
  title: 'Automation',
  service: 'aco-automation',
  partitions: null,
  listOperation: 'ListAccounts',
  // [API_automation_ListAccounts]
  listPageSize: 1000,
  readOperation: 'GetEnrollmentConfiguration',
  targets: ['Active', 'Inactive'],
  prerequisites: ['computeOptimizer'],
  // AWS refuses to enable Automation again for 24 hours after it was disabled [automation-disable].
  coolDownMs: 24 * 60 * 60 * 1000,
  optOutDeletes: null,
  hasRuleMode: true,
  sinceFirstRelease: true,
  actions: [
    {
      operation: 'UpdateEnrollmentConfiguration',
      effect: 'setStatus',
      scopes: ['member', 'own'],
      batchSize: null,
      idempotent: true,
    },
    {
      operation: 'AssociateAccounts',
      effect: 'associate',
      scopes: ['batch'],
      // AWS's maximum number of accounts in one call [API_automation_AssociateAccounts].
      batchSize: 50,
      idempotent: true,
    },
    {
      operation: 'DisassociateAccounts',
      effect: 'disassociate',
      scopes: ['batch'],
      // AWS documents no limit here; the one of AssociateAccounts is kept.
      batchSize: 50,
      idempotent: true,
    },
    {
      operation: 'PutOrganizationEnrollmentConfiguration',
      effect: 'putConfiguration',
      scopes: ['configuration'],
      batchSize: null,
      idempotent: true,
    },
    {
      operation: 'DeleteOrganizationEnrollmentConfiguration',
      effect: 'deleteConfiguration',
      scopes: ['configuration'],
      batchSize: null,
      idempotent: true,
    },
  ],
  eventSources: ['aco-automation.amazonaws.com'],
  serviceLinkedRole: 'aco-automation.amazonaws.com',
  organizationPrincipal: 'compute-optimizer.amazonaws.com',
  iamActions: {
    caller: [
      'aco-automation:GetEnrollmentConfiguration',
      'aco-automation:ListAccounts',
      'aco-automation:ListOrganizationEnrollmentConfigurations',
      'aco-automation:UpdateEnrollmentConfiguration',
      'aco-automation:AssociateAccounts',
      'aco-automation:DisassociateAccounts',
      // Called only under `automationConfigurations: manage`.
      'aco-automation:PutOrganizationEnrollmentConfiguration',
      'aco-automation:DeleteOrganizationEnrollmentConfiguration',
    ],
    member: ['aco-automation:GetEnrollmentConfiguration', 'aco-automation:UpdateEnrollmentConfiguration'],
  },
  // AWS lists only accounts that are enrolled in Compute Optimizer [API_automation_ListAccounts].
  absence: 'inactiveWithoutPrerequisite',
} as const satisfies EnrollmentKind;
