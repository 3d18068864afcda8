import type { Output, ServiceName } from '../../services/sandbox/engine/types.ts';
import type { AccountId } from '../../shared/domain/enrollment/model.ts';
import type { OrganizationAccount } from '../../shared/domain/policy/index.ts';
import { type CallKey, CloudError, type ReadOrganizationOptions } from '../../shared/ports/cloud.ts';

type Key = CallKey & { readonly service: ServiceName };
type Reading = Pick<ReadOrganizationOptions, 'retry' | 'once'>;
/** Makes one call with the caller's credentials. */
type Make = (key: Key, input: Output) => Promise<Output>;

export async function tagsOf(
  make: Make,
  accountId: AccountId,
  { retry, once = (_key, call) => call() }: Reading,
): Promise<Record<string, string>> {
  const key = { service: 'organizations', operation: 'ListTagsForResource' } as const;
  const tags: Record<string, string> = {};
  let token: string | undefined;
  let pages = 0;
  do {
    pages += 1;
    const input: Output = { ResourceId: accountId, ...(token !== undefined && { NextToken: token }) };
    const page = await once(`ListTagsForResource/${accountId}/${pages}/${token ?? ''}`, () =>
      retry(() => make(key, input)),
    );
    for (const tag of itemsOf(page, 'Tags')) tags[textOf(tag, 'Key')] = textOf(tag, 'Value');
    token = tokenOf(page);
  } while (token !== undefined);
  return tags;
}

export async function withTags(
  make: Make,
  accounts: readonly OrganizationAccount[],
  reading: Reading & Pick<ReadOrganizationOptions, 'tags'>,
): Promise<readonly OrganizationAccount[]> {
  if (!reading.tags) return accounts;
  const tagged: OrganizationAccount[] = [];
  for (const account of accounts) {
    try {
      tagged.push({ ...account, tags: await tagsOf(make, account.id, reading) });
    } catch (error) {
      if (!(error instanceof CloudError) || error.details.code !== 'TargetNotFoundException') throw error;
    }
  }
  return tagged;
}

/** The tags of all accounts by GetResources, as the AWS adapter reads them for the management account. */
export async function withIndexedTags(
  make: Make,
  accounts: readonly OrganizationAccount[],
  { retry, once = (_key, call) => call() }: Reading,
): Promise<readonly OrganizationAccount[]> {
  const key = { service: 'tagging', operation: 'GetResources' } as const;
  const tagged = new Map<AccountId, Record<string, string>>();
  let token = '';
  do {
    const input = {
      ...{ ResourceTypeFilters: ['organizations:account'], ResourcesPerPage: 100 },
      ...(token !== '' && { PaginationToken: token }),
    };
    const page = await once(`GetResources/${token}`, () => retry(() => make(key, input)));
    for (const mapping of itemsOf(page, 'ResourceTagMappingList')) {
      const tags = itemsOf(mapping, 'Tags').map((tag) => [textOf(tag, 'Key'), textOf(tag, 'Value')]);
      tagged.set(textOf(mapping, 'ResourceARN').slice(-12), Object.fromEntries(tags));
    }
    token = textOf(page, 'PaginationToken');
  } while (token !== '');
  return accounts.map((account) => ({ ...account, tags: tagged.get(account.id) ?? {} }));
}

export function itemsOf(page: unknown, name: string): readonly unknown[] {
  const items: unknown = typeof page === 'object' && page !== null ? Reflect.get(page, name) : [];
  return Array.isArray(items) ? items : [];
}

export function textOf(item: unknown, name: string): string {
  const text: unknown = typeof item === 'object' && item !== null ? Reflect.get(item, name) : null;
  return typeof text === 'string' ? text : '';
}

export function tokenOf(page: unknown): string | undefined {
  const token: unknown = typeof page === 'object' && page !== null ? Reflect.get(page, 'NextToken') : undefined;
  return typeof token === 'string' && token !== '' ? token : undefined;
}
