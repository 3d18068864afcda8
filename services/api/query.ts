import * as z from 'zod';
import { accountId, enrollment, entryType } from '../../shared/app/queries/answers/common.ts';
import { instantArgument } from '../../shared/config/arguments.ts';
import type { LedgerFilter } from '../../shared/ports/ledger.ts';
import { ApiProblem } from './problem.ts';

/* Query parameters that several endpoints have. Every text has a maximum length, so that no request can be expensive to check. */

export const MAX_LIMIT = 1_000;
export const limit = (max: number, preset: number) =>
  z.coerce.number().int().min(1).max(max).default(preset).describe(`Maximum number of results; default ${preset}`);
export const cursor = z.string().min(1).max(2_048).optional().describe('`next` of the previous page');
export const offset = z.coerce.number().int().min(0).max(1_000_000).optional();
export const word = z.string().min(1).max(200);
/** An ARN, or another name that CloudTrail has for a caller. */
export const actor = z.string().min(1).max(512);
export const several = <T extends z.ZodType>(item: T) => z.array(item).max(50).optional();
export const flag = z.enum(['true', 'false']).default('false');
const moment = z.string().min(1).max(40);
const MOMENT = 'a day, a time, or an age such as 24h';

export const auditFilter = {
  account: accountId.optional(),
  enrollment: enrollment.optional(),
  type: entryType.optional(),
  run: word.optional(),
  actor: actor.optional(),
  since: moment.optional().describe(`At or after: ${MOMENT}`),
  until: moment.optional().describe(`Before: ${MOMENT}`),
};

/** Filters on the content of entries, for which the log has no index. */
export const contentFilter = {
  changedBy: actor
    .optional()
    .describe('Drift that this caller caused (full name); `unknown`: drift whose caller is unknown'),
};

type FilterQuery = z.output<z.ZodObject<typeof auditFilter>>;

/** @throws ApiProblem for an invalid time, and for an empty range */
export function filterOf(query: FilterQuery, now: number): LedgerFilter {
  const { account, enrollment: of, type, run, actor } = query;
  const { since, until } = rangeOf(query, now);
  return {
    ...(account !== undefined && { accountId: account }),
    ...(of !== undefined && { enrollment: of }),
    ...(type !== undefined && { type }),
    ...(run !== undefined && { runId: run }),
    ...(actor !== undefined && { actor }),
    ...(since !== undefined && { since }),
    ...(until !== undefined && { until }),
  };
}

/** ISO 8601. @throws ApiProblem, ConfigError */
export function rangeOf(
  query: { readonly since?: string | undefined; readonly until?: string | undefined },
  now: number,
): { readonly since?: string; readonly until?: string } {
  const since = query.since === undefined ? undefined : instantArgument('since', query.since, now);
  const until = query.until === undefined ? undefined : instantArgument('until', query.until, now);
  if (since !== undefined && until !== undefined && since >= until) {
    const message = `since ${since} is not before until ${until}: the range is empty`;
    throw new ApiProblem(400, 'ImpossibleRange', message, { errors: [{ where: 'query.since', message }] });
  }
  return { ...(since !== undefined && { since }), ...(until !== undefined && { until }) };
}
