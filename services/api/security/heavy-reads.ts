import { ApiProblem } from '../problem.ts';

/** Maximum number of heavy reads under way at the same time. */
const MOST = 16;
/**
 * Maximum number of heavy reads of one token, user or role: all tabs of a browser on this machine are one user. Each page of the dashboard makes at most two
 * at a time, and one tab for each page makes seven.
 */
const MOST_OF_ONE = 12;

/** Limits the number of heavy reads, which take long and use much memory. */
export class HeavyReads {
  readonly #clients = new Map<symbol, string>();

  /** Begins a heavy read. @returns a function that ends it (safe to call twice) @throws ApiProblem 503 */
  enter(client: string): () => void {
    const own = [...this.#clients.values()].filter((each) => each === client).length;
    if (this.#clients.size >= MOST || own >= MOST_OF_ONE) {
      const message = 'Too many requests that read every account are under way; retry in 2 s.';
      throw new ApiProblem(503, 'TooManyReads', message, { headers: { 'retry-after': '2' } });
    }
    const key = Symbol('read');
    this.#clients.set(key, client);
    return () => void this.#clients.delete(key);
  }
}
