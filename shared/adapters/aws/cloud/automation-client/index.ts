/**
 * The part of `@aws-sdk/client-compute-optimizer-automation` that Rollcall uses, under the same names, so that the package can replace this
 * folder. On 2026-11-29 the npm registry had no such package (docs/decisions/0012-what-stays-hand-written.md).
 */
export {
  ComputeOptimizerAutomationClient,
  type ComputeOptimizerAutomationClientConfig,
} from './client.ts';
export {
  AssociateAccountsCommand,
  DeleteOrganizationEnrollmentConfigurationCommand,
  DisassociateAccountsCommand,
  GetEnrollmentConfigurationCommand,
  ListAccountsCommand,
  ListOrganizationalUnitsCommand,
  ListOrganizationEnrollmentConfigurationsCommand,
  PutOrganizationEnrollmentConfigurationCommand,
  UpdateEnrollmentConfigurationCommand,
} from './commands.ts';
export {
  ComputeOptimizerAutomationServiceException,
  ConflictException,
  ForbiddenException,
  ThrottlingException,
} from './errors.ts';
export type * from './models.ts';
