import type { Command } from 'commander';
import { auditList } from '../../../shared/app/queries/audit/list.ts';
import { countArgument } from '../../../shared/config/arguments.ts';
import type { CliContext, Select } from '../context.ts';
import { CommandError } from '../errors.ts';
import { EXIT } from '../exit-codes.ts';
import { withStore } from '../session.ts';
import { entriesTable } from '../ui/entries.ts';
import { defineAsOf } from './audit-as-of.ts';
import { defineExport } from './audit-export.ts';
import { type FilterFlags, filterOf, withFilters } from './audit-filter.ts';
import { defineReport } from './audit-report.ts';
import { defineVerify } from './audit-verify.ts';

interface ListFlags extends FilterFlags {
  readonly limit: string;
  readonly cursor?: string;
  readonly oldestFirst?: boolean;
}

export function defineAudit(program: Command, select: Select): void {
  const audit = program.command('audit').description('read, verify, export and report on the ledger');
  withFilters(audit.command('list').description('list entries, newest first'))
    .option('--limit <n>', 'maximum number of entries', '50')
    .option('--cursor <cursor>', 'continue after the previous page (`next` of --json)')
    .option('--oldest-first', 'list the oldest entries first')
    .action((flags: ListFlags) => select((context) => runList(context, flags)));
  audit
    .command('show')
    .description('show one entry in full, and verify it against its neighbours in the chain')
    .argument('<id>', "an entry's id, or its position, CHAIN#SEQ")
    .action((id: string) => select((context) => runShow(context, id)));
  defineAsOf(audit, select);
  defineExport(audit, select);
  defineVerify(audit, select);
  defineReport(audit, select);
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
  output.result(page, () =>
    page.entries.length === 0 ? ['No entry matches.'] : entriesTable(page.entries, output.width, true),
  );
  if (page.next !== null && !output.json)
    output.note(`… and more: raise --limit, or continue with --cursor ${page.next}`);
  return EXIT.ok;
}

async function runShow(context: CliContext, id: string): Promise<number> {
  const { output } = context;
  const [{ showEntry }, { entryText }] = await Promise.all([
    import('../../../shared/app/queries/audit/show.ts'),
    import('../ui/entry-text.ts'),
  ]);
  const shown = await withStore(context, true, (store) => showEntry(store.ledger, id));
  if (shown === null) {
    throw new CommandError(
      'EntryUnknown',
      `There is no entry ${JSON.stringify(id)}. Expected an id from \`audit list\` (26 characters), or a position such as 123456789012#4.`,
    );
  }
  output.result(shown, () => entryText(shown, output.style));
  return shown.verification.ok ? EXIT.ok : EXIT.error;
}
