import type { WorkMessage } from '../domain/work-message.ts';

/**
 * Work that is waiting for a worker. At least once, in no particular order: a message may come twice, late or stale, and
 * workers are built for that.
 *
 * Promises:
 * - `send` is durable when it returns; it throws only if some message was not stored, and then all may be sent again.
 * - A received message is invisible to others for `visibilityMs`; unless acknowledged or released it comes back after that.
 * - `acknowledge`, `extend` and `release` with a receipt that is no longer valid do nothing (someone else has the message).
 * - A message whose body cannot be read goes to the dead letters at once with the reason, and is never delivered.
 */
export interface WorkQueue {
  /** @param delayMs received by nobody before that (default 0; at most {@link MAX_DELAY_MS}). */
  send(messages: readonly WorkMessage[], delayMs?: number): Promise<void>;
  /** Up to `max` messages; an empty answer means that nothing is visible now. Never waits, unless the adapter was told to. */
  receive(max: number, visibilityMs: number): Promise<readonly Delivery[]>;
  extend(delivery: Delivery, visibilityMs: number): Promise<void>;
  acknowledge(deliveries: readonly Delivery[]): Promise<void>;
  /** Makes it visible again after `delayMs`. */
  release(delivery: Delivery, delayMs: number): Promise<void>;
  /** Moves it to the dead letters with the last error; the message is gone from the queue afterwards. */
  deadLetter(delivery: Delivery, error: DeadLetterReason): Promise<void>;
  depth(): Promise<QueueDepth>;
}

/** SQS delays no message for longer [API_SendMessage, DelaySeconds]: what waits for hours waits in its record. */
export const MAX_DELAY_MS = 15 * 60_000;

export interface Delivery {
  readonly message: WorkMessage;
  /** Valid until the visibility ends. */
  readonly receipt: string;
  /** How often it was received, this time included. */
  readonly receives: number;
}

export interface DeadLetterReason {
  readonly code: string;
  readonly message: string;
  /** Id of the ledger entry that records the failure, if there is one. */
  readonly entryId: string | null;
}

export interface QueueDepth {
  readonly visible: number;
  readonly inFlight: number;
  readonly dead: number;
}

export interface DeadLetter {
  readonly id: string;
  /** `null` if the body could not be read; `body` has it as it came. */
  readonly message: WorkMessage | null;
  readonly body: string;
  readonly reason: DeadLetterReason;
  /** Epoch ms. */
  readonly at: number;
}

export interface DeadLetters {
  list(limit: number): Promise<readonly DeadLetter[]>;
  show(id: string): Promise<DeadLetter | null>;
  /** Puts the named letters back on the queue; those with an unreadable body are left. Returns the ids put back. */
  redrive(ids: readonly string[]): Promise<readonly string[]>;
}
