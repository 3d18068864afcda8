/**
 * One computation for all who ask while another one is under way: each gets an answer that was begun after it asked, so that it sees
 * everything that had been stored by then, and at most two are under way for any number of clients.
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
