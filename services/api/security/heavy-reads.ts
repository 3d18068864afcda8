import { ApiProblem } from '../problem.ts';

/** Requests that read everything, under way at the same time. */
const MOST = 6;
/** Of one token, user or role. */
const MOST_OF_ONE = 4;

/** Keeps the number of answers bounded that take long and hold much in memory. */
export class HeavyReads {
  readonly #clients = new Map<symbol, string>();

  /**
   * @returns what ends it; twice is fine
   * @throws ApiProblem 503
   */
  enter(client: string): () => void {
    const own = [...this.#clients.values()].filter((each) => each === client).length;
    if (this.#clients.size >= MOST || own >= MOST_OF_ONE) {
      throw new ApiProblem(
        503,
        'TooManyReads',
        'Too many requests that read every account are under way; come back in 2 s.',
        {
          headers: { 'retry-after': '2' },
        },
      );
    }
    const key = Symbol('read');
    this.#clients.set(key, client);
    return () => void this.#clients.delete(key);
  }
}
