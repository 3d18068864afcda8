import { DescribeAccountCommand, ListAccountsCommand, ListTagsForResourceCommand } from '@aws-sdk/client-organizations';
import * as z from 'zod';
import type { AccountId } from '../../../domain/enrollment/model.ts';
import type { OrganizationAccount } from '../../../domain/policy/index.ts';
import { CloudError } from '../../../ports/cloud.ts';
import { MAX_PAGE, paged, type Reader, toListPage } from './organization-reader.ts';
import { accountId } from './responses.ts';

const account = z.object({
  Id: accountId,
  Name: z.string().nullish(),
  State: z.string().nullish().catch(null),
  /** The older form of `State`, which AWS retired on 2026-09-09. It is read only if AWS sends no `State`. */
  Status: z.string().nullish().catch(null),
  Paths: z.array(z.string()).nullish().catch(null),
});

/** The part of an account that is kept while the organization is read. */
export interface Account {
  readonly Id: AccountId;
  readonly Name: string;
  /** AWS's word for the state; empty if AWS sends none. */
  readonly State: string;
  /** The path of ids above the account, `o-…/r-…/ou-…/`; `null` if AWS sends no path that ends in the account's id [API_Account]. */
  readonly parent: string | null;
}

/** Makes the schema for pages of accounts. Accounts that one schema parses share equal strings (state, path), which saves memory. */
export function accountsPages() {
  const texts = new Map<string, string>();
  const shared = (text: string): string => {
    const known = texts.get(text);
    if (known !== undefined) return known;
    texts.set(text, text);
    return text;
  };
  return z.object({ Accounts: z.array(account), ...paged }).transform(({ Accounts, NextToken }) => {
    const accounts = Accounts.map((each) => toAccount(each, shared));
    return toListPage(accounts, NextToken);
  });
}

function toAccount(
  { Id, Name, State, Status, Paths }: z.infer<typeof account>,
  shared: (text: string) => string,
): Account {
  const parent = (Paths ?? []).map((path) => parentIn(path, Id)).find((each) => each !== null) ?? null;
  return { Id, Name: Name ?? '', State: shared(State ?? Status ?? ''), parent: parent && shared(parent) };
}

const oneAccount = z.object({ Account: account }).transform(({ Account }) => toAccount(Account, (text) => text));

/** `null` if AWS reports that the organization has no such account [API_DescribeAccount, AccountNotFoundException]. */
export async function describeAccount(reader: Reader, AccountId: AccountId): Promise<Account | null> {
  try {
    return await reader.one('DescribeAccount', AccountId, oneAccount, (client) =>
      client.send(new DescribeAccountCommand({ AccountId })),
    );
  } catch (error) {
    if (error instanceof CloudError && error.details.code === 'AccountNotFoundException') return null;
    throw error;
  }
}

function parentIn(path: string, id: AccountId): string | null {
  const trimmed = path.endsWith('/') ? path.slice(0, -1) : path;
  const parent = trimmed.slice(0, trimmed.lastIndexOf('/') + 1);
  return trimmed.slice(parent.length) === id ? parent : null;
}

const tagsPage = z
  .object({ Tags: z.array(z.object({ Key: z.string(), Value: z.string() })), ...paged })
  .transform((page) => toListPage(page.Tags, page.NextToken));

export async function listAccounts(
  reader: Reader,
  onPage: (accounts: number, page: readonly Account[]) => void,
): Promise<Map<AccountId, Account>> {
  const send: Parameters<Reader['all']>[3] = (client, NextToken) =>
    client.send(new ListAccountsCommand({ MaxResults: MAX_PAGE, NextToken }));
  const accounts = await reader.all('ListAccounts', '', accountsPages(), send, onPage);
  return new Map(accounts.map((each) => [each.Id, each]));
}

type State = OrganizationAccount['state'];
const STATES: ReadonlySet<string> = new Set<State>([
  'ACTIVE',
  'SUSPENDED',
  'PENDING_ACTIVATION',
  'PENDING_CLOSURE',
  'CLOSED',
]);

/** The account's state; `UNKNOWN`, with a warning, for a state that this version does not know. Such an account is not changed. */
export function stateOf(reader: Reader, { Id, State: state }: Account): State {
  if (isState(state)) return state;
  const found = JSON.stringify(state);
  reader.warn(`account ${Id} has state ${found}, which this version does not know: the account is not changed`);
  return 'UNKNOWN';
}

function isState(value: string): value is State {
  return STATES.has(value);
}

/** How many requests for tags run in parallel: enough to use the rate limit, few enough that Organizations does not throttle. */
const TAG_READERS = 4;

/** This many failures in a row mean a problem of the service or the network, not of single accounts. */
const MAX_FAILED_IN_A_ROW = 20;

/**
 * Reads the tags of each account, one call per account. Accounts that have left meanwhile are omitted. If the tags of a single account cannot be read,
 * it keeps `tags: null`, with a warning. @throws CloudError if too many calls fail
 */
export async function withTags(
  reader: Reader,
  accounts: readonly OrganizationAccount[],
  onProgress?: (accounts: number) => void,
): Promise<OrganizationAccount[]> {
  const tagged = new Map<AccountId, OrganizationAccount>();
  const waiting = accounts.values();
  let failed = false;
  let failedInARow = 0;
  // Until one call succeeds, gives up after fewer failures, because each failed call has already used up its retries.
  let mayFail = Math.min(TAG_READERS, accounts.length);

  async function readOne(facts: OrganizationAccount): Promise<void> {
    try {
      const tags = await tagsOf(reader, facts.id);
      failedInARow = 0;
      mayFail = MAX_FAILED_IN_A_ROW;
      if (tags !== null) tagged.set(facts.id, { ...facts, tags });
    } catch (error) {
      failedInARow += 1;
      if (!concernsOneAccount(error) || failedInARow >= mayFail) throw error;
      reader.warn(`the tags of account ${facts.id} could not be read: ${error.message}`);
      tagged.set(facts.id, facts);
    }
  }

  async function work(): Promise<void> {
    for (const facts of waiting) {
      if (failed) return;
      await readOne(facts);
      onProgress?.(tagged.size);
    }
  }

  await Promise.all(
    Array.from({ length: TAG_READERS }, () =>
      work().catch((error: unknown) => {
        failed = true;
        throw error;
      }),
    ),
  );
  return accounts.flatMap(({ id }) => tagged.get(id) ?? []);
}

/** Whether other accounts may still be read. Other failures (denied, throttled, interrupted) concern every account. */
function concernsOneAccount(error: unknown): error is CloudError {
  if (!(error instanceof CloudError) || error.details.code === 'Closed') return false;
  return error.kind === 'Transient' || error.kind === 'Invalid';
}

/** `null` if AWS reports that the account no longer exists [API_ListTagsForResource, TargetNotFoundException]. */
export async function tagsOf(reader: Reader, ResourceId: AccountId): Promise<Record<string, string> | null> {
  try {
    const tags = await reader.all('ListTagsForResource', ResourceId, tagsPage, (client, NextToken) =>
      client.send(new ListTagsForResourceCommand({ ResourceId, NextToken })),
    );
    return Object.fromEntries(tags.map(({ Key, Value }) => [Key, Value]));
  } catch (error) {
    if (error instanceof CloudError && error.details.code === 'TargetNotFoundException') return null;
    throw error;
  }
}
