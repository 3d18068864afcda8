import { causedDrift, type EntryReader, type Pages } from '../../../shared/app/queries/audit/caused-drift.ts';
import { instantArgument, wordArgument } from '../../../shared/config/arguments.ts';
import { ConfigError } from '../../../shared/config/config-error.ts';
import { ENROLLMENT_IDS } from '../../../shared/domain/enrollment/kinds/index.ts';
import { entryTitle } from '../../../shared/domain/ledger/entry-titles.ts';
import { ENTRY_TYPES, type EntryType } from '../../../shared/domain/ledger/entry-types.ts';
import type { LedgerFilter } from '../../../shared/ports/ledger.ts';
import { actorNamed, callerNamed } from '../actor-named.ts';
import type { CliContext } from '../context.ts';
import { accountNamed } from '../named-account.ts';

/** Options that select entries. An entry must match all that are given. */
export type FilterFlags = Readonly<
  Partial<Record<'account' | 'enrollment' | 'type' | 'run' | 'since' | 'until' | 'actor' | 'changedBy', string>>
>;

export interface ListFlags extends FilterFlags {
  readonly limit: string;
  readonly cursor?: string;
  readonly oldestFirst?: boolean;
  readonly follow?: boolean;
}

/** The entries that the user asked for. */
export interface Selection {
  readonly filter: LedgerFilter;
  /** Restricts a log to the drift that the caller of `--changed-by` caused. @param pages default: full ones, for lists */
  readonly of: (ledger: EntryReader, pages?: Pages) => EntryReader;
}

/** @throws ConfigError or CommandError for an invalid value, and for a range that ends before it begins */
export async function selectionOf(context: CliContext, flags: FilterFlags): Promise<Selection> {
  const filter = await filterOf(context, flags);
  if (flags.changedBy === undefined) return { filter, of: (ledger) => ledger };
  if (filter.type !== undefined && filter.type !== 'DriftDetected') {
    const type = JSON.stringify(flags.type);
    throw new ConfigError('Usage', `--changed-by selects only drift entries, so it excludes --type ${type}.`);
  }
  const caller = await callerNamed(context, flags.changedBy, filter);
  return { filter, of: (ledger, pages) => causedDrift(ledger, caller, pages) };
}

async function filterOf(context: CliContext, flags: FilterFlags): Promise<LedgerFilter> {
  const now = context.clock.now();
  const { account, enrollment, type, run, since, until, actor } = flags;
  const filter = {
    ...(account !== undefined && { accountId: await accountNamed(context, '--account', account) }),
    ...(enrollment !== undefined && { enrollment: wordArgument('--enrollment', enrollment, ENROLLMENT_IDS) }),
    ...(type !== undefined && { type: typeNamed(type) }),
    ...(run !== undefined && { runId: run }),
    ...(since !== undefined && { since: instantArgument('--since', since, now) }),
    ...(until !== undefined && { until: instantArgument('--until', until, now) }),
  };
  assertRange(filter.since, filter.until);
  return actor === undefined ? filter : { ...filter, actor: await actorNamed(context, actor, filter) };
}

/** The type with this code, or with this name in lists, in any case. @throws ConfigError if there is none */
function typeNamed(word: string): EntryType {
  const named = ENTRY_TYPES.find((type) => entryTitle(type).toLowerCase() === word.toLowerCase());
  return named ?? wordArgument('--type', word, ENTRY_TYPES);
}

/** @throws ConfigError for an empty range */
export function assertRange(since: string | undefined, until: string | undefined): void {
  if (since === undefined || until === undefined || since < until) return;
  throw new ConfigError('Usage', `--until ${until} is not after --since ${since}: expected a later time.`);
}
