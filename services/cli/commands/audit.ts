import { auditList } from '../../../shared/app/queries/audit/list.ts';
import { countArgument } from '../../../shared/config/arguments.ts';
import type { SnapshotStore } from '../../../shared/ports/snapshot-store.ts';
import type { CliContext } from '../context.ts';
import { CommandError } from '../errors.ts';
import { EXIT } from '../exit-codes.ts';
import { withStore } from '../session.ts';
import { entriesTable, type NameOf } from '../ui/entries.ts';
import { type FilterFlags, filterOf } from './audit-filter.ts';

export interface ListFlags extends FilterFlags {
  readonly limit: string;
  readonly cursor?: string;
  readonly oldestFirst?: boolean;
}

export async function runList(context: CliContext, flags: ListFlags): Promise<number> {
  const { output, clock } = context;
  const query = {
    filter: filterOf(flags, clock.now()),
    limit: countArgument('--limit', flags.limit, { min: 1, max: 1_000_000 }),
    cursor: flags.cursor ?? null,
    order: flags.oldestFirst === true ? ('oldestFirst' as const) : ('newestFirst' as const),
  };
  const { page, nameOf } = await withStore(context, true, async (store) => {
    const found = await auditList(store.ledger, query);
    return { page: found, nameOf: await namesOf(store.snapshots, output.json ? [] : found.entries) };
  });
  output.result(page, () =>
    page.entries.length === 0 ? ['No entry matches.'] : entriesTable(page.entries, output.width, nameOf),
  );
  if (page.next !== null && !output.json)
    output.note(`… and more: raise --limit, or continue with --cursor ${page.next}`);
  return EXIT.ok;
}

/** The names of the accounts that entries are about, from the last snapshot. */
async function namesOf(
  snapshots: SnapshotStore,
  entries: readonly { readonly accountId: string | null }[],
): Promise<NameOf> {
  if (entries.every(({ accountId }) => accountId === null)) return () => null;
  const snapshot = await snapshots.load();
  const names = new Map(snapshot?.accounts.map(({ id, name }) => [id, name]));
  return (id) => names.get(id) ?? null;
}

export async function runShow(context: CliContext, id: string): Promise<number> {
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
