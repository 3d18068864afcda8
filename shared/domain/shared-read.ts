/**
 * Shares computations between callers. Callers that arrive during a computation share the next one, which begins when the current one ends, so
 * that their answer includes everything that was stored before they called.
 */
export class SharedRead<T> {
  #running: Promise<unknown> | null = null;
  #next: Promise<T> | null = null;

  get(make: () => Promise<T>): Promise<T> {
    const before = this.#running;
    if (before === null) return this.#begin(make);
    const begin = () => this.#begin(make);
    this.#next ??= before.then(begin, begin);
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
