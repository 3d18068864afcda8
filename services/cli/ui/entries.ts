import type { OutputFormat } from '../../../shared/config/config.ts';
import { TITLES } from '../../../shared/domain/enrollment/kinds/index.ts';
import { type LedgerEntry, ORGANIZATION_CHAIN } from '../../../shared/domain/ledger/entry.ts';
import { entryTitle } from '../../../shared/domain/ledger/entry-titles.ts';
import { actorOf, changeText, type Entry, eventText, seenBy } from './entry-words.ts';
import { type Column, leastTableWidth, oneLine, table } from './table.ts';
import { minute, second, shortId } from './words.ts';

/** The least width of the column of changes, terminal cells: `waiting for confirmation`. */
const LEAST_CHANGE = 24;

export type NameOf = (accountId: string) => string | null;

export interface EntryListOptions {
  readonly format: OutputFormat;
  /** `null`: not a terminal. */
  readonly width: number | null;
  readonly nameOf: NameOf;
}

/** Entries in the chosen format, and the title line, if the format has one. `name`: the ids. */
export async function entryList(
  entries: readonly LedgerEntry[],
  { format, width, nameOf }: EntryListOptions,
): Promise<{ readonly head: readonly string[]; readonly lines: readonly string[] }> {
  if (format === 'name') return { head: [], lines: entries.map(({ id }) => id) };
  if (format === 'csv') {
    const { entriesCsvHeader, entryCsvLine } = await import('../../../shared/domain/ledger/export-csv.ts');
    return { head: [entriesCsvHeader().trimEnd()], lines: entries.map((entry) => entryCsvLine(entry).trimEnd()) };
  }
  const [head = '', ...lines] =
    format === 'wide' ? fullEntriesTable(entries, nameOf) : entriesTable(entries, width, nameOf);
  return { head: [head], lines };
}

/**
 * Entries of any accounts. Enrollment and change have columns of their own if names, actors and ids fit in full beside them; otherwise they are part of
 * a sentence that wraps.
 * @param width `null`: not a terminal
 */
export function entriesTable(entries: readonly Entry[], width: number | null, nameOf: NameOf): string[] {
  const wide = wideTable(entries, nameOf);
  const [columns, rows] = width === null || leastTableWidth(...wide) <= width ? wide : narrowTable(entries, nameOf);
  return table(columns, rows, width);
}

/** Entries of any accounts with full ids, actors and times to the second, however wide that is. */
export function fullEntriesTable(entries: readonly Entry[], nameOf: NameOf): string[] {
  const titles = ['TIME (UTC)', 'ACCOUNT', 'NAME', 'EVENT', 'ENROLLMENT', 'CHANGE', 'BY', 'ID'];
  const rows = entries.map((entry) => [
    second(entry.at),
    entry.accountId ?? accountOf(entry, nameOf),
    entry.accountId === null ? '' : (nameOf(entry.accountId) ?? ''),
    entryTitle(entry.type),
    entry.enrollment === null ? '' : TITLES[entry.enrollment],
    changeText(entry),
    actorOf(entry, oneLine) ?? seenBy(entry, oneLine),
    entry.id,
  ]);
  return table(
    titles.map((title) => ({ title })),
    rows,
    null,
  );
}

type Table = readonly [readonly Column[], readonly (readonly string[])[]];

function narrowTable(entries: readonly Entry[], nameOf: NameOf): Table {
  const columns = [
    { title: 'TIME (UTC)' },
    { title: 'ID' },
    { title: 'ACCOUNT', shrinks: true },
    { title: 'EVENT', wraps: true },
  ];
  const rows = entries.map((entry) => {
    const by = actorOf(entry);
    return [
      minute(entry.at),
      shortId(entry.id),
      accountOf(entry, nameOf),
      `${eventText(entry)}, ${by === null ? `actor unknown, ${seenBy(entry)}` : `by ${by}`}`,
    ];
  });
  return [columns, rows];
}

function wideTable(entries: readonly Entry[], nameOf: NameOf): Table {
  const columns = [
    { title: 'TIME (UTC)' },
    { title: 'ACCOUNT' },
    { title: 'EVENT' },
    { title: 'ENROLLMENT' },
    { title: 'CHANGE', shrinks: true, least: LEAST_CHANGE },
    { title: 'BY' },
    { title: 'ID' },
  ];
  const rows = entries.map((entry) => [
    minute(entry.at),
    accountOf(entry, nameOf),
    entryTitle(entry.type),
    entry.enrollment === null ? '' : TITLES[entry.enrollment],
    changeText(entry),
    actorOf(entry) ?? seenBy(entry),
    shortId(entry.id),
  ]);
  return [columns, rows];
}

function accountOf({ accountId, chain }: Entry, nameOf: NameOf): string {
  if (accountId === null) return chain === ORGANIZATION_CHAIN ? '–' : chain;
  return nameOf(accountId) ?? accountId;
}

/** The entries of one account, newest first. */
export function historyLines(entries: readonly Entry[], width: number | null): string[] {
  const rows = entries.map((entry) => [minute(entry.at), eventText(entry)]);
  return table([{ title: '' }, { title: '', wraps: true }], rows, width, { indent: 2, titles: false });
}
