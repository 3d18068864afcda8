import type { Output } from './types.ts';

const KEPT = 200_000;

/** An accepted entry as it was sent, with the id that it was given, when, and by which account. */
export type RecordedEvent = Output & { EventId: string; Account: string; Time: Date };

/** What PutEvents received, in order; the oldest are let go when there are too many. */
export class EventLog {
  #events: RecordedEvent[] = [];

  get all(): readonly RecordedEvent[] {
    return this.#events;
  }

  append(event: RecordedEvent): void {
    this.#events.push(event);
    if (this.#events.length > 2 * KEPT) this.#events = this.#events.slice(-KEPT);
  }
}
