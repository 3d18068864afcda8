import type { AccountId } from '../../../domain/enrollment/model.ts';
import { MAX_ACCOUNTS } from '../../../domain/page-bounds.ts';
import type { OrganizationAccount } from '../../../domain/policy/index.ts';
import {
  type OrganizationSnapshot,
  type ReadAccountOptions,
  type ReadOrganizationOptions,
  TOO_MANY_ACCOUNTS,
} from '../../../ports/cloud.ts';
import type { Calls } from './call-pipeline.ts';
import { describeOrganization, type OwnIdentity } from './caller.ts';
import type { Clients } from './clients.ts';
import { UNEXPECTED_ANSWER } from './cloud-errors.ts';
import { describeAccount, listAccounts, stateOf, withTags } from './organization-accounts.ts';
import { place, placeOne, UnitNames } from './organization-paths.ts';
import { createReader, type Reader, type ReaderOptions } from './organization-reader.ts';
import { hasTagIndex, readTagIndex, type TagIndex } from './tag-index.ts';

type WholeOptions = ReadOrganizationOptions &
  Pick<ReaderOptions, 'logger' | 'maxAccounts'> & {
    /** Called with the reason if the tags cannot be read in pages. */
    readonly onNoTagIndex: (reason: string) => void;
  };

/** Reads everything about the organization that a policy can refer to. @throws CloudError, also if any part of it is incomplete */
export async function readOrganization(
  clients: Clients,
  calls: Calls,
  identity: OwnIdentity,
  options: WholeOptions,
): Promise<Omit<OrganizationSnapshot, 'takenAt'>> {
  // Once one listing has failed, the others make no further call. Otherwise their retries would keep a command from ending.
  const failed = new AbortController();
  const retry: WholeOptions['retry'] = (call) =>
    options.retry(async () => {
      failed.signal.throwIfAborted();
      return call();
    });
  try {
    return await readParts(clients, calls, identity, { ...options, retry });
  } catch (error) {
    failed.abort();
    throw error;
  }
}

async function readParts(
  clients: Clients,
  calls: Calls,
  identity: OwnIdentity,
  options: WholeOptions,
): Promise<Omit<OrganizationSnapshot, 'takenAt'>> {
  const { tags, retry, onProgress, maxAccounts = MAX_ACCOUNTS } = options;
  const { accountId: own } = identity;
  const reader = createReader(clients, calls, own, options);
  const ids = await retry(() => describeOrganization(clients, calls, own));
  const names = new UnitNames(reader, ids.organizationId);
  // In parallel, because each listing must wait for one page before it requests the next.
  const [listed, index] = await Promise.all([
    listAccounts(reader, (accounts, page) => {
      names.find(page);
      onProgress?.(accounts);
    }),
    tags && hasTagIndex(identity, ids.managementAccountId)
      ? readTagIndex(clients, calls, own, ids.organizationId, options, options.onNoTagIndex)
      : null,
  ]);
  if (listed.size > maxAccounts) {
    const message =
      `The organization has ${listed.size} accounts, more than the maximum of ${maxAccounts}. ` +
      `If it is that large, set ROLLCALL_MAX_ACCOUNTS (default ${MAX_ACCOUNTS}) to a larger number.`;
    throw reader.error('ListAccounts', 'Invalid', TOO_MANY_ACCOUNTS, message);
  }
  if (!listed.has(ids.managementAccountId)) {
    const message = `ListAccounts omitted the management account ${ids.managementAccountId}: the listing is incomplete.`;
    throw reader.error('ListAccounts', 'Invalid', UNEXPECTED_ANSWER, message);
  }
  const placed = await place(reader, names, listed);
  const accounts = placed.map(
    ({ account, branch: { ou, unitIds } }): OrganizationAccount => ({
      id: account.Id,
      name: account.Name,
      ou,
      unitIds,
      state: stateOf(reader, account),
      management: account.Id === ids.managementAccountId,
      tags: null,
    }),
  );
  if (!tags) return { ...ids, tags, accounts };
  if (index === null) return { ...ids, tags, accounts: await withTags(reader, accounts, onProgress) };
  return { ...ids, tags, accounts: await withIndexedTags(reader, accounts, index) };
}

/** The accounts with their tags from the index. An account whose tags the index does not state is read on its own. */
async function withIndexedTags(
  reader: Reader,
  accounts: readonly OrganizationAccount[],
  index: TagIndex,
): Promise<OrganizationAccount[]> {
  const unstated = accounts.filter(({ id }) => index.get(id) === null);
  const read = new Map((await withTags(reader, unstated)).map((account) => [account.id, account]));
  return accounts.flatMap((account) => {
    const tags = index.get(account.id);
    return tags === null ? (read.get(account.id) ?? []) : { ...account, tags: tags ?? {} };
  });
}

/** Reads one account; `null` if AWS reports that the organization does not have it. */
export async function readAccount(
  clients: Clients,
  calls: Calls,
  own: AccountId,
  id: AccountId,
  { tags, retry, organizationId, managementAccountId, logger }: ReadAccountOptions & Pick<ReaderOptions, 'logger'>,
): Promise<OrganizationAccount | null> {
  const reader = createReader(clients, calls, own, { retry, logger });
  const account = await describeAccount(reader, id);
  if (account === null) return null;
  const facts: OrganizationAccount = {
    id,
    name: account.Name,
    ...(await placeOne(reader, organizationId, account)),
    state: stateOf(reader, account),
    management: id === managementAccountId,
    tags: null,
  };
  if (!tags) return facts;
  const [tagged = null] = await withTags(reader, [facts]);
  return tagged;
}
