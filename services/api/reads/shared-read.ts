/**
 * Shares computations between callers. Callers that arrive during a computation share the next one, which begins when the current one ends.
 * So every answer includes everything that was stored before the call. At most two computations exist at a time, for any number of clients.
 */
export class SharedRead<T> {
  #running: Promise<unknown> | null = null;
  #next: Promise<T> | null = null;

  get(make: () => Promise<T>): Promise<T> {
    const before = this.#running;
    if (before === null) return this.#begin(make);
    this.#next ??= before.then(
      () => this.#begin(make),
      () => this.#begin(make),
    );
    return this.#next;
  }

  #begin(make: () => Promise<T>): Promise<T> {
    this.#next = null;
    const made = make();
    this.#running = made;
    const end = (): void => {
      if (this.#running === made) this.#running = null;
    };
    made.then(end, end);
    return made;
  }
}
