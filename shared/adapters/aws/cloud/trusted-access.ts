import { ListAWSServiceAccessForOrganizationCommand } from '@aws-sdk/client-organizations';
import * as z from 'zod';
import type { AccountId } from '../../../domain/enrollment/model.ts';
import type { Calls } from './call-pipeline.ts';
import type { Clients } from './clients.ts';
import { createReader, paged, type Reader, toListPage } from './organization-reader.ts';

/** Compute Optimizer's service principal in Organizations [delegate-administrator-account]. */
export const COMPUTE_OPTIMIZER = 'compute-optimizer.amazonaws.com';

const services = z
  .object({ ...paged, EnabledServicePrincipals: z.array(z.object({ ServicePrincipal: z.string() })) })
  .transform((page) => toListPage(page.EnabledServicePrincipals, page.NextToken));

/** Whether the organization trusts Compute Optimizer [API_ListAWSServiceAccessForOrganization]. @throws CloudError */
export async function readTrustedAccess(clients: Clients, calls: Calls, own: AccountId): Promise<boolean> {
  const trusted = await listTrustedServices(createReader(clients, calls, own, { retry: (call) => call() }));
  return trusted.includes(COMPUTE_OPTIMIZER);
}

/** The service principals that the organization trusts. */
export async function listTrustedServices(reader: Reader): Promise<readonly string[]> {
  const enabled = await reader.all('ListAWSServiceAccessForOrganization', '', services, (client, NextToken) =>
    client.send(new ListAWSServiceAccessForOrganizationCommand({ NextToken })),
  );
  return enabled.map(({ ServicePrincipal }) => ServicePrincipal);
}
