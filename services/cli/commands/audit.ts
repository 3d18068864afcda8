import { auditList } from '../../../shared/app/queries/audit/list.ts';
import { countArgument } from '../../../shared/config/arguments.ts';
import { namesOf } from '../account-names.ts';
import type { CliContext } from '../context.ts';
import { entryNamed } from '../entry-named.ts';
import { EXIT } from '../exit-codes.ts';
import { withStore } from '../session.ts';
import { entryList } from '../ui/entries.ts';
import { type ListFlags, selectionOf } from './audit-filter.ts';

export async function runList(context: CliContext, flags: ListFlags): Promise<number> {
  const { output, config } = context;
  if (flags.follow === true) {
    const { followEntries } = await import('./audit-follow.ts');
    return followEntries(context, flags);
  }
  const { filter, of } = await selectionOf(context, flags);
  const query = {
    filter,
    limit: countArgument('--limit', flags.limit, { min: 1, max: 1_000_000 }),
    cursor: flags.cursor ?? null,
    order: flags.oldestFirst === true ? ('oldestFirst' as const) : ('newestFirst' as const),
  };
  const { page, nameOf } = await withStore(context, true, async (store) => {
    const found = await auditList(of(store.ledger), query);
    return { page: found, nameOf: await namesOf(store.snapshots, output.json ? [] : found.entries) };
  });
  if (output.json) {
    output.document(page);
    return EXIT.ok;
  }
  const { head, lines } = await entryList(page.entries, { format: config.format, width: output.width, nameOf });
  if (page.entries.length === 0 && (config.format === 'table' || config.format === 'wide'))
    output.print('No entry matches.');
  else for (const line of [...head, ...lines]) output.print(line);
  if (page.next !== null) output.note(`… and more: raise --limit, or continue with --cursor ${page.next}`);
  return EXIT.ok;
}

export async function runShow(context: CliContext, id: string): Promise<number> {
  const { output } = context;
  const [{ showEntry }, { entryText }] = await Promise.all([
    import('../../../shared/app/queries/audit/show.ts'),
    import('../ui/entry-text.ts'),
  ]);
  const shown = await withStore(context, true, ({ ledger }) =>
    entryNamed(ledger, id, (reference) => showEntry(ledger, reference)),
  );
  output.result(shown, () => entryText(shown, output.style));
  return shown.verification.ok ? EXIT.ok : EXIT.error;
}
