import type { LedgerEntry } from '../../../domain/ledger/entry.ts';
import { entriesCsvHeader, entryCsvLine } from '../../../domain/ledger/export-csv.ts';
import { ocsfEvent } from '../../../domain/ledger/export-ocsf.ts';
import type { LedgerFilter, LedgerPage } from '../../../ports/ledger.ts';
import type { EntryReader } from './caused-drift.ts';
import type { ExportFormat } from './export-formats.ts';

export interface ExportOptions {
  readonly filter: LedgerFilter;
  readonly format: ExportFormat;
  /** Version of Rollcall, which OCSF events contain. */
  readonly version: string;
  /** Called with the number of entries written so far. */
  readonly onPage?: (entries: number) => void;
}

interface Shape {
  readonly begin: string;
  readonly entry: (entry: LedgerEntry) => string;
  readonly between: string;
  readonly end: string;
}

/** Reading and formatting this many entries blocks the thread for a few milliseconds. */
const PAGE = 200;

/** The matching entries, oldest first, as text in pieces. Only one page of entries is in memory at a time. */
export async function* auditExport(ledger: EntryReader, options: ExportOptions): AsyncGenerator<string> {
  const { filter, onPage } = options;
  const { begin, between, end, ...shape } = shapeOf(options);
  yield begin;
  let count = 0;
  for (let cursor: string | null = null; ; ) {
    const page: LedgerPage = await ledger.query(filter, {
      limit: PAGE,
      cursor,
      order: 'oldestFirst',
    });
    const text = page.entries.map(shape.entry).join(between);
    if (text !== '') yield count > 0 ? `${between}${text}` : text;
    count += page.entries.length;
    onPage?.(count);
    if (page.next === null) break;
    cursor = page.next;
  }
  yield end;
}

function shapeOf({ format, version }: ExportOptions): Shape {
  const lines = { begin: '', between: '', end: '' };
  if (format === 'csv') return { ...lines, begin: entriesCsvHeader(), entry: entryCsvLine };
  if (format === 'ndjson') return { ...lines, entry: (entry) => `${JSON.stringify(entry)}\n` };
  if (format === 'ocsf') return { ...lines, entry: (entry) => `${JSON.stringify(ocsfEvent(entry, version))}\n` };
  return { begin: '{"entries":[', entry: (entry) => JSON.stringify(entry), between: ',\n', end: ']}\n' };
}
