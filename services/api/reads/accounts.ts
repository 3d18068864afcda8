import * as z from 'zod';
import { ACCOUNT_SORTS, type AccountListQuery } from '../../../shared/app/queries/account-list.ts';
import { accountView } from '../../../shared/app/queries/account-view.ts';
import { accountsCsv } from '../../../shared/app/queries/accounts-csv.ts';
import { accountId, complianceStatus, enrollment, verdict } from '../../../shared/app/queries/answers/common.ts';
import { MAX_ACCOUNTS } from '../../../shared/domain/page-bounds.ts';
import { toIso } from '../../../shared/domain/time.ts';
import { compressed } from '../compression.ts';
import { isKnown } from '../negotiation.ts';
import { ApiProblem } from '../problem.ts';
import { actor, cursor, flag, limit, MAX_LIMIT, offset, several, word } from '../query.ts';
import { jsonRoute, NONE, streamRoute } from '../route.ts';
import { MOST_AT_ONCE, streamText, tooLarge } from '../stream.ts';
import type { ApiSystem } from '../system.ts';
import { policyIfAny } from './status.ts';

const LINES_AT_ONCE = 500;

/** Large enough for the whole organization in one answer. Other lists have lower limits, because each of their rows costs more. */
const MAX_ACCOUNTS_LIMIT = MAX_ACCOUNTS;

const CSV = 'text/csv; charset=utf-8; header=present';

/** The filters of lists of accounts. */
const accountFilter = {
  status: several(complianceStatus).describe('Any of these'),
  verdict: several(verdict).describe('Any of these internal names of statuses'),
  reason: several(word).describe('Any of these; of the same enrollment as status, verdict, rule and changedBy'),
  rule: several(word).describe('Any of these deciding rules'),
  changedBy: several(actor).describe('Any of these actors behind an open drift; `unknown`: nobody is named'),
  accountStatus: several(complianceStatus).describe(
    'The status of `enrollment`, or, without it, of the account: the worst of its enrollments',
  ),
  enrollment: enrollment
    .optional()
    .describe(
      'Accounts with this enrollment, and what all statuses, reasons, rules and actors are about; default: any',
    ),
  ou: word.optional().describe('This OU and all OUs below it'),
  text: word.optional().describe('Part of id, name, OU, reason, rule or actor'),
  sort: z.enum(ACCOUNT_SORTS).default('accountId').describe('severity: worst status first, then oldest'),
  order: z.enum(['asc', 'desc']).default('asc'),
};

export const accountRoutes = [
  streamRoute({
    method: 'get',
    path: '/api/accounts',
    operationId: 'accounts',
    types: { 'application/json': 'Accounts' },
    summary: 'Accounts with their status: filtered, sorted and paged. With If-None-Match, 304 if nothing has changed',
    heavy: true,
    ...NONE,
    query: z.strictObject({
      ...accountFilter,
      limit: limit(MAX_ACCOUNTS_LIMIT, 100),
      cursor,
      offset: offset.describe('Skip this many accounts; not with a cursor'),
      facets: flag.describe('Include the values that can be filtered by'),
    }),
    handle: async ({ system, headers, query: { facets, ...query } }) => {
      if (query.offset !== undefined && query.cursor !== undefined) throw offsetWithCursor();
      return answerOf(system, { ...query, cursor: query.cursor ?? null }, { facets: facets === 'true', headers });
    },
  }),
  streamRoute({
    method: 'get',
    path: '/api/accounts/export',
    operationId: 'accountsExport',
    types: { [CSV]: null },
    summary: 'All accounts that match the filters, as CSV with a header',
    heavy: true,
    ...NONE,
    query: z.strictObject(accountFilter),
    handle: async ({ system, query }) => {
      const rows = await system.accounts.all(query);
      const day = toIso(system.clock.now()).slice(0, 10);
      const headers = {
        'content-type': CSV,
        'content-disposition': `attachment; filename="rollcall-accounts-${day}.csv"`,
      };
      return streamText(system, chunked(accountsCsv(rows)), headers, { advice: 'Filter by OU or status.' });
    },
  }),
  jsonRoute({
    method: 'get',
    path: '/api/accounts/{id}',
    operationId: 'account',
    answer: 'Account',
    summary: 'One account: its status, the desired state with the deciding rules, and its timeline',
    ...NONE,
    params: z.strictObject({ id: accountId }),
    query: z.strictObject({ limit: limit(MAX_LIMIT, 50).describe('Entries of the timeline') }),
    handle: async ({ system, params, query }) => {
      const inUse = await policyIfAny(system);
      const { limit: most } = query;
      const asked = { accountId: params.id, policy: inUse?.policy ?? null, limit: most, now: system.clock.now() };
      const view = await accountView(system.stores, asked);
      if (view !== null) return view;
      const found = `Neither the last snapshot of the organization nor the audit log has account ${params.id}`;
      throw new ApiProblem(404, 'AccountUnknown', `${found}. A new account is known after the next scan.`);
    },
  }),
];

function offsetWithCursor(): ApiProblem {
  const message = 'expected either offset or cursor, found both';
  return new ApiProblem(400, 'BadRequest', `Invalid query parameter \`offset\`: ${message}`, {
    errors: [{ where: 'query.offset', message }],
  });
}

/** Lines in parts of some hundred, so that each part is worth sending. */
async function* chunked(lines: Iterable<string>): AsyncGenerator<string> {
  let part = '';
  let count = 0;
  for (const line of lines) {
    part += line;
    count += 1;
    if (count % LINES_AT_ONCE !== 0) continue;
    yield part;
    part = '';
  }
  if (part !== '') yield part;
}

async function answerOf(
  { accounts, streams }: ApiSystem,
  query: AccountListQuery,
  { facets, headers }: { readonly facets: boolean; readonly headers: Headers },
): Promise<Response> {
  // Read first: if the accounts change in between, the tag belongs to an older state, and the next request is answered in full.
  const etag = `W/"${await accounts.version()}"`;
  if (isKnown(headers.get('if-none-match'), etag)) return new Response(null, { status: 304, headers: { etag } });
  const page = await accounts.page(query);
  const found = facets ? await accounts.facets() : null;
  // No other work in between: the whole belongs to the turn of `page`.
  const text = Buffer.from(accounts.json(page, found));
  const { bytes, headers: own } = await compressed(text, headers.get('accept-encoding'));
  if (!streams && bytes.length > MOST_AT_ONCE) throw tooLarge('Request fewer accounts with `limit`.');
  return new Response(new Uint8Array(bytes), { headers: { 'content-type': 'application/json', etag, ...own } });
}
