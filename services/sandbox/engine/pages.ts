import { type Call, Failure } from './operation.ts';
import { lowerBound } from './organization.ts';
import { fnv1a } from './random.ts';

/** How many further items a page reads to find matching ones. After that it is returned short or even empty, with a token. */
const LOOKAHEAD = 2000;

export type Listing<T, U> = {
  /** Sorted by `key`. */
  items: readonly T[];
  key(item: T): string;
  size: number;
  token: string | undefined;
  /** The other parameters of the listing: a token is valid only with the same ones. */
  scope?: string;
  /** The item as the page shows it; undefined leaves it out. */
  show(item: T): U | undefined;
};

/** One page; null for a token that this listing did not issue. The cost depends on the page's size, not the listing's. */
export function paginate<T, U>(
  call: Call,
  listing: Listing<T, U>,
): { page: U[]; nextToken: string | undefined } | null {
  const scope = `${call.operation}\n${listing.scope ?? ''}`;
  const place = listing.token === undefined ? { key: '', turn: 0 } : openToken(call, scope, listing.token);
  if (place === null) return null;
  const after = place.key;
  // The token differs but has the same position, because AWS clients end a listing that returns the token they sent.
  if (call.pageFault === 'empty-page')
    return { page: [], nextToken: sealToken(call, scope, after, (place.turn + 1) % TURNS) };
  const page: U[] = [];
  let at = after === '' ? 0 : lowerBound(listing.items, after, listing.key);
  if (after !== '' && at < listing.items.length && keyAt(listing, at) === after) at += 1;
  const limit = Math.min(listing.items.length, at + listing.size + LOOKAHEAD);
  for (; at < limit; at += 1) {
    const item = listing.items[at];
    const shown = item === undefined ? undefined : listing.show(item);
    if (shown === undefined) continue;
    if (page.length === listing.size) break;
    page.push(shown);
  }
  if (call.pageFault === 'torn-page') return { page, nextToken: sealToken(call, 'torn', String(call.now), 0) };
  const more = at < listing.items.length;
  return { page, nextToken: more ? sealToken(call, scope, keyAt(listing, at - 1), 0) : undefined };
}

/** The token error of Compute Optimizer and Automation. */
export function invalidToken(): Failure {
  return new Failure('InvalidParameterValueException', 'The nextToken is invalid.');
}

function keyAt<T, U>(listing: Listing<T, U>, at: number): string {
  const item = listing.items[at];
  return item === undefined ? '' : listing.key(item);
}

/** A token contains the number of empty pages at its position, in three digits. */
const TURNS = 1000;
const SUM_LENGTH = 7;
const TURN_LENGTH = 3;

function check(call: Call, scope: string, body: string): string {
  return fnv1a(`${call.world.settings.tokenSalt}\n${scope}\n${body}`).toString(36).padStart(SUM_LENGTH, '0');
}

/** Tokens use the standard base64 alphabet, not the URL-safe one, as Automation's model requires. */
function sealToken(call: Call, scope: string, key: string, turn: number): string {
  const body = `${String(turn).padStart(TURN_LENGTH, '0')}${key}`;
  return Buffer.from(`${check(call, scope, body)}${body}`).toString('base64');
}

function openToken(call: Call, scope: string, token: string): { readonly key: string; readonly turn: number } | null {
  const opened = Buffer.from(token, 'base64').toString();
  const body = opened.slice(SUM_LENGTH);
  if (opened.slice(0, SUM_LENGTH) !== check(call, scope, body)) return null;
  return { key: body.slice(TURN_LENGTH), turn: Number(body.slice(0, TURN_LENGTH)) };
}
