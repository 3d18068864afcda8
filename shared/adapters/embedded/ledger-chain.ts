import type { LedgerEntry } from '../../domain/ledger/entry.ts';
import type { StoredEntry } from '../../domain/ledger/stored-entry.ts';
import { TamperedError } from '../../ports/ledger.ts';
import { isLedgerEntry } from '../stored-shapes.ts';
import type { Connection } from './connection.ts';
import type { Row, Sql } from './sql.ts';

/*
 * Reads a chain and compares the search columns of each row with the entry, because the chain's hashes do not cover the columns. SQLite joins the columns
 * into one text, which takes half as long as reading ten values. Only if this text is unexpected are the columns read and compared one by one.
 */

/** The separator of the joined columns. An entry's text contains control characters only as escapes. */
const BETWEEN = '\u001f';

const OF_CHAIN = 'FROM ledger WHERE chain = ? AND seq > ? ORDER BY seq LIMIT ?';
const JOINED = `
  SELECT body, concat_ws(char(31), seq, hash, at, type, opt_out,
    ifnull('=' || account_id, ''), ifnull('=' || enrollment, ''), ifnull('=' || run_id, ''), actor) ${OF_CHAIN}`;
const SEPARATE = `SELECT body, seq, hash, at, type, account_id, enrollment, run_id, actor, opt_out ${OF_CHAIN}`;

/** @throws TamperedError; StoreError `Corrupt` */
export async function readChain(
  connection: Connection,
  chain: string,
  afterSeq: number,
  limit: number,
): Promise<readonly StoredEntry[]> {
  const range = [chain, afterSeq, limit] as const;
  const found = await connection.read((sql) => readJoined(sql, range));
  if (found !== null) return found;
  const rows = await connection.read((sql) =>
    sql.all(SEPARATE, ...range).map((row) => ({ row, stored: toStored(sql, sql.text(row, 'body')) })),
  );
  return rows.map(({ row, stored }) => {
    const name = differingColumn(row, stored.entry, chain);
    if (name !== null) throw new TamperedError(chain, stored.entry.seq, name);
    return stored;
  });
}

type Range = readonly [chain: string, afterSeq: number, limit: number];

/** @returns `null` if the columns of some row may differ from its entry */
function readJoined(sql: Sql, range: Range): readonly StoredEntry[] | null {
  const found: StoredEntry[] = [];
  for (const row of sql.lists(JOINED, ...range)) {
    if (!Array.isArray(row)) return null;
    const [text, columns]: unknown[] = row;
    if (typeof text !== 'string' || typeof columns !== 'string') return null;
    const stored = toStored(sql, text);
    if (stored.entry.chain !== range[0] || columns !== joined(stored.entry) || !isCertain(stored)) return null;
    found.push(stored);
  }
  return found;
}

/** An invalid time becomes NaN, which equals no column. */
function joined({ seq, hash, at, type, detail, accountId, enrollment, runId, actor }: LedgerEntry): string {
  const optOut = detail?.optOut === true ? 1 : 0;
  const names = `${orEmpty(accountId)}${BETWEEN}${orEmpty(enrollment)}${BETWEEN}${orEmpty(runId)}`;
  return `${seq}${BETWEEN}${hash}${BETWEEN}${Date.parse(at)}${BETWEEN}${type}${BETWEEN}${optOut}${BETWEEN}${names}${BETWEEN}${actor}`;
}

function orEmpty(field: string | null): string {
  return field === null ? '' : `=${field}`;
}

/** Whether no field contains the separator. An entry whose text has no escape contains no control character. */
function isCertain({ text, entry: { hash, accountId, enrollment, runId, actor } }: StoredEntry): boolean {
  if (!text.includes('\\')) return true;
  const fields = [hash, accountId, enrollment, runId, actor];
  return fields.every((field) => field === null || !field.includes(BETWEEN));
}

function differingColumn(row: Row, entry: LedgerEntry, chain: string): string | null {
  if (chain !== entry.chain) return 'chain';
  if (row['seq'] !== entry.seq) return 'seq';
  if (row['hash'] !== entry.hash) return 'hash';
  if (row['type'] !== entry.type) return 'type';
  if (row['actor'] !== entry.actor) return 'actor';
  // An invalid time becomes NaN, which equals no column.
  if (row['at'] !== Date.parse(entry.at)) return 'at';
  if (row['opt_out'] !== (entry.detail?.optOut === true ? 1 : 0)) return 'opt_out';
  if (row['account_id'] !== entry.accountId) return 'account_id';
  if (row['enrollment'] !== entry.enrollment) return 'enrollment';
  return row['run_id'] === entry.runId ? null : 'run_id';
}

function toStored(sql: Sql, text: string): StoredEntry {
  return { entry: sql.parsed(text, 'a ledger entry', isLedgerEntry), text };
}
