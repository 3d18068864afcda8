import { onTestFailed } from 'vitest';

/** Checks a condition of a test again after each event, so that the test neither polls nor sleeps. */
export class Activity {
  #next = Promise.withResolvers<void>();

  /** Reports an event, such as a call that a process made. */
  readonly happened = (): void => {
    const { resolve } = this.#next;
    this.#next = Promise.withResolvers();
    resolve();
  };

  /** Resolves at the next event. */
  next(): Promise<void> {
    return this.#next.promise;
  }

  /** @param missing describes what is still missing, or returns `null`. It must not cause events itself. */
  async until(missing: () => Promise<string | null> | string | null): Promise<void> {
    let found: string | null = null;
    onTestFailed(() => {
      if (found !== null) process.stderr.write(`still missing: ${found}\n`);
    });
    do {
      // Taken before the check, so that events during the check count.
      const next = this.next();
      found = await missing();
      if (found !== null) await next;
    } while (found !== null);
  }
}
