/**
 * Shares one computation among all callers that arrive while another one is running. Each caller gets an answer whose computation began after its
 * call, so it includes everything stored by then. At most two computations exist at a time, for any number of clients.
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
