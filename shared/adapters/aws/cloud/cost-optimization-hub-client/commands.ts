import { commandsOf } from '../service-client/commands.ts';
import { SERVICE_TARGET } from './client.ts';
import type * as models from './models.ts';
import * as schemas from './schemas.ts';

const commandClass = commandsOf(SERVICE_TARGET, 'CostOptimizationHubClient');

/** Lists the enrollment of the caller's own account, or of the organization. Accounts that were never enrolled are left out. */
export class ListEnrollmentStatusesCommand extends commandClass<
  models.ListEnrollmentStatusesRequest,
  models.ListEnrollmentStatusesResponse
>('ListEnrollmentStatuses', schemas.ListEnrollmentStatuses$) {}

/** Enables or disables Cost Optimization Hub in the caller's own account; the management account may include all members. */
export class UpdateEnrollmentStatusCommand extends commandClass<
  models.UpdateEnrollmentStatusRequest,
  models.UpdateEnrollmentStatusResponse
>('UpdateEnrollmentStatus', schemas.UpdateEnrollmentStatus$) {}
