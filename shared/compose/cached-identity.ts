import type { Caller } from '../domain/enrollment/model.ts';
import type { Cloud } from '../ports/cloud.ts';

/** The cloud to one who is known: who we are does not change while a process lives. */
export function withCaller(cloud: Cloud, caller: Caller): Cloud {
  return {
    identify: async () => caller,
    readOrganization: (options) => cloud.readOrganization(options),
    readAccount: (accountId, options) => cloud.readAccount(accountId, options),
    trustedAccess: () => cloud.trustedAccess(),
    listEnrollmentStatuses: (pageToken) => cloud.listEnrollmentStatuses(pageToken),
    listAutomationAccounts: (pageToken) => cloud.listAutomationAccounts(pageToken),
    readComputeOptimizer: (accountId) => cloud.readComputeOptimizer(accountId),
    readAutomation: (accountId) => cloud.readAutomation(accountId),
    updateEnrollmentStatus: (request, beforeSend) => cloud.updateEnrollmentStatus(request, beforeSend),
    updateEnrollmentConfiguration: (request, beforeSend) => cloud.updateEnrollmentConfiguration(request, beforeSend),
    associateAccounts: (request, beforeSend) => cloud.associateAccounts(request, beforeSend),
    disassociateAccounts: (request, beforeSend) => cloud.disassociateAccounts(request, beforeSend),
  };
}
