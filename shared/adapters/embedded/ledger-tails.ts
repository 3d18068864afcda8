import { setImmediate as nextTurn } from 'node:timers/promises';
import { ENROLLMENT_IDS } from '../../domain/enrollment/kinds/index.ts';
import type { LedgerEntry } from '../../domain/ledger/entry.ts';
import type { AccountTail, ChainEnd } from '../../ports/ledger.ts';
import type { Connection } from './connection.ts';
import type { Row, Sql } from './sql.ts';

/** Accounts per statement. One statement blocks the event loop for a few milliseconds. */
const TAILS_PAGE = 100;
const ENDS_PAGE = 1_000;
/** The clocks of the writers of one chain differ by at most this, ms. */
const SKEW_MS = 10 * 60_000;

/**
 * The position of the chain's last entry that fits `condition` and was written by time ?2. The index gives the latest time; the result is the
 * greatest position among the entries of about that time.
 */
function lastOf(condition: string): string {
  const ofKind = `FROM ledger INDEXED BY ledger_tails WHERE account_id = chain AND account_id = c.chain AND ${condition} AND at <= ?2`;
  return `(SELECT max(position) ${ofKind} AND at >= (SELECT max(at) ${ofKind}) - ${SKEW_MS})`;
}

const PRESENCE = "enrollment IS NULL AND type IN ('AccountJoined', 'AccountLeft')";

/** ?1: the chain after which the page starts, ?2: the latest time, ?3: the number of accounts. */
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
  for (let after = ''; ; ) {
    const from = after;
    await nextTurn();
    const rows = await connection.read((sql) =>
      sql.all(TAILS, from, until, TAILS_PAGE).map((row) => ({
        chain: sql.text(row, 'chain'),
        entry: row['body'] === null ? null : toEntry(sql, row),
      })),
    );
    const last = rows.at(-1);
    if (last === undefined) return;
    const byAccount = Map.groupBy(rows, ({ chain }) => chain);
    const tails = [...byAccount].map(([accountId, found]) =>
      toTail(
        accountId,
        found.flatMap(({ entry }) => entry ?? []),
      ),
    );
    const told = tails.filter(({ entries, checkpoint }) => entries.length > 0 || checkpoint !== null);
    if (told.length > 0) yield told;
    after = last.chain;
  }
}

function toTail(accountId: string, found: readonly LedgerEntry[]): AccountTail {
  return {
    accountId,
    entries: found.filter(({ type }) => type !== 'ChainPruned'),
    checkpoint: found.findLast(({ type }) => type === 'ChainPruned') ?? null,
  };
}

export async function* readEnds(connection: Connection): AsyncGenerator<readonly ChainEnd[]> {
  for (let after = ''; ; ) {
    const from = after;
    await nextTurn();
    const page = await connection.read((sql) =>
      sql
        .all('SELECT chain, seq, hash FROM chains WHERE chain > ? ORDER BY chain LIMIT ?', from, ENDS_PAGE)
        .map((row) => ({ chain: sql.text(row, 'chain'), seq: sql.number(row, 'seq'), hash: sql.text(row, 'hash') })),
    );
    const last = page.at(-1);
    if (last === undefined) return;
    yield page;
    after = last.chain;
  }
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

/** @returns the number of removed entries; `null`: the chain does not go beyond `throughSeq`. */
function removeOldest(sql: Sql, chain: string, throughSeq: number, limit: number): number | null {
  const end = sql.get('SELECT seq FROM chains WHERE chain = ?', chain);
  if (end === undefined || throughSeq >= sql.number(end, 'seq')) return null;
  const first = sql.get('SELECT min(seq) AS seq FROM ledger WHERE chain = ?', chain);
  if (first === undefined || first['seq'] === null) return 0;
  const to = Math.min(throughSeq, sql.number(first, 'seq') + limit - 1);
  return sql.run('DELETE FROM ledger WHERE chain = ? AND seq <= ?', chain, to);
}
