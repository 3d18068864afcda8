import { RANKED_SORTS, type RankedQuery } from '../../../shared/app/queries/ranked-accounts.ts';
import { countArgument, wordArgument } from '../../../shared/config/arguments.ts';
import { ConfigError } from '../../../shared/config/config-error.ts';
import { KINDS } from '../../../shared/domain/enrollment/kinds/index.ts';
import { STATUSES } from '../../../shared/domain/enrollment/status.ts';
import type { CliContext } from '../context.ts';
import { EXIT } from '../exit-codes.ts';
import { withStore } from '../session.ts';
import { accountsTable, accountsWide, enrollmentsCsv } from '../ui/accounts-text.ts';
import { count } from '../ui/words.ts';

export interface AccountsFlags {
  /** Several, separated by commas. */
  readonly status?: string;
  readonly kind?: string;
  readonly ou?: string;
  readonly rule?: string;
  readonly name?: string;
  readonly sort: string;
  readonly limit?: string;
}

export async function runAccounts(context: CliContext, flags: AccountsFlags): Promise<number> {
  const { output, clock, config } = context;
  const query = queryOf(flags);
  const { rankedAccounts } = await import('../../../shared/app/queries/ranked-accounts.ts');
  const found = await withStore(context, true, (store) => rankedAccounts(store, query));
  const { accounts, matching, all, counts } = found;
  if (found.emptyOu && all > 0) {
    output.note(`warning: --ou ${JSON.stringify(flags.ou)}: no account is in an OU with this path or below it`);
  }
  const now = clock.now();
  switch (config.format) {
    case 'json':
      output.document({ accounts: accounts.map(({ row }) => row), total: matching, all, counts });
      break;
    case 'name':
      for (const { row } of accounts) output.print(row.accountId);
      break;
    case 'csv':
      for (const line of enrollmentsCsv(found)) output.print(line);
      break;
    case 'wide':
      for (const line of accountsWide(found, output.style, now)) output.print(line);
      break;
    case 'table':
      for (const line of accountsTable(found, output, now)) output.print(line);
  }
  const more = matching - accounts.length;
  if (more > 0 && !output.json) output.note(`… and ${count(more, 'more account', 'more accounts')}: raise --limit`);
  return EXIT.ok;
}

/** @throws ConfigError for an unknown status, kind or order */
function queryOf({ status, kind, ou, rule, name, sort, limit }: AccountsFlags): RankedQuery {
  return {
    statuses: (status ?? '').split(',').flatMap((text) => (text.trim() === '' ? [] : [statusArgument(text)])),
    kind: kind === undefined ? null : kindArgument(kind),
    ou: ou === undefined ? null : ouArgument(ou),
    rule: rule ?? null,
    name: name ?? null,
    sort: wordArgument('--sort', sort, RANKED_SORTS),
    limit: limit === undefined ? null : countArgument('--limit', limit, { min: 1, max: 1_000_000 }),
  };
}

/** Case, spaces and hyphens do not matter. */
const plain = (text: string): string => text.toLowerCase().replace(/[\s_-]/g, '');

function statusArgument(text: string) {
  const found = STATUSES.find((status) => plain(status) === plain(text));
  if (found !== undefined) return found;
  const words = STATUSES.map((status) => status.toLowerCase().replaceAll(' ', '-')).join(', ');
  throw new ConfigError('Usage', `--status ${JSON.stringify(text)} is not a status; expected ${words}.`);
}

function kindArgument(text: string) {
  const found = KINDS.find(({ id, title }) => [plain(id), plain(title)].includes(plain(text)));
  if (found !== undefined) return found.id;
  const words = KINDS.map(({ title }) => title.toLowerCase().replaceAll(' ', '-')).join(', ');
  throw new ConfigError('Usage', `--kind ${JSON.stringify(text)} is not an enrollment kind; expected ${words}.`);
}

function ouArgument(text: string): string {
  if (text.startsWith('/')) return text;
  throw new ConfigError('Usage', `--ou ${JSON.stringify(text)} is not a path; expected one such as /Workloads/Prod.`);
}
