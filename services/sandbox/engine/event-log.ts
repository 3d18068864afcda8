import type { Output } from './types.ts';

const KEPT = 200_000;

/** An accepted entry as it was sent, with its assigned id, time and sending account. */
export type RecordedEvent = Output & { EventId: string; Account: string; Time: Date };

/** The entries that PutEvents accepted, in order. The oldest are dropped when there are too many. */
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
