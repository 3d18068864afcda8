import * as z from 'zod';
import type { AccountId } from '../../domain/types.ts';
import type { CloudError, CloudErrorKind, ReadOrganizationOptions } from '../../ports/cloud.ts';
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
  error(operation: string, kind: CloudErrorKind, code: string, message: string): CloudError;
}

/** A listing that answers so many empty pages in a row, or a full one twice, would go on for ever. */
const MAX_EMPTY_PAGES = 1000;

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

export function createReader(
  clients: Clients,
  calls: Calls,
  own: AccountId,
  { retry, once = (_key, call) => call() }: Pick<ReadOrganizationOptions, 'retry' | 'once'>,
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
    async all(operation, about, schema, send, onPage) {
      const items = [];
      let token: string | undefined;
      let fruitless = 0;
      do {
        const asked = token;
        // An empty page may carry the very token that it was asked by; what is asked by it next is another question.
        const question = `${about}/${asked ?? ''}/${fruitless}`;
        const page = await one(operation, question, schema, (client) => send(client, asked));
        items.push(...page.items);
        onPage?.(items.length);
        token = page.next ?? undefined;
        fruitless = page.items.length === 0 ? fruitless + 1 : 0;
        if (fruitless > MAX_EMPTY_PAGES || (fruitless === 0 && token !== undefined && token === asked)) {
          throw error(
            operation,
            'Invalid',
            UNEXPECTED_ANSWER,
            `${operation} does not come to an end: page after page, nothing new.`,
          );
        }
      } while (token !== undefined);
      return items;
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
