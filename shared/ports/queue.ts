import type { EpochMs } from '../domain/enrollment/model.ts';
import type { Lane } from '../domain/work-lane.ts';
import type { WorkMessage } from '../domain/work-message.ts';

/**
 * Work for the workers. Delivery is at least once: a message may be duplicated, late or stale. The order is fixed only between lanes.
 *
 * Promises:
 * - `send` is durable when it returns. It throws only if a message was not stored; then all of them may be sent again.
 * - A received message is invisible to other receivers for `visibilityMs`. Unless it is acknowledged, it becomes visible again.
 * - While bulk messages wait, `receive` returns visible urgent messages first, however many bulk messages were sent earlier. A message stays in its
 *   lane until it is acknowledged. Within a lane the order is not promised.
 * - `acknowledge`, `extend`, `release` and `putBack` do nothing if the receipt is no longer valid, because another receiver may have the message.
 * - A message whose body cannot be read is moved to the dead letters with the reason, and is never delivered.
 */
export interface WorkQueue {
  send(messages: readonly WorkMessage[], options?: SendOptions): Promise<void>;
  /**
   * Up to `max` messages; an empty list means that none is visible now. Never waits, unless the adapter is configured for long polls.
   * @param lane only messages of this lane; no messages if the queue cannot select by lane, such as SQS. Default: both lanes
   */
  receive(max: number, visibilityMs: number, lane?: Lane): Promise<readonly Delivery[]>;
  extend(delivery: Delivery, visibilityMs: number): Promise<void>;
  acknowledge(deliveries: readonly Delivery[]): Promise<void>;
  /** Makes the message visible again after `delayMs`. */
  release(delivery: Delivery, delayMs: number): Promise<void>;
  /**
   * Returns a message that this process must not handle, as if it had just been sent: visible after `delayMs` (at most {@link MAX_DELAY_MS}), and never
   * received yet. A released message would become a dead letter after enough receives, although nobody has tried to handle it.
   */
  putBack(delivery: Delivery, delayMs: number): Promise<void>;
  /** Moves the message from the queue to the dead letters with the last error. */
  deadLetter(delivery: Delivery, error: DeadLetterReason): Promise<void>;
  depth(): Promise<QueueDepth>;
  /** How many messages wait or are being worked on, dead letters not included. As approximate as `depth`, and in one call. */
  pending(): Promise<number>;
}

export interface SendOptions {
  /** Default `urgent`. */
  readonly lane?: Lane;
  /** How long the messages stay invisible, ms (default 0, at most {@link MAX_DELAY_MS}). */
  readonly delayMs?: number;
}

/** The longest delay of SQS [API_SendMessage, DelaySeconds]. Longer waits are stored in the account record. */
export const MAX_DELAY_MS = 15 * 60_000;

export interface Delivery {
  readonly message: WorkMessage;
  /** Valid until the visibility timeout ends. */
  readonly receipt: string;
  /** How often the message was received, including this time. */
  readonly receives: number;
  /**
   * When the message was last sent, epoch ms, by the queue's clock. A message reports something that happened before this time, so an
   * observation that began later takes it into account. If the queue does not know it, the time of receipt.
   */
  readonly sentAt: EpochMs;
  /** The lane of the messages that follow from this one. */
  readonly lane: Lane;
}

export interface DeadLetterReason {
  readonly code: string;
  readonly message: string;
  /** Id of the ledger entry that records the failure, if there is one. */
  readonly entryId: string | null;
}

interface QueueDepth {
  readonly visible: number;
  readonly inFlight: number;
  readonly dead: number;
}

export interface DeadLetter {
  readonly id: string;
  /** `null` if the body could not be read; `body` is the original text. */
  readonly message: WorkMessage | null;
  readonly body: string;
  readonly reason: DeadLetterReason;
  /** When the message became a dead letter, epoch ms. */
  readonly at: number;
}

export interface DeadLetters {
  list(limit: number): Promise<readonly DeadLetter[]>;
  show(id: string): Promise<DeadLetter | null>;
  /** Moves these dead letters back to the queue, except those with an unreadable body. Returns the ids that were moved. */
  redrive(ids: readonly string[]): Promise<readonly string[]>;
}
