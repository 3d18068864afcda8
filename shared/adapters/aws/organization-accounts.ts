import { ListAccountsCommand, ListTagsForResourceCommand } from '@aws-sdk/client-organizations';
import { z } from 'zod';
import type { AccountFacts } from '../../domain/policy/index.ts';
import type { AccountId } from '../../domain/types.ts';
import { CloudError } from '../../ports/cloud.ts';
import { accountId } from './answers.ts';
import { UNEXPECTED_ANSWER } from './errors.ts';
import { paged, type Reader, toListPage } from './organization-reader.ts';

/** AWS's largest page, which is also its default [API_ListAccounts]. */
export const MAX_PAGE = 20;

const account = z.object({
  Id: accountId,
  Name: z.string().nullish(),
  State: z.string().nullish(),
  /** Retired on 2026-09-09 in favour of `State`; read only where that is absent. */
  Status: z.string().nullish(),
  Paths: z.array(z.string()).nullish(),
});
export type Account = z.infer<typeof account>;

export const accountsPage = z
  .object({ Accounts: z.array(account).nullish(), ...paged })
  .transform((page) => toListPage(page.Accounts, page.NextToken));

const tagsPage = z
  .object({ Tags: z.array(z.object({ Key: z.string(), Value: z.string() })).nullish(), ...paged })
  .transform((page) => toListPage(page.Tags, page.NextToken));

export async function listAccounts(
  reader: Reader,
  onProgress?: (accounts: number) => void,
): Promise<Map<AccountId, Account>> {
  const send = (NextToken?: string) => new ListAccountsCommand({ MaxResults: MAX_PAGE, NextToken });
  const accounts = await reader.all(
    'ListAccounts',
    '',
    accountsPage,
    (client, token) => client.send(send(token)),
    onProgress,
  );
  return new Map(accounts.map((each) => [each.Id, each]));
}

type State = AccountFacts['state'];
const STATES: ReadonlySet<string> = new Set<State>([
  'ACTIVE',
  'SUSPENDED',
  'PENDING_ACTIVATION',
  'PENDING_CLOSURE',
  'CLOSED',
]);

/** @throws CloudError for a state that is not known: whether such an account is to be changed cannot be guessed. */
export function stateOf(reader: Reader, { Id, State, Status }: Account): State {
  const state = State ?? Status ?? '';
  if (!isState(state)) {
    const message = `ListAccounts answered state ${JSON.stringify(state)} for account ${Id}, which this version does not know.`;
    throw reader.error('ListAccounts', 'Invalid', UNEXPECTED_ANSWER, message);
  }
  return state;
}

function isState(value: string): value is State {
  return STATES.has(value);
}

/** Requests under way at once: enough to fill the limiter's rate, few enough for Organizations' own throttle. */
const TAG_READERS = 4;

/** Reads the tags of each account, a call each. Accounts that AWS says are gone by now are left out. */
export async function withTags(
  reader: Reader,
  accounts: readonly AccountFacts[],
  onProgress?: (accounts: number) => void,
): Promise<AccountFacts[]> {
  const tagged = new Map<AccountId, AccountFacts>();
  const waiting = accounts.values();
  let failed = false;

  async function work(): Promise<void> {
    for (const facts of waiting) {
      if (failed) return;
      const tags = await tagsOf(reader, facts.id);
      if (tags !== null) {
        tagged.set(facts.id, { ...facts, tags });
      }
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

/** `null`: AWS says that there is no such account any more [API_ListTagsForResource, TargetNotFoundException]. */
async function tagsOf(reader: Reader, ResourceId: AccountId): Promise<Record<string, string> | null> {
  try {
    const tags = await reader.all('ListTagsForResource', ResourceId, tagsPage, (client, NextToken) =>
      client.send(new ListTagsForResourceCommand({ ResourceId, NextToken })),
    );
    return Object.fromEntries(tags.map(({ Key, Value }) => [Key, Value]));
  } catch (error) {
    if (error instanceof CloudError && error.facts.code === 'TargetNotFoundException') {
      return null;
    }
    throw error;
  }
}
