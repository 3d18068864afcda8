import { accountArgument, instantArgument, wordArgument } from '../../../shared/config/arguments.ts';
import { ConfigError } from '../../../shared/config/config-error.ts';
import { ENROLLMENT_IDS } from '../../../shared/domain/enrollment/kinds/index.ts';
import { ENTRY_TYPES } from '../../../shared/domain/ledger/entry-types.ts';
import type { LedgerFilter } from '../../../shared/ports/ledger.ts';

/** Options that select entries. An entry must match all that are given. */
export type FilterFlags = Readonly<
  Partial<Record<'account' | 'enrollment' | 'type' | 'run' | 'since' | 'until' | 'actor', string>>
>;

export interface ListFlags extends FilterFlags {
  readonly limit: string;
  readonly cursor?: string;
  readonly oldestFirst?: boolean;
  readonly follow?: boolean;
}

/** @throws ConfigError for an invalid value, and for a range that ends before it begins */
export function filterOf(flags: FilterFlags, now: number): LedgerFilter {
  const { account, enrollment, type, run, since, until, actor } = flags;
  const filter = {
    ...(account !== undefined && { accountId: accountArgument('--account', account) }),
    ...(enrollment !== undefined && { enrollment: wordArgument('--enrollment', enrollment, ENROLLMENT_IDS) }),
    ...(type !== undefined && { type: wordArgument('--type', type, ENTRY_TYPES) }),
    ...(run !== undefined && { runId: run }),
    ...(since !== undefined && { since: instantArgument('--since', since, now) }),
    ...(until !== undefined && { until: instantArgument('--until', until, now) }),
    ...(actor !== undefined && { actor }),
  };
  assertRange(filter.since, filter.until);
  return filter;
}

/** @throws ConfigError for an empty range */
export function assertRange(since: string | undefined, until: string | undefined): void {
  if (since === undefined || until === undefined || since < until) return;
  throw new ConfigError('Usage', `--until ${until} is not after --since ${since}: expected a later time.`);
}
