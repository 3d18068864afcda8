import { setImmediate as nextTurn } from 'node:timers/promises';
import { type AccountRecord, wakeAt } from '../../domain/account/record.ts';
import type { RecordHead, Records } from '../../ports/records.ts';
import { viewOf } from '../records-view.ts';
import { fromStoredRecord, isStoredRecord, toStoredRecord } from '../stored-shapes.ts';
import { type Connection, inPages } from './connection.ts';
import { FIRST_GENERATION } from './schema.ts';
import type { Row, Sql } from './sql.ts';

const PAGE = 100;
const HEADS_PAGE = 1_000;
/** Reading this many heads at a time takes about 4 ms. */
const HEADS_READ = 5_000;
/** Reading this many records blocks the event loop for milliseconds, so pending requests to AWS are sent first. */
const MANY = 50;
/** How many turns of the event loop a pending request needs until it is sent: for its rate-limiter slot, its signature and its socket. */
const TURNS = 6;

export function sqliteRecords(connection: Connection): Records {
  const records: Records = {
    get: (accountId) =>
      connection.read((sql) => {
        const row = sql.get('SELECT account_id, seq, body FROM records WHERE account_id = ?', accountId);
        return row === undefined ? null : toRecord(sql, row);
      }),
    async getMany(accountIds) {
      for (let turn = 0; accountIds.length >= MANY && turn < TURNS; turn += 1) await nextTurn();
      return connection.read((sql) => {
        const wanted = JSON.stringify(accountIds);
        const rows = sql.all(
          'SELECT account_id, seq, body FROM records WHERE account_id IN (SELECT value FROM json_each(?)) ORDER BY account_id',
          wanted,
        );
        return new Map(rows.map((row) => toRecord(sql, row)).map((record) => [record.accountId, record]));
      });
    },
    all: () => recordPages(connection),
    heads: () => headPages(connection),
    view: () => viewOf(records),
    async advance(advanced) {
      const timed = advanced.map((record) => ({ record, wake: wakeTime(record) }));
      await connection.write((sql) => {
        for (const { record, wake } of timed) advanceOne(sql, record, wake);
      });
    },
    due: (until, limit) =>
      connection.read((sql) =>
        sql
          .all(
            'SELECT wake_at, account_id, seq, body FROM records WHERE wake_at <= ? ORDER BY wake_at, account_id LIMIT ?',
            until,
            limit,
          )
          .map((row) => ({ record: toRecord(sql, row), wakeAt: sql.number(row, 'wake_at') })),
      ),
    snooze: (accountId, headSeq, until) =>
      connection.write((sql) => {
        sql.run('UPDATE records SET wake_at = ? WHERE account_id = ? AND seq <= ?', until, accountId, headSeq);
      }),
  };
  return records;
}

/** SQLite returns all heads as one JSON text, because node:sqlite takes longer to create an object for a row than SQLite takes to read the row. */
const HEADS = `
  SELECT json_group_array(account_id) AS ids, json_group_array(seq) AS seqs
  FROM (SELECT account_id, seq FROM records WHERE account_id > ? ORDER BY account_id LIMIT ${HEADS_READ})`;

async function* headPages(connection: Connection): AsyncGenerator<readonly RecordHead[]> {
  const read = (after: string): Promise<readonly RecordHead[]> => connection.read((sql) => headsAfter(sql, after));
  for await (const heads of inPages(read, ({ accountId }) => accountId)) {
    for (let from = 0; from < heads.length; from += HEADS_PAGE) yield heads.slice(from, from + HEADS_PAGE);
  }
}

function headsAfter(sql: Sql, after: string): readonly RecordHead[] {
  const row = sql.get(HEADS, after) ?? {};
  const ids = sql.json(row, 'ids', 'the list of records', isListOf('string'));
  const seqs = sql.json(row, 'seqs', 'the list of records', isListOf('number'));
  return ids.map((accountId, index) => ({ accountId, seq: seqs[index] ?? 0 }));
}

interface Types {
  readonly string: string;
  readonly number: number;
}

const isListOf =
  <T extends keyof Types>(type: T) =>
  (value: unknown): value is readonly Types[T][] =>
    Array.isArray(value) && value.every((each) => typeof each === type);

function recordPages(connection: Connection): AsyncGenerator<readonly AccountRecord[]> {
  const text = 'SELECT account_id, seq, body FROM records WHERE account_id > ? ORDER BY account_id LIMIT ?';
  return inPages(
    (after) => connection.read((sql) => sql.all(text, after, PAGE).map((row) => toRecord(sql, row))),
    ({ accountId }) => accountId,
  );
}

/** @throws RangeError for an invalid time: SQLite would store NULL, and the account would never become due again */
function wakeTime(record: AccountRecord): number | null {
  const wake = wakeAt(record);
  if (Number.isNaN(wake)) throw new RangeError(`the record of ${record.accountId} holds a time that cannot be read`);
  return wake;
}

/**
 * After a restore, another process may still hold a record that includes entries which the restored store lacks. So a restored store accepts a
 * record only if it has the record's last entry. A refused record is written again from its chain later.
 */
function advanceOne(sql: Sql, record: AccountRecord, wake: number | null): void {
  sql.run(
    `INSERT INTO records SELECT ?1, ?2, ?3, ?4
     WHERE EXISTS (SELECT 1 FROM register_versions WHERE generation = '${FIRST_GENERATION}')
        OR EXISTS (SELECT 1 FROM ledger WHERE chain = ?1 AND seq = ?2 AND hash = ?5)
     ON CONFLICT (account_id) DO UPDATE SET seq = ?2, wake_at = ?3, body = ?4 WHERE seq < ?2`,
    ...[record.accountId, record.head.seq, wake, JSON.stringify(toStoredRecord(record))],
    record.head.hash,
  );
}

/** Checks that the record has the account id of its row. Otherwise the state of one account would decide what is changed in another. */
function toRecord(sql: Sql, row: Row): AccountRecord {
  const record = sql.json(row, 'body', 'an account record', isStoredRecord);
  sql.same(row, 'account_id', record.accountId, 'an account record');
  sql.same(row, 'seq', record.head.seq, 'an account record');
  return fromStoredRecord(record);
}
