import { commandsOf } from '../service-client/commands.ts';
import { SERVICE_TARGET } from './client.ts';
import type * as models from './models.ts';
import * as schemas from './schemas.ts';

const commandClass = commandsOf(SERVICE_TARGET, 'ComputeOptimizerAutomationClient');

/** Enables or disables Automation in the caller's own account. */
export class UpdateEnrollmentConfigurationCommand extends commandClass<
  models.UpdateEnrollmentConfigurationRequest,
  models.UpdateEnrollmentConfigurationResponse
>('UpdateEnrollmentConfiguration', schemas.UpdateEnrollmentConfiguration$) {}

/** Reads Automation's enrollment of the caller's own account. */
export class GetEnrollmentConfigurationCommand extends commandClass<
  models.GetEnrollmentConfigurationRequest,
  models.GetEnrollmentConfigurationResponse
>('GetEnrollmentConfiguration', schemas.GetEnrollmentConfiguration$) {}

/** Lists the accounts that are enrolled in Compute Optimizer; management account or delegated administrator only. */
export class ListAccountsCommand extends commandClass<models.ListAccountsRequest, models.ListAccountsResponse>(
  'ListAccounts',
  schemas.ListAccounts$,
) {}

/** Lets the organization's rules act in up to 50 accounts, and enables Automation there. */
export class AssociateAccountsCommand extends commandClass<
  models.AssociateAccountsRequest,
  models.AssociateAccountsResponse
>('AssociateAccounts', schemas.AssociateAccounts$) {}

/** Stops the organization's rules from acting in up to 50 accounts. */
export class DisassociateAccountsCommand extends commandClass<
  models.DisassociateAccountsRequest,
  models.DisassociateAccountsResponse
>('DisassociateAccounts', schemas.DisassociateAccounts$) {}

/** Sets the rule mode of an account, an OU or the root, and enables Automation in the members below that are in Compute Optimizer. */
export class PutOrganizationEnrollmentConfigurationCommand extends commandClass<
  models.PutOrganizationEnrollmentConfigurationRequest,
  models.PutOrganizationEnrollmentConfigurationResponse
>('PutOrganizationEnrollmentConfiguration', schemas.PutOrganizationEnrollmentConfiguration$) {}

/** Deletes the configuration of an account, an OU or the root. Automation stays enabled below. */
export class DeleteOrganizationEnrollmentConfigurationCommand extends commandClass<
  models.DeleteOrganizationEnrollmentConfigurationRequest,
  models.DeleteOrganizationEnrollmentConfigurationResponse
>('DeleteOrganizationEnrollmentConfiguration', schemas.DeleteOrganizationEnrollmentConfiguration$) {}

/** Lists the configurations that are stored on accounts, OUs and the root. */
export class ListOrganizationEnrollmentConfigurationsCommand extends commandClass<
  models.ListOrganizationEnrollmentConfigurationsRequest,
  models.ListOrganizationEnrollmentConfigurationsResponse
>('ListOrganizationEnrollmentConfigurations', schemas.ListOrganizationEnrollmentConfigurations$) {}

/** Lists the OUs and the root with the rule mode that applies to each. */
export class ListOrganizationalUnitsCommand extends commandClass<
  models.ListOrganizationalUnitsRequest,
  models.ListOrganizationalUnitsResponse
>('ListOrganizationalUnits', schemas.ListOrganizationalUnits$) {}
