const KEPT = 200_000;

/** The most recent items, in order. The oldest are dropped when there are too many. */
export class EventLog<T> {
  #events: T[] = [];

  get all(): readonly T[] {
    return this.#events;
  }

  append(event: T): void {
    this.#events.push(event);
    if (this.#events.length > 2 * KEPT) this.#events = this.#events.slice(-KEPT);
  }
}
