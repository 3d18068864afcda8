import { type Call, Failure, integer, type Operations, text, texts } from './operation.ts';
import { paginate } from './pages.ts';
import type { Account, Output } from './types.ts';

const MAX_PAGE = 100;
const DEFAULT_PAGE = 50;
const ACCOUNT_TYPES: ReadonlySet<string> = new Set(['organizations', 'organizations:account']);
const UNSUPPORTED = ['TagFilters', 'TagsPerPage', 'ResourceARNList', 'IncludeComplianceDetails'] as const;

/** Resource Groups Tagging API: the tagged accounts of the organization, which belong to the management account. */
export const taggingOperations: Operations = {
  GetResources: { run: getResources },
};

function getResources(call: Call): Output | Failure {
  const { world, caller, input, now } = call;
  const unsupported = UNSUPPORTED.find((name) => input[name] !== undefined && input[name] !== false);
  if (unsupported !== undefined) return invalid(`The sandbox does not support ${unsupported}.`);
  const size = integer(input, 'ResourcesPerPage') ?? DEFAULT_PAGE;
  if (size < 1 || size > MAX_PAGE) return invalid(`ResourcesPerPage must be from 1 to ${MAX_PAGE}.`);
  const types = texts(input, 'ResourceTypeFilters');
  const includesAccounts = types.length === 0 || types.some((type) => ACCOUNT_TYPES.has(type));
  const { organization } = world;
  const listed = paginate(call, {
    // Other accounts own none of these resources.
    items: caller.management && includesAccounts ? organization.accounts : [],
    key: ({ id }) => id,
    size,
    token: text(input, 'PaginationToken') || undefined,
    scope: types.join(' '),
    show: (account) => {
      const tags = Object.entries(indexedTags(account, now));
      if (tags.length === 0) return undefined;
      return { ResourceARN: organization.accountArn(account), Tags: tags.map(([Key, Value]) => ({ Key, Value })) };
    },
  });
  if (listed === null)
    return new Failure('PaginationTokenExpiredException', 'The PaginationToken is invalid or has expired.');
  return { ResourceTagMappingList: listed.page, PaginationToken: listed.nextToken ?? '' };
}

function invalid(message: string): Failure {
  return new Failure('InvalidParameterException', message);
}

/** The account's tags as the eventually consistent index shows them. */
export function indexedTags({ tags, formerTags }: Account, now: number): Account['tags'] {
  return formerTags !== null && now < formerTags.until ? formerTags.tags : tags;
}
