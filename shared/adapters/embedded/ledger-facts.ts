import { setImmediate as nextTurn } from 'node:timers/promises';
import type { EntryFacts, LedgerPeriod } from '../../ports/ledger.ts';
import { toEpoch, toFacts } from '../stored-shapes.ts';
import type { Connection } from './connection.ts';
import type { Row, Sql } from './sql.ts';

/** Reading this many rows takes about 4 ms. */
const PAGE = 2_000;

/** `?1`, `?2`: time and position of the last row of the previous page. `?3`: the start of the period. */
const FACTS = `
  SELECT at, position, type, account_id, enrollment, run_id, actor FROM ledger INDEXED BY ledger_at
  WHERE (at, position) < (?1, ?2) AND at >= ?3 ORDER BY at DESC, position DESC LIMIT ${PAGE}`;

export async function* readFacts(
  connection: Connection,
  { since, until }: LedgerPeriod,
): AsyncGenerator<readonly EntryFacts[]> {
  const from = since === undefined ? Number.MIN_SAFE_INTEGER : toEpoch(since);
  // Positions begin at 1, so no entry of the time `until` itself comes before this place.
  let place = { at: until === undefined ? Number.MAX_SAFE_INTEGER : toEpoch(until), position: 0 };
  for (;;) {
    await nextTurn();
    const rows = await connection.read((sql) =>
      sql.all(FACTS, place.at, place.position, from).map((row) => placed(sql, row)),
    );
    const last = rows.at(-1);
    if (last === undefined) return;
    yield rows.flatMap(({ facts }) => facts ?? []);
    place = last;
  }
}

function placed(sql: Sql, row: Row) {
  const at = sql.number(row, 'at');
  const textOrNull = (column: string): string | null => (row[column] === null ? null : sql.text(row, column));
  const facts = toFacts(at, {
    type: sql.text(row, 'type'),
    actor: sql.text(row, 'actor'),
    runId: textOrNull('run_id'),
    accountId: textOrNull('account_id'),
    enrollment: textOrNull('enrollment'),
  });
  return { at, position: sql.number(row, 'position'), facts };
}
