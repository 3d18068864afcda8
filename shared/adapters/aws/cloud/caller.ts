import { GetEnrollmentStatusesForOrganizationCommand } from '@aws-sdk/client-compute-optimizer';
import { DescribeOrganizationCommand, ListDelegatedAdministratorsCommand } from '@aws-sdk/client-organizations';
import { GetCallerIdentityCommand } from '@aws-sdk/client-sts';
import * as z from 'zod';
import type { AccountId, Caller } from '../../../domain/enrollment/model.ts';
import { CloudError } from '../../../ports/cloud.ts';
import type { Calls } from './call-pipeline.ts';
import type { Clients } from './clients.ts';
import { ownError } from './cloud-errors.ts';
import { createReader, paged, type Reader, toListPage } from './organization-reader.ts';
import { accountId, checked } from './responses.ts';
import { COMPUTE_OPTIMIZER } from './trusted-access.ts';

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
const administrators = z
  .object({ ...paged, DelegatedAdministrators: z.array(z.object({ Id: accountId })) })
  .transform((page) => toListPage(page.DelegatedAdministrators, page.NextToken));

const GET_CALLER_IDENTITY = { service: 'sts', operation: 'GetCallerIdentity' };
const DESCRIBE_ORGANIZATION = { service: 'organizations', operation: 'DescribeOrganization' };
const LIST_ADMINISTRATORS = { service: 'organizations', operation: 'ListDelegatedAdministrators' };
const LIST_STATUSES = { service: 'compute-optimizer', operation: 'GetEnrollmentStatusesForOrganization' };

/** GetCallerIdentity, which needs no permission [API_GetCallerIdentity]. */
async function readOwnIdentity(clients: Clients, calls: Calls): Promise<OwnIdentity> {
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
  if (own.accountId === ids.managementAccountId) return { ...own, ...ids, role: 'management' };
  const reader = createReader(clients, calls, own.accountId, { retry: (call) => call() });
  const listed = await unlessDenied(listAdministrators(reader));
  const delegated = listed?.includes(own.accountId) ?? (await mayList(clients, calls, own.accountId));
  if (delegated) return { ...own, ...ids, role: 'delegatedAdministrator' };
  throw ownError(
    'Denied',
    'NotOrganizationCaller',
    { ...LIST_ADMINISTRATORS, accountId: own.accountId },
    `Account ${own.accountId} (${own.arn}) is neither the management account of ${ids.organizationId} ` +
      `(${ids.managementAccountId}) nor its delegated administrator for Compute Optimizer. Use credentials of one of them, ` +
      'or register this account from the management account: aws organizations register-delegated-administrator ' +
      `--account-id ${own.accountId} --service-principal ${COMPUTE_OPTIMIZER}`,
  );
}

/** Compute Optimizer's delegated administrators. Only the management account and delegated administrators (of any service) may list them. */
export async function listAdministrators(reader: Reader): Promise<readonly AccountId[]> {
  const found = await reader.all('ListDelegatedAdministrators', '', administrators, (client, NextToken) =>
    client.send(new ListDelegatedAdministratorsCommand({ ServicePrincipal: COMPUTE_OPTIMIZER, NextToken })),
  );
  return found.map(({ Id }) => Id);
}

/** Whether the caller may list enrollments, which only the management account and the delegated administrator may. */
async function mayList(clients: Clients, calls: Calls, own: AccountId): Promise<boolean> {
  const key = LIST_STATUSES;
  const session = await calls.ownSession(key, own);
  const send = () => clients.computeOptimizer.send(new GetEnrollmentStatusesForOrganizationCommand({ maxResults: 1 }));
  return (await unlessDenied(calls.make({ key, session, send }))) !== null;
}

/** The result of a call; `null` if AWS denies it. */
async function unlessDenied<T>(call: Promise<T>): Promise<T | null> {
  try {
    return await call;
  } catch (error) {
    if (error instanceof CloudError && error.kind === 'Denied') return null;
    throw error;
  }
}

export interface CachedIdentity {
  get(): Promise<OwnIdentity>;
  forget(): void;
}

/** Reads the identity of the caller's credentials once. A failure is not cached. */
export function cachedIdentity(clients: Clients, calls: Calls): CachedIdentity {
  let known: Promise<OwnIdentity> | null = null;
  return {
    get() {
      if (known !== null) return known;
      const reading = readOwnIdentity(clients, calls);
      known = reading;
      reading.catch(() => {
        if (known === reading) known = null;
      });
      return reading;
    },
    forget() {
      known = null;
    },
  };
}
