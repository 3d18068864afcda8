import { laneOf } from '../../domain/work-lane.ts';
import type { DeadLetter, DeadLetters } from '../../ports/queue.ts';
import { readMessage } from '../../ports/read-message.ts';
import type { Clock } from '../../ports/system.ts';
import type { Connection } from './connection.ts';
import { type Enqueued, enqueue } from './messages.ts';
import type { Row, Sql } from './sql.ts';

export function sqliteDeadLetters(connection: Connection, clock: Pick<Clock, 'now'>): DeadLetters {
  return {
    /** Latest first. */
    list: (limit) =>
      connection.read((sql) =>
        sql
          .all('SELECT * FROM dead_letters ORDER BY at DESC, id DESC LIMIT ?', limit)
          .map((row) => toDeadLetter(sql, row)),
      ),
    show: (id) =>
      connection.read((sql) => {
        const row = sql.get('SELECT * FROM dead_letters WHERE id = ?', id);
        return row === undefined ? null : toDeadLetter(sql, row);
      }),
    redrive: (ids) =>
      connection.write((sql) => {
        const now = clock.now();
        const wanted = [...new Set(ids)];
        return wanted.filter((id) => putBack(sql, id, { lane: laneOf(wanted.length), now }));
      }),
  };
}

function putBack(sql: Sql, id: string, options: Pick<Enqueued, 'lane' | 'now'>): boolean {
  const row = sql.get('SELECT body FROM dead_letters WHERE id = ?', id);
  if (row === undefined) return false;
  const { message } = readMessage(sql.text(row, 'body'));
  if (message === null) return false;
  sql.run('DELETE FROM dead_letters WHERE id = ?', id);
  enqueue(sql, { message, ...options });
  return true;
}

function toDeadLetter(sql: Sql, row: Row): DeadLetter {
  const body = sql.text(row, 'body');
  const entryId = row['entry_id'] === null ? null : sql.text(row, 'entry_id');
  const reason = { code: sql.text(row, 'code'), message: sql.text(row, 'message'), entryId };
  return { id: sql.text(row, 'id'), message: readMessage(body).message, body, reason, at: sql.number(row, 'at') };
}
