import { useRef } from 'preact/hooks';
import { type AccountQuery, apiQuery } from './account-filters.ts';
import { getTagged } from './api.ts';
import { ACCOUNTS_PAGE, READ } from './endpoints.ts';
import { type Resource, useLoaded } from './resource.ts';
import type { AccountRow, AccountsAnswer } from './types.ts';

/** Answers by path, with their tag, so that the API does not send an unchanged page again. */
const answers = new Map<string, { readonly tag: string | null; readonly body: AccountsAnswer }>();
/** 20 pages have 4,000 accounts. */
const MOST_ANSWERS = 20;

async function readPage(path: string, abort: AbortSignal): Promise<AccountsAnswer> {
  const known = answers.get(path);
  const read = await getTagged<AccountsAnswer>(path, known?.tag ?? null, abort);
  const answer = read ?? known;
  if (answer === undefined)
    throw new Error('The API answered that a page is unchanged, but this page does not have it.');
  answers.delete(path);
  answers.set(path, answer);
  for (const oldest of answers.keys()) {
    if (answers.size <= MOST_ANSWERS) break;
    answers.delete(oldest);
  }
  return answer.body;
}

/** The list of accounts as far as it is read. */
export interface AccountPages extends Pick<AccountsAnswer, 'total' | 'all' | 'counts'> {
  /** `undefined`: not read yet. */
  readonly rowAt: (index: number) => AccountRow | undefined;
}

/**
 * The pages of the list that the rows from `first` to `last` are on. While other pages or a new version are read, the rows that are known stay. While
 * the list of new filters is read, the previous list stays.
 */
export function useAccountPages(
  query: AccountQuery,
  version: number,
  { first, last }: { readonly first: number; readonly last: number },
): Resource<AccountPages> {
  const filter = apiQuery(query);
  const from = Math.floor(first / ACCOUNTS_PAGE);
  const to = Math.max(from, Math.floor(last / ACCOUNTS_PAGE));
  const paths = Array.from({ length: to - from + 1 }, (_, n) => READ.accounts(filter, (from + n) * ACCOUNTS_PAGE));
  const resource = useLoaded(paths.join(' '), version, (abort) =>
    Promise.all(paths.map((path) => readPage(path, abort))),
  );
  const shown = useRef<AccountPages | null>(null);
  const [known] = paths.flatMap((path) => answers.get(path)?.body ?? []);
  if (known !== undefined) {
    const { total, all, counts } = known;
    const rowAt = (index: number): AccountRow | undefined => {
      const page = Math.floor(index / ACCOUNTS_PAGE);
      return answers.get(READ.accounts(filter, page * ACCOUNTS_PAGE))?.body.accounts[index % ACCOUNTS_PAGE];
    };
    shown.current = { total, all, counts, rowAt };
  }
  return { ...resource, data: shown.current };
}
