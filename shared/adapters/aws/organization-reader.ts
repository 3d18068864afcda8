import * as z from 'zod';
import type { AccountId } from '../../domain/types.ts';
import type { CloudError, CloudErrorKind, ReadOrganizationOptions } from '../../ports/cloud.ts';
import type { Logger } from '../../ports/system.ts';
import { checked } from './answers.ts';
import type { Calls } from './calls.ts';
import type { Clients } from './clients.ts';
import { ownError, UNEXPECTED_ANSWER } from './errors.ts';

/** Asks Organizations as our own account, each request through the caller's `retry`. */
export interface Reader {
  /** `about`: what distinguishes this question from others of the same operation. */
  one<Answer>(operation: string, about: string, schema: z.ZodType<Answer>, send: Send<void>): Promise<Answer>;
  /** All pages of a listing, in order. `onPage` hears how many items there are so far. */
  all<Item>(
    operation: string,
    about: string,
    schema: z.ZodType<ListPage<Item>>,
    send: Send<string | undefined>,
    onPage?: (items: number) => void,
  ): Promise<Item[]>;
  /** Logs a warning about one account. */
  warn(message: string): void;
  error(operation: string, kind: CloudErrorKind, code: string, message: string): CloudError;
}

/** Items on a full page. */
const ITEMS_A_PAGE = 20;
/** A listing with this many more pages than its items fill is taken as endless. */
const MAX_PAGES = 1_000;
/** Twenty times the largest quota of accounts in an organization [Quotas for AWS Organizations]. */
const MAX_ITEMS = 200_000;

type Send<Token> = (client: Clients['organizations'], token: Token) => Promise<unknown>;

export interface ListPage<Item> {
  readonly items: Item[];
  /** `null` ends the listing; an empty page may carry a token [API_ListAccounts]. */
  readonly next: string | null;
}

const nextToken = z.string().nullish();

/** The part of a page that all listings of Organizations have in common, to be merged with the items under their own name. */
export const paged = { NextToken: nextToken };

export function toListPage<Item>(items: Item[], token: string | null | undefined): ListPage<Item> {
  return { items, next: token || null };
}

export interface ReaderOptions extends Pick<ReadOrganizationOptions, 'retry' | 'once'> {
  readonly logger?: Logger | undefined;
}

export function createReader(
  clients: Clients,
  calls: Calls,
  own: AccountId,
  { retry, once = (_key, call) => call(), logger }: ReaderOptions,
): Reader {
  const error: Reader['error'] = (operation, kind, code, message) =>
    ownError(kind, code, { service: 'organizations', operation, accountId: own }, message);

  const one: Reader['one'] = async (operation, about, schema, send) => {
    const key = { service: 'organizations', operation };
    const answer = await once(`${operation}/${about}`, () =>
      retry(async () => {
        const session = await calls.ownSession(key, own);
        return slim(await calls.make({ key, session, send: () => send(clients.organizations) }));
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
      const asked = new Set<string>();
      let token: string | undefined;
      for (let pages = 0; ; pages += 1) {
        const by = token;
        const page = await one(operation, `${about}/${by ?? ''}/${pages}`, schema, (client) => send(client, by));
        items.push(...page.items);
        onPage?.(items.length);
        token = page.next ?? undefined;
        if (token === undefined) return items;
        // An empty page may repeat the token of its own request. Any other repeated token means that the listing goes in a circle.
        const circles = asked.has(token) && (page.items.length > 0 || token !== by);
        if (circles || items.length > MAX_ITEMS || pages - items.length / ITEMS_A_PAGE > MAX_PAGES) {
          const why = circles ? 'a page token was repeated' : `${pages} pages gave ${items.length} items`;
          const message = `${operation} does not end: ${why}. The listing is broken and is not used.`;
          throw error(operation, 'Invalid', UNEXPECTED_ANSWER, message);
        }
        asked.add(token);
      }
    },
  };
}

/** Nothing here asks for them, and who keeps an answer should not keep addresses of people. */
const LEFT_OUT: ReadonlySet<string> = new Set(['Arn', 'Email', 'JoinedMethod', 'JoinedTimestamp']);

function slim(answer: unknown): unknown {
  if (Array.isArray(answer)) return answer.map(slim);
  if (typeof answer !== 'object' || answer === null) return answer;
  const kept = Object.entries(answer).filter(([name]) => name !== '$metadata' && !LEFT_OUT.has(name));
  return Object.fromEntries(kept.map(([name, value]) => [name, slim(value)]));
}
