import type { Lane } from '../../domain/work-lane.ts';
import { workMessageSchema } from '../../domain/work-message.ts';
import { type Delivery, MAX_DELAY_MS, type WorkQueue } from '../../ports/queue.ts';
import { type ReadMessage, readMessage } from '../../ports/read-message.ts';
import type { Clock, NewId } from '../../ports/system.ts';
import type { Connection } from './connection.ts';
import { bury, enqueue, LANES } from './messages.ts';
import type { Row, Sql } from './sql.ts';

export interface QueueOptions {
  readonly clock: Pick<Clock, 'now'>;
  readonly newId: NewId;
  /** A message that was received this many times becomes a dead letter. Otherwise a message that crashes its worker would be delivered forever. */
  readonly maxReceives: number;
}

/**
 * The queue in a table. A message is visible once `visible_at` has passed. Receiving it moves that time forward and assigns a new receipt. Unlike in
 * SQS, a message replaces an equivalent one that still waits (`enqueue`), and no urgent message ever waits for a bulk message.
 */
export function sqliteQueue(connection: Connection, { clock, newId, maxReceives }: QueueOptions): WorkQueue {
  /** Whether the message still belongs to the receipt: its hidden time has not ended, and no other worker has received it. */
  const HELD = 'receipt = ? AND visible_at > ?';
  const hide = (delivery: Delivery, ms: number, receipt: string | null): Promise<void> =>
    connection.write((sql) => {
      const now = clock.now();
      const change = `UPDATE queue SET visible_at = ?, receipt = ? WHERE id = ? AND ${HELD}`;
      sql.run(change, now + ms, receipt, rowOf(delivery), delivery.receipt, now);
    });
  const putBack = (delivery: Delivery, delayMs: number): Promise<void> =>
    connection.write((sql) => {
      const now = clock.now();
      const change = `UPDATE queue SET visible_at = ?, receipt = NULL, receives = 0 WHERE id = ? AND ${HELD}`;
      sql.run(change, now + Math.min(delayMs, MAX_DELAY_MS), rowOf(delivery), delivery.receipt, now);
    });
  const remove = (sql: Sql, delivery: Delivery): boolean =>
    sql.run(`DELETE FROM queue WHERE id = ? AND ${HELD}`, rowOf(delivery), delivery.receipt, clock.now()) === 1;

  return {
    async send(messages, { lane = 'urgent', delayMs = 0 } = {}) {
      const bodies = messages.map((message) => workMessageSchema.parse(message));
      await connection.write((sql) => {
        const options = { lane, now: clock.now(), delayMs: Math.min(delayMs, MAX_DELAY_MS) };
        for (const message of bodies) enqueue(sql, { message, ...options });
      });
    },
    async receive(max, visibilityMs, lane) {
      // Reads first, because an idle worker polls often and a write transaction would lock out other processes each time.
      const waiting = await connection.read((sql) => nextVisible(sql, clock.now(), lane));
      if (waiting === undefined || max < 1) return [];
      return connection.write((sql) => {
        const deliveries: Delivery[] = [];
        while (deliveries.length < max) {
          const next = takeNext(sql, clock.now(), visibilityMs, lane);
          if (next === null) break;
          if (next !== 'buried') deliveries.push(next);
        }
        return deliveries;
      });
    },
    extend: (delivery, visibilityMs) => hide(delivery, visibilityMs, delivery.receipt),
    release: (delivery, delayMs) => hide(delivery, delayMs, null),
    putBack,
    acknowledge: (deliveries) =>
      connection.write((sql) => {
        for (const delivery of deliveries) remove(sql, delivery);
      }),
    deadLetter: (delivery, error) =>
      connection.write((sql) => {
        const body = sql.get('SELECT body FROM queue WHERE id = ?', rowOf(delivery));
        // If another worker has received the message since, that worker decides.
        if (body === undefined || !remove(sql, delivery)) return;
        bury(sql, newId(), sql.text(body, 'body'), error, clock.now());
      }),
    pending: () =>
      connection.read((sql) => {
        const row = sql.get('SELECT count(*) AS n FROM queue');
        return row === undefined ? 0 : sql.number(row, 'n');
      }),
    depth: () =>
      connection.snapshot((sql) => {
        const now = clock.now();
        const count = (text: string, ...times: number[]): number => {
          const row = sql.get(text, ...times);
          return row === undefined ? 0 : sql.number(row, 'n');
        };
        return {
          visible: count('SELECT count(*) AS n FROM queue WHERE visible_at <= ?', now),
          // Includes delayed messages, like the count of SQS.
          inFlight: count('SELECT count(*) AS n FROM queue WHERE visible_at > ?', now),
          dead: count('SELECT count(*) AS n FROM dead_letters'),
        };
      }),
  };

  /** Receives the next visible message. @returns `buried` if it became a dead letter instead */
  function takeNext(sql: Sql, now: number, visibilityMs: number, of?: Lane): Delivery | 'buried' | null {
    const row = nextVisible(sql, now, of);
    if (row === undefined) return null;
    const id = sql.number(row, 'id');
    const body = sql.text(row, 'body');
    const receives = sql.number(row, 'receives') + 1;
    const { message, error } = receives > maxReceives ? wornOut(maxReceives) : readMessage(body);
    if (message === null) {
      sql.run('DELETE FROM queue WHERE id = ?', id);
      bury(sql, newId(), body, error, now);
      return 'buried';
    }
    const receipt = `${id}.${newId()}`;
    sql.run(
      'UPDATE queue SET visible_at = ?, receives = ?, receipt = ? WHERE id = ?',
      // At least 1 ms, so that the same call does not receive the message again.
      ...[now + Math.max(1, visibilityMs), receives, receipt, id],
    );
    const sentAt = row['sent_at'] === null ? now : sql.number(row, 'sent_at');
    const lane = sql.number(row, 'lane') === LANES.urgent ? 'urgent' : 'bulk';
    return { message, receipt, receives, sentAt, lane };
  }
}

/**
 * The visible message that has waited longest, urgent before bulk. One query per lane, so that each reads one row.
 * @param lane only this lane; default: both
 */
function nextVisible(sql: Sql, now: number, lane?: Lane): Row | undefined {
  const next = `SELECT id, body, receives, lane, sent_at FROM queue WHERE lane = ? AND visible_at <= ?
    ORDER BY visible_at, id LIMIT 1`;
  if (lane !== undefined) return sql.get(next, LANES[lane], now);
  return sql.get(next, LANES.urgent, now) ?? sql.get(next, LANES.bulk, now);
}

function wornOut(times: number): ReadMessage {
  const text = `received ${times} times and never finished`;
  return { message: null, error: { code: 'TooManyReceives', message: text, entryId: null } };
}

/** The row id in a receipt; −1, which no row has, if the receipt is invalid. */
function rowOf(delivery: Delivery): number {
  const id = /^(\d{1,15})\./.exec(delivery.receipt)?.[1];
  return id === undefined ? -1 : Number(id);
}
