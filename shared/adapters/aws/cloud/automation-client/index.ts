/** What `@aws-sdk/client-compute-optimizer-automation` exports, as far as Rollcall uses it and by its names. */
export {
  ComputeOptimizerAutomationClient,
  type ComputeOptimizerAutomationClientConfig,
} from './client.ts';
export {
  AssociateAccountsCommand,
  DisassociateAccountsCommand,
  GetEnrollmentConfigurationCommand,
  ListAccountsCommand,
  UpdateEnrollmentConfigurationCommand,
} from './commands.ts';
export {
  ComputeOptimizerAutomationServiceException,
  ForbiddenException,
  ThrottlingException,
} from './errors.ts';
export type * from './models.ts';
