import { canonicalJson } from '../../domain/canonical-hash.ts';
import type { Lane } from '../../domain/work-lane.ts';
import type { WorkMessage } from '../../domain/work-message.ts';
import type { DeadLetterReason } from '../../ports/queue.ts';
import type { Sql } from './sql.ts';

/** The column `lane`. Messages are received in its order. */
export const LANES: Readonly<Record<Lane, number>> = { urgent: 0, bulk: 1 };

export interface Enqueued {
  readonly message: WorkMessage;
  readonly lane: Lane;
  readonly now: number;
  readonly delayMs?: number;
}

/**
 * Enqueues a message. It replaces a waiting message for the same work, which may be of another run, so that duplicate work does not accumulate. If either
 * is urgent, the remaining one is.
 */
export function enqueue(sql: Sql, { message, lane, now, delayMs = 0 }: Enqueued): void {
  const { runId: _, ...meaning } = message;
  const work = canonicalJson(meaning);
  const body = JSON.stringify(message);
  // A message that a worker has received is not replaced, because the worker may have read the account before this change.
  const merged = sql.run(
    `UPDATE queue
     SET body = ?1, visible_at = min(visible_at, ?4), lane = min(lane, ?5), sent_at = ?2, receipt = NULL
     WHERE id = (SELECT id FROM queue WHERE work = ?3 AND (receipt IS NULL OR visible_at <= ?2) LIMIT 1)`,
    ...[body, now, work, now + delayMs, LANES[lane]],
  );
  if (merged > 0) return;
  const insert = 'INSERT INTO queue (work, body, visible_at, lane, sent_at) VALUES (?, ?, ?, ?, ?)';
  sql.run(insert, work, body, now + delayMs, LANES[lane], now);
}

/** Stores a dead letter. The caller removes the message from the queue in the same transaction. */
export function bury(sql: Sql, id: string, body: string, reason: DeadLetterReason, at: number): void {
  const { code, message, entryId } = reason;
  sql.run('INSERT INTO dead_letters VALUES (?, ?, ?, ?, ?, ?)', id, body, code, message, entryId, at);
}
