import * as z from 'zod';
import type { AccountId } from '../../../domain/enrollment/model.ts';
import { MAX_ACCOUNTS, PageBounds } from '../../../domain/page-bounds.ts';
import type { CloudError, CloudErrorKind, ReadOrganizationOptions } from '../../../ports/cloud.ts';
import type { Logger } from '../../../ports/system.ts';
import type { CheckedService } from '../complete-answers.ts';
import type { Calls } from './call-pipeline.ts';
import type { Clients } from './clients.ts';
import { endlessListing, ownError } from './cloud-errors.ts';
import { checked } from './responses.ts';

/** Calls Organizations, or another service, with the caller's credentials, each request through the caller's `retry`. */
export interface Reader<Client = Clients['organizations']> {
  /** Makes one request. @param about distinguishes it from others of the same operation */
  one<Answer>(operation: string, about: string, schema: z.ZodType<Answer>, send: Send<Client, void>): Promise<Answer>;
  /** All items of a listing, in order. `onPage` receives the number of items so far, and those of the page. */
  all<Item>(
    operation: string,
    about: string,
    schema: z.ZodType<ListPage<Item>>,
    send: Send<Client, string | undefined>,
    onPage?: (items: number, page: readonly Item[]) => void,
  ): Promise<Item[]>;
  /** Logs a warning about one account. */
  warn(message: string): void;
  error(operation: string, kind: CloudErrorKind, code: string, message: string): CloudError;
}

/** AWS's maximum and default number of items per page [API_ListAccounts]. */
export const MAX_PAGE = 20;
/** A listing is rejected as endless above this many times `maxAccounts`. Items can appear twice while the organization changes. */
const SLACK = 2;

type Send<Client, Token> = (client: Client, token: Token) => Promise<unknown>;

/** A service to read from. */
export interface ReadService<Client> {
  readonly service: CheckedService;
  /** Its largest page. */
  readonly itemsPerPage: number;
  readonly of: (clients: Clients) => Client;
}

const ORGANIZATIONS: ReadService<Clients['organizations']> = {
  service: 'organizations',
  itemsPerPage: MAX_PAGE,
  of: ({ organizations }) => organizations,
};

export interface ListPage<Item> {
  readonly items: Item[];
  /** Token of the next page; `null` ends the listing. An empty page may have a token [API_ListAccounts]. */
  readonly next: string | null;
}

/** The member that pages of all listings of Organizations have. */
export const paged = { NextToken: z.string().nullish() };

export function toListPage<Item>(items: Item[], token: string | null | undefined): ListPage<Item> {
  return { items, next: token || null };
}

export interface ReaderOptions extends Pick<ReadOrganizationOptions, 'retry' | 'once'> {
  readonly logger?: Logger | undefined;
  /** Maximum number of accounts in an organization. */
  readonly maxAccounts?: number | undefined;
}

export function createReader(clients: Clients, calls: Calls, own: AccountId, options: ReaderOptions): Reader {
  return createReaderOf(ORGANIZATIONS, clients, calls, own, options);
}

export function createReaderOf<Client>(
  { service, itemsPerPage, of }: ReadService<Client>,
  clients: Clients,
  calls: Calls,
  own: AccountId,
  { retry, once = (_key, call) => call(), logger, maxAccounts = MAX_ACCOUNTS }: ReaderOptions,
): Reader<Client> {
  const error: Reader['error'] = (operation, kind, code, message) =>
    ownError(kind, code, { service, operation, accountId: own }, message);

  const one: Reader<Client>['one'] = async (operation, about, schema, send) => {
    const key = { service, operation };
    const answer = await once(`${operation}/${about}`, () =>
      retry(async () => {
        const session = await calls.ownSession(key, own);
        return slim(await calls.make({ key, session, send: () => send(of(clients)) }));
      }),
    );
    return checked(schema, answer, { key, session: { accountId: own } });
  };

  return {
    one,
    error,
    warn: (message) => logger?.warn(message),
    async all(operation, about, schema, send, onPage) {
      const items = [];
      const bounds = new PageBounds({ itemsPerPage, maxItems: SLACK * maxAccounts });
      let token: string | undefined;
      for (let pages = 0; ; pages += 1) {
        const by = token;
        const page = await one(operation, `${about}/${by ?? ''}/${pages}`, schema, (client) => send(client, by));
        items.push(...page.items);
        onPage?.(items.length, page.items);
        const why = bounds.broken({ items: page.items.length, total: items.length, token: page.next });
        if (why !== null) throw endlessListing({ service, operation, accountId: own }, why);
        if (page.next === null) return items;
        token = page.next;
      }
    },
  };
}

/** Members that are removed from an answer before it may be stored. Rollcall does not use them, and some are e-mail addresses of people. */
const LEFT_OUT: ReadonlySet<string> = new Set(['Arn', 'Email', 'JoinedMethod', 'JoinedTimestamp']);

function slim(answer: unknown): unknown {
  if (Array.isArray(answer)) return answer.map(slim);
  if (typeof answer !== 'object' || answer === null) return answer;
  const kept = Object.entries(answer).filter(([name]) => name !== '$metadata' && !LEFT_OUT.has(name));
  return Object.fromEntries(kept.map(([name, value]) => [name, slim(value)]));
}
