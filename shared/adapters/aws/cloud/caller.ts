import { GetEnrollmentStatusesForOrganizationCommand } from '@aws-sdk/client-compute-optimizer';
import { DescribeOrganizationCommand, ListDelegatedAdministratorsCommand } from '@aws-sdk/client-organizations';
import { GetCallerIdentityCommand } from '@aws-sdk/client-sts';
import * as z from 'zod';
import type { AccountId, Caller } from '../../../domain/enrollment/model.ts';
import { MAX_ACCOUNTS, PageBounds } from '../../../domain/page-bounds.ts';
import { CloudError } from '../../../ports/cloud.ts';
import type { Calls, Session } from './call-pipeline.ts';
import type { Clients } from './clients.ts';
import { endlessListing, ownError } from './cloud-errors.ts';
import { MAX_PAGE } from './organization-reader.ts';
import { accountId, checked } from './responses.ts';

/** The identity of the caller's own credentials. */
export interface OwnIdentity {
  readonly accountId: AccountId;
  readonly arn: string;
  readonly partition: string;
}

export interface OrganizationIds {
  readonly organizationId: string;
  readonly managementAccountId: AccountId;
}

const callerIdentity = z.object({
  Account: accountId,
  Arn: z.string().regex(/^arn:[a-z0-9-]+:/, 'is not an ARN'),
});
const organization = z.object({
  Organization: z.object({ Id: z.string().min(1), MasterAccountId: accountId }),
});
const administrators = z.object({
  DelegatedAdministrators: z.array(z.object({ Id: accountId })),
  NextToken: z.string().nullish(),
});

/** Compute Optimizer's service principal in Organizations [delegate-administrator-account]. */
const SERVICE_PRINCIPAL = 'compute-optimizer.amazonaws.com';

const GET_CALLER_IDENTITY = { service: 'sts', operation: 'GetCallerIdentity' };
const DESCRIBE_ORGANIZATION = { service: 'organizations', operation: 'DescribeOrganization' };
const LIST_ADMINISTRATORS = { service: 'organizations', operation: 'ListDelegatedAdministrators' };
const LIST_STATUSES = { service: 'compute-optimizer', operation: 'GetEnrollmentStatusesForOrganization' };

/** GetCallerIdentity, which needs no permission [API_GetCallerIdentity]. */
export async function readOwnIdentity(clients: Clients, calls: Calls): Promise<OwnIdentity> {
  const key = GET_CALLER_IDENTITY;
  const session = await calls.ownSession(key, null);
  const send = () => clients.sts.send(new GetCallerIdentityCommand({}));
  const { Account, Arn } = checked(callerIdentity, await calls.make({ key, session, send }), { key, session });
  const [, partition = ''] = Arn.split(':');
  return { accountId: Account, arn: Arn, partition };
}

/** DescribeOrganization, which any account of the organization may call [API_DescribeOrganization]. */
export async function describeOrganization(clients: Clients, calls: Calls, own: AccountId): Promise<OrganizationIds> {
  const key = DESCRIBE_ORGANIZATION;
  const session = await calls.ownSession(key, own);
  const send = () => clients.organizations.send(new DescribeOrganizationCommand({}));
  const { Organization } = checked(organization, await calls.make({ key, session, send }), { key, session });
  return { organizationId: Organization.Id, managementAccountId: Organization.MasterAccountId };
}

/** @throws CloudError `NotOrganizationCaller` for an account that can neither see nor change the organization. */
export async function identifyCaller(clients: Clients, calls: Calls, own: OwnIdentity): Promise<Caller> {
  const ids = await describeOrganization(clients, calls, own.accountId);
  if (own.accountId === ids.managementAccountId) {
    return { ...own, ...ids, role: 'management' };
  }
  const session = await calls.ownSession(LIST_ADMINISTRATORS, own.accountId);
  const delegated =
    (await isListedAsAdministrator(clients, calls, session)) ?? (await mayList(clients, calls, session));
  if (delegated) {
    return { ...own, ...ids, role: 'delegatedAdministrator' };
  }
  throw ownError(
    'Denied',
    'NotOrganizationCaller',
    { ...LIST_ADMINISTRATORS, accountId: own.accountId },
    `Account ${own.accountId} (${own.arn}) is neither the management account of ${ids.organizationId} ` +
      `(${ids.managementAccountId}) nor its delegated administrator for Compute Optimizer. Use credentials of one of them, ` +
      'or register this account from the management account: aws organizations register-delegated-administrator ' +
      `--account-id ${own.accountId} --service-principal ${SERVICE_PRINCIPAL}`,
  );
}

/** `null` if the caller may not list administrators: only the management account and delegated administrators (of any service) may. */
async function isListedAsAdministrator(clients: Clients, calls: Calls, session: Session): Promise<boolean | null> {
  const key = LIST_ADMINISTRATORS;
  const bounds = new PageBounds({ itemsPerPage: MAX_PAGE, maxItems: MAX_ACCOUNTS });
  let total = 0;
  for (let token: string | undefined; ; ) {
    const input = { ServicePrincipal: SERVICE_PRINCIPAL, ...(token !== undefined && { NextToken: token }) };
    const send = () => clients.organizations.send(new ListDelegatedAdministratorsCommand(input));
    try {
      const page = checked(administrators, await calls.make({ key, session, send }), { key, session });
      if (page.DelegatedAdministrators.some(({ Id }) => Id === session.accountId)) {
        return true;
      }
      const { length: items } = page.DelegatedAdministrators;
      total += items;
      const why = bounds.broken({ items, total, token: page.NextToken || null });
      if (why !== null) throw endlessListing({ ...key, accountId: session.accountId }, why);
      token = page.NextToken || undefined;
      if (token === undefined) return false;
    } catch (error) {
      if (error instanceof CloudError && error.kind === 'Denied') {
        return null;
      }
      throw error;
    }
  }
}

/** Whether the caller may list enrollments, which only the management account and the delegated administrator may. */
async function mayList(clients: Clients, calls: Calls, session: Session): Promise<boolean> {
  const key = LIST_STATUSES;
  const send = () => clients.computeOptimizer.send(new GetEnrollmentStatusesForOrganizationCommand({ maxResults: 1 }));
  try {
    await calls.make({ key, session, send });
    return true;
  } catch (error) {
    if (error instanceof CloudError && error.kind === 'Denied') {
      return false;
    }
    throw error;
  }
}
