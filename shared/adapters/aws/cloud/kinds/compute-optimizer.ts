import {
  GetEnrollmentStatusCommand,
  GetEnrollmentStatusesForOrganizationCommand,
  UpdateEnrollmentStatusCommand,
} from '@aws-sdk/client-compute-optimizer';
import * as z from 'zod';
import { COMPUTE_OPTIMIZER } from '../../../../domain/enrollment/kinds/compute-optimizer.ts';
import { checked, listedAccounts, observedEnrollment, pageToken, statusReasonOf, toPage } from '../responses.ts';
import { type EnrollmentDriver, requestsTo, unsupported } from './driver.ts';

const SERVICE = 'compute-optimizer';
const FAILED = [{ name: 'Status' as const, values: ['Failed'] }];

const page = z.object({ accountEnrollmentStatuses: listedAccounts, nextToken: pageToken });
const request = requestsTo(SERVICE);

export const computeOptimizerDriver: EnrollmentDriver = {
  list: (nextToken, failedOnly = false) =>
    request(
      'GetEnrollmentStatusesForOrganization',
      {
        ...(failedOnly && { filters: FAILED }),
        maxResults: COMPUTE_OPTIMIZER.listPageSize,
        ...(nextToken !== null && { nextToken }),
      },
      ({ computeOptimizer }, input) => computeOptimizer.send(new GetEnrollmentStatusesForOrganizationCommand(input)),
    ),

  parsePage(answer, answered) {
    const { accountEnrollmentStatuses, nextToken } = checked(page, answer, answered);
    return toPage(accountEnrollmentStatuses, nextToken);
  },

  read: () =>
    request('GetEnrollmentStatus', {}, ({ computeOptimizer }, input) =>
      computeOptimizer.send(new GetEnrollmentStatusCommand(input)),
    ),

  parseRead: observedEnrollment,

  change(change) {
    const { action, target, status } = change;
    if (action !== 'UpdateEnrollmentStatus' || target.scope === 'batch') throw unsupported(SERVICE, change);
    const input = { status, ...(target.scope === 'organization' && { includeMemberAccounts: true }) };
    return request(action, input, ({ computeOptimizer }) =>
      computeOptimizer.send(new UpdateEnrollmentStatusCommand(input)),
    );
  },

  parseChange: (answer) => ({ message: statusReasonOf(answer), refused: new Map() }),
};
