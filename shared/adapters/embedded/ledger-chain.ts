import type { LedgerEntry } from '../../domain/ledger/entry.ts';
import type { StoredEntry } from '../../domain/ledger/stored-entry.ts';
import { TamperedError } from '../../ports/ledger.ts';
import { isLedgerEntry } from '../stored-shapes.ts';
import type { Connection } from './connection.ts';
import type { Row, Sql } from './sql.ts';

/* Reads a chain and compares the search columns of each row with the entry, because the chain's hashes do not cover the columns. */

/** The text of each entry, then the columns in the order of {@link differingColumn}. */
const OF_CHAIN = `
  SELECT body, seq, hash, type, actor, at, opt_out, account_id, enrollment, run_id
  FROM ledger WHERE chain = ? AND seq > ? ORDER BY seq LIMIT ?`;

/** @throws TamperedError; StoreError `Corrupt` */
export async function readChain(
  connection: Connection,
  chain: string,
  afterSeq: number,
  limit: number,
): Promise<readonly StoredEntry[]> {
  const found = await connection.read((sql) => compared(sql, chain, sql.lists(OF_CHAIN, chain, afterSeq, limit)));
  // Thrown here, because the connection treats every error within a query as an error of SQLite.
  if (found instanceof TamperedError) throw found;
  return found;
}

function compared(sql: Sql, chain: string, rows: readonly Row[]): readonly StoredEntry[] | TamperedError {
  const found: StoredEntry[] = [];
  for (const row of rows) {
    const text = sql.text(row, 0);
    const entry = sql.parsed(text, 'a ledger entry', isLedgerEntry);
    const name = differingColumn(row, entry, chain);
    if (name !== null) return new TamperedError(chain, entry.seq, name);
    found.push({ entry, text });
  }
  return found;
}

function differingColumn(row: Row, entry: LedgerEntry, chain: string): string | null {
  if (chain !== entry.chain) return 'chain';
  if (row[1] !== entry.seq) return 'seq';
  if (row[2] !== entry.hash) return 'hash';
  if (row[3] !== entry.type) return 'type';
  if (row[4] !== entry.actor) return 'actor';
  // An invalid time becomes NaN, which equals no column.
  if (row[5] !== Date.parse(entry.at)) return 'at';
  if (row[6] !== (entry.detail?.optOut === true ? 1 : 0)) return 'opt_out';
  if (row[7] !== entry.accountId) return 'account_id';
  if (row[8] !== entry.enrollment) return 'enrollment';
  return row[9] === entry.runId ? null : 'run_id';
}
