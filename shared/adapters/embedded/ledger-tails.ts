import { ENROLLMENT_IDS } from '../../domain/enrollment/kinds/index.ts';
import type { LedgerEntry } from '../../domain/ledger/entry.ts';
import type { AccountTail, ChainEnd } from '../../ports/ledger.ts';
import { type Connection, inPages } from './connection.ts';
import type { Row, Sql } from './sql.ts';

/** Accounts per statement. Each statement blocks the event loop for a few milliseconds. */
const TAILS_PAGE = 100;
const ENDS_PAGE = 1_000;
/** The largest clock difference between writers of one chain, ms. */
const SKEW_MS = 10 * 60_000;

/**
 * The position of the chain's last entry that fits `condition` and has a time up to ?2. Clocks of writers differ, so the entry with the latest time is
 * not always the last: of the entries within {@link SKEW_MS} of it, the one with the greatest position is.
 */
function lastOf(condition: string): string {
  const ofKind = `FROM ledger INDEXED BY ledger_tails WHERE account_id = chain AND account_id = c.chain AND ${condition} AND at <= ?2`;
  return `(SELECT max(position) ${ofKind} AND at >= (SELECT max(at) ${ofKind}) - ${SKEW_MS})`;
}

const PRESENCE = "enrollment IS NULL AND type IN ('AccountJoined', 'AccountLeft')";

/** ?1: the last chain of the previous page, ?2: the time, ?3: accounts per page. */
const TAILS = `
  SELECT c.chain AS chain, l.type AS type, l.body AS body
  FROM (SELECT chain FROM chains WHERE chain > ?1 ORDER BY chain LIMIT ?3) c
  LEFT JOIN ledger l ON l.position IN (
    ${ENROLLMENT_IDS.map((id) => lastOf(`enrollment = '${id}'`)).join(',\n    ')},
    ${lastOf(PRESENCE)},
    (SELECT position FROM ledger INDEXED BY ledger_checkpoints
     WHERE type = 'ChainPruned' AND chain = c.chain ORDER BY seq DESC LIMIT 1)
  )
  ORDER BY c.chain, l.position`;

export async function* readTails(
  connection: Connection,
  until: number,
  toEntry: (sql: Sql, row: Row) => LedgerEntry,
): AsyncGenerator<readonly AccountTail[]> {
  const toRow = (sql: Sql, row: Row) => ({
    chain: sql.text(row, 'chain'),
    entry: row['body'] === null ? null : toEntry(sql, row),
  });
  const pages = inPages(
    (after) => connection.read((sql) => sql.all(TAILS, after, until, TAILS_PAGE).map((row) => toRow(sql, row))),
    ({ chain }) => chain,
  );
  for await (const rows of pages) {
    const tails = [...Map.groupBy(rows, ({ chain }) => chain)].flatMap(([accountId, ofAccount]) => {
      const found = ofAccount.flatMap(({ entry }) => entry ?? []);
      const entries = found.filter(({ type }) => type !== 'ChainPruned');
      const checkpoint = found.findLast(({ type }) => type === 'ChainPruned') ?? null;
      return found.length > 0 ? [{ accountId, entries, checkpoint }] : [];
    });
    if (tails.length > 0) yield tails;
  }
}

export function readEnds(connection: Connection): AsyncGenerator<readonly ChainEnd[]> {
  const text = 'SELECT chain, seq, hash FROM chains WHERE chain > ? ORDER BY chain LIMIT ?';
  const toEnd = (sql: Sql, row: Row): ChainEnd => ({
    chain: sql.text(row, 'chain'),
    seq: sql.number(row, 'seq'),
    hash: sql.text(row, 'hash'),
  });
  return inPages(
    (after) => connection.read((sql) => sql.all(text, after, ENDS_PAGE).map((row) => toEnd(sql, row))),
    ({ chain }) => chain,
  );
}

/** @throws RangeError as the port's `prune` */
export async function pruneChain(
  connection: Connection,
  chain: string,
  throughSeq: number,
  limit: number,
): Promise<number> {
  const removed = await connection.write((sql) => removeOldest(sql, chain, throughSeq, limit));
  if (removed !== null) return removed;
  throw new RangeError(`chain ${chain} cannot be pruned up to entry ${throughSeq}: it has to keep its last entry`);
}

/** @returns the number of removed entries; `null` if the chain has no entry after `throughSeq` */
function removeOldest(sql: Sql, chain: string, throughSeq: number, limit: number): number | null {
  const end = sql.get('SELECT seq FROM chains WHERE chain = ?', chain);
  if (end === undefined || throughSeq >= sql.number(end, 'seq')) return null;
  const first = sql.get('SELECT min(seq) AS seq FROM ledger WHERE chain = ?', chain);
  if (first === undefined || first['seq'] === null) return 0;
  const to = Math.min(throughSeq, sql.number(first, 'seq') + limit - 1);
  return sql.run('DELETE FROM ledger WHERE chain = ? AND seq <= ?', chain, to);
}
