/** What `@aws-sdk/client-compute-optimizer-automation` exports, as far as Rollcall uses it and by its names. */
export {
  ComputeOptimizerAutomationClient,
  type ComputeOptimizerAutomationClientConfig,
  type ComputeOptimizerAutomationClientResolvedConfig,
} from './client.ts';
export {
  AssociateAccountsCommand,
  DisassociateAccountsCommand,
  GetEnrollmentConfigurationCommand,
  ListAccountsCommand,
  UpdateEnrollmentConfigurationCommand,
} from './commands.ts';
export {
  AccessDeniedException,
  ComputeOptimizerAutomationServiceException,
  ForbiddenException,
  IdempotencyTokenInUseException,
  IdempotentParameterMismatchException,
  InternalServerException,
  InvalidParameterValueException,
  NotManagementAccountException,
  OptInRequiredException,
  ResourceNotFoundException,
  ServiceUnavailableException,
  ThrottlingException,
} from './errors.ts';
export type * from './models.ts';
