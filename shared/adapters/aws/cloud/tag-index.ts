import * as z from 'zod';
import type { AccountId } from '../../../domain/enrollment/model.ts';
import { CloudError } from '../../../ports/cloud.ts';
import type { Calls } from './call-pipeline.ts';
import type { OwnIdentity } from './caller.ts';
import type { Clients } from './clients.ts';
import { createReaderOf, type ReaderOptions, type ReadService, toListPage } from './organization-reader.ts';
import { GetResourcesCommand } from './tagging-client/index.ts';

/** Tags by account. `null`: the index lists the account, but not its tags in a usable form. An account that is absent has no tags. */
export type TagIndex = ReadonlyMap<AccountId, Readonly<Record<string, string>> | null>;

/** The largest page that AWS allows [API_GetResources]. */
const PAGE_SIZE = 100;

const TAGGING: ReadService<Clients['tagging']> = {
  service: 'tagging',
  itemsPerPage: PAGE_SIZE,
  of: ({ tagging }) => tagging,
};

const page = z
  .object({
    ResourceTagMappingList: z.array(
      z.object({
        ResourceARN: z.string(),
        Tags: z
          .array(z.object({ Key: z.string(), Value: z.string() }))
          .nullish()
          .catch(null),
      }),
    ),
    PaginationToken: z.string().nullish(),
  })
  .transform(({ ResourceTagMappingList, PaginationToken }) => toListPage(ResourceTagMappingList, PaginationToken));

const ACCOUNT_ARN = /^arn:[^:]+:organizations::\d{12}:account\/(o-[^/]+)\/(\d{12})$/;

/**
 * The tags of all accounts from the index of the Resource Groups Tagging API, 100 accounts per call. The index is eventually consistent, so its tags
 * alone must not lead to an opt-out. `null`: the caller may not read it, or the endpoint does not have it.
 * @param warn called in that case, with the reason
 * @throws CloudError if it cannot be read completely
 */
export async function readTagIndex(
  clients: Clients,
  calls: Calls,
  own: AccountId,
  organizationId: string,
  options: ReaderOptions,
  warn: (message: string) => void,
): Promise<TagIndex | null> {
  const reader = createReaderOf(TAGGING, clients, calls, own, options);
  try {
    const found = await reader.all('GetResources', 'accounts', page, (client, PaginationToken) =>
      client.send(
        new GetResourcesCommand({
          ResourceTypeFilters: ['organizations:account'],
          ResourcesPerPage: PAGE_SIZE,
          ...(PaginationToken !== undefined && { PaginationToken }),
        }),
      ),
    );
    return indexOf(found, organizationId);
  } catch (error) {
    if (!(error instanceof CloudError) || !isUnavailable(error)) throw error;
    warn(`${error.message} The tags of the accounts are read one account at a time, which is slower.`);
    return null;
  }
}

function indexOf(found: z.output<typeof page>['items'], organizationId: string): TagIndex {
  const tags = new Map<AccountId, Readonly<Record<string, string>> | null>();
  for (const { ResourceARN, Tags } of found) {
    const [, organization, id] = ACCOUNT_ARN.exec(ResourceARN) ?? [];
    // The caller may have resources of another kind, or an index that still knows an earlier organization.
    if (organization !== organizationId || id === undefined) continue;
    tags.set(id, Tags == null ? null : Object.fromEntries(Tags.map(({ Key, Value }) => [Key, Value])));
  }
  return tags;
}

/** AWS lists accounts to the management account only, and documents it for the partition `aws` only. Elsewhere, an empty list would not mean that there are no tags. */
export function hasTagIndex({ accountId, partition }: OwnIdentity, managementAccountId: AccountId): boolean {
  return accountId === managementAccountId && partition === 'aws';
}

/** Codes of an endpoint without the service, for example of a private network or a local substitute of AWS. */
const NO_SERVICE: ReadonlySet<string> = new Set(['ENOTFOUND', 'UnknownOperationException']);

function isUnavailable({ kind, details: { code } }: CloudError): boolean {
  return kind === 'Denied' || NO_SERVICE.has(code);
}
