import * as z from 'zod';
import { COST_OPTIMIZATION_HUB } from '../../../../domain/enrollment/kinds/cost-optimization-hub.ts';
import { ownError } from '../cloud-errors.ts';
import { ListEnrollmentStatusesCommand, UpdateEnrollmentStatusCommand } from '../cost-optimization-hub-client/index.ts';
import { checked, listedAccounts, NEVER_ENROLLED, observedEnrollment, pageToken, toPage } from '../responses.ts';
import { type EnrollmentDriver, requestsTo, unsupported } from './driver.ts';

const SERVICE = 'cost-optimization-hub';

const page = z.object({ items: listedAccounts, nextToken: pageToken });
const request = requestsTo(SERVICE);

export const costOptimizationHubDriver: EnrollmentDriver = {
  list: (nextToken) =>
    request(
      'ListEnrollmentStatuses',
      {
        includeOrganizationInfo: true,
        maxResults: COST_OPTIMIZATION_HUB.listPageSize,
        ...(nextToken !== null && { nextToken }),
      },
      ({ costOptimizationHub }, input) => costOptimizationHub.send(new ListEnrollmentStatusesCommand(input)),
    ),

  parsePage(answer, answered) {
    const { items, nextToken } = checked(page, answer, answered);
    return toPage(items, nextToken);
  },

  read: () =>
    request('ListEnrollmentStatuses', {}, ({ costOptimizationHub }, input) =>
      costOptimizationHub.send(new ListEnrollmentStatusesCommand(input)),
    ),

  /** Without the organization, the list has only the calling account, or nothing if it was never enrolled. */
  parseRead(answer, answered) {
    const { items, nextToken } = checked(page, answer, answered);
    const own = items.find(({ accountId }) => accountId === answered.session.accountId);
    if (own !== undefined) return observedEnrollment(own, answered);
    if (!nextToken) return NEVER_ENROLLED;
    // The account may be on a later page.
    const { key, session } = answered;
    const message = `${key.operation} returned a page that lacks account ${session.accountId} and is not the last one. The answer is ignored.`;
    throw ownError('Transient', 'UnfinishedAnswer', { ...key, accountId: session.accountId }, message);
  },

  change(change) {
    const { action, target, status } = change;
    if (action !== 'UpdateEnrollmentStatus' || target.scope === 'batch') throw unsupported(SERVICE, change);
    const input = { status, ...(target.scope === 'organization' && { includeMemberAccounts: true }) };
    return request(action, input, ({ costOptimizationHub }) =>
      costOptimizationHub.send(new UpdateEnrollmentStatusCommand(input)),
    );
  },

  parseChange: () => ({ message: null, refused: new Map() }),
};
