import type { Command } from 'commander';
import { auditList } from '../../../shared/app/audit-list.ts';
import { verifyLedger } from '../../../shared/app/audit-verify.ts';
import { accountArgument, countArgument, instantArgument, wordArgument } from '../../../shared/config/arguments.ts';
import { ENTRY_TYPES } from '../../../shared/domain/ledger.ts';
import { ENROLLMENTS } from '../../../shared/domain/types.ts';
import type { LedgerFilter } from '../../../shared/ports/ledger.ts';
import type { CliContext, Select } from '../context.ts';
import { CommandError } from '../errors.ts';
import { EXIT } from '../exit-codes.ts';
import { storeName, withStore } from '../session.ts';
import { entriesTable } from '../ui/entries.ts';
import { count } from '../ui/words.ts';

interface ListFlags {
  readonly account?: string;
  readonly enrollment?: string;
  readonly type?: string;
  readonly run?: string;
  readonly since?: string;
  readonly until?: string;
  readonly actor?: string;
  readonly limit: string;
  readonly cursor?: string;
  readonly oldestFirst?: boolean;
}

export function defineAudit(program: Command, select: Select): void {
  const audit = program.command('audit').description('the ledger: what was found, decided and done');
  audit
    .command('list')
    .description('entries, the newest first')
    .option('--account <id>', 'of this account')
    .option('--enrollment <name>', 'computeOptimizer or automation')
    .option('--type <type>', 'of this type, e.g. DriftDetected')
    .option('--run <id>', 'of this run')
    .option('--since <time>', 'at or after: 2026-03-01, 2026-03-01T12:00:00Z, or 24h for that long ago')
    .option('--until <time>', 'before')
    .option('--actor <name>', 'by this actor')
    .option('--limit <n>', 'at most so many', '50')
    .option('--cursor <cursor>', 'go on where a page ended (`next` of --json)')
    .option('--oldest-first', 'the oldest first')
    .action((flags: ListFlags) => select((context) => runList(context, flags)));
  audit
    .command('show')
    .description('one entry in full, and whether its neighbours in its chain fit')
    .argument('<id>', "an entry's id, or its place, CHAIN#SEQ")
    .action((id: string) => select((context) => runShow(context, id)));
  audit
    .command('verify')
    .description('check that every chain of the ledger is whole: no gap, no fork, no edit')
    .action(() => select(runVerify));
}

async function runList(context: CliContext, flags: ListFlags): Promise<number> {
  const { output, clock } = context;
  const query = {
    filter: filterOf(flags, clock.now()),
    limit: countArgument('--limit', flags.limit, { min: 1, max: 1_000_000 }),
    cursor: flags.cursor ?? null,
    order: flags.oldestFirst === true ? ('oldestFirst' as const) : ('newestFirst' as const),
  };
  const page = await withStore(context, true, (store) => auditList(store.ledger, query));
  if (output.json) output.document(page);
  else {
    if (page.entries.length === 0) output.print('No entry fits.');
    else for (const line of entriesTable(page.entries, output.width, true)) output.print(line);
    if (page.next !== null) output.note(`… and more: raise --limit, or go on with --cursor ${page.next}`);
  }
  return EXIT.ok;
}

function filterOf(flags: ListFlags, now: number): LedgerFilter {
  const { account, enrollment, type, run, since, until, actor } = flags;
  return {
    ...(account !== undefined && { accountId: accountArgument('--account', account) }),
    ...(enrollment !== undefined && { enrollment: wordArgument('--enrollment', enrollment, ENROLLMENTS) }),
    ...(type !== undefined && { type: wordArgument('--type', type, ENTRY_TYPES) }),
    ...(run !== undefined && { runId: run }),
    ...(since !== undefined && { since: instantArgument('--since', since, now) }),
    ...(until !== undefined && { until: instantArgument('--until', until, now) }),
    ...(actor !== undefined && { actor }),
  };
}

async function runShow(context: CliContext, id: string): Promise<number> {
  const { output } = context;
  const [{ showEntry }, { entryText }] = await Promise.all([
    import('../../../shared/app/audit-show.ts'),
    import('../ui/entry-text.ts'),
  ]);
  const shown = await withStore(context, true, (store) => showEntry(store.ledger, id));
  if (shown === null) {
    throw new CommandError(
      'EntryUnknown',
      `There is no entry ${JSON.stringify(id)}. Give an id as \`audit list\` shows it (26 characters), or a place such as 123456789012#4.`,
    );
  }
  if (output.json) output.document(shown);
  else for (const line of entryText(shown, output.style)) output.print(line);
  return shown.verification.ok ? EXIT.ok : EXIT.error;
}

async function runVerify(context: CliContext): Promise<number> {
  const { output } = context;
  const result = await withStore(context, true, (store) => verifyLedger(store.ledger, store.records));
  const { fault } = result;
  if (output.json) output.document(result);
  else if (fault === null)
    output.print(
      `The ledger is whole: ${count(result.entries, 'entry', 'entries')} in ${count(result.chains, 'chain')}.`,
    );
  if (fault === null) return EXIT.ok;
  if (output.json) return EXIT.error;
  throw new CommandError(
    'LedgerBroken',
    `The ledger is not whole: chain ${fault.chain}, entry ${fault.seq}: ${fault.kind}: ${fault.message}. ` +
      `Keep ${storeName(context)} as it is for the investigation, and compare it with ${context.config.store === 'aws' ? 'an earlier point in time' : 'a backup'}.`,
  );
}
