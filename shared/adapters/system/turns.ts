import { setImmediate as nextTurn, setTimeout as pause } from 'node:timers/promises';
import type { StoreParts } from '../store-parts.ts';

/** No rest follows a piece that took less time than this, ms. */
const LEAST_WORK_MS = 1;
/** The longest rest after a piece, as a multiple of the piece's duration. */
const LONGEST_REST = 9;
/** Less than 1, because even an idle thread does something during a rest. */
const IDLE_SHARE = 0.8;

/** The requests under way that should not wait for long reads. */
export class ShortRequests {
  #count = 0;
  #none: PromiseWithResolvers<void> | null = null;

  /** Begins a request. @returns a function that ends it; call it once */
  begin(): () => void {
    this.#count += 1;
    return () => {
      this.#count -= 1;
      if (this.#count > 0) return;
      this.#none?.resolve();
      this.#none = null;
    };
  }

  /** Resolves when no request is under way; `null`: none is under way now. */
  ended(): Promise<void> | null {
    if (this.#count === 0) return null;
    this.#none ??= Promise.withResolvers();
    return this.#none.promise;
  }
}

/** The clock of the thread on which the pieces run. */
export interface ThreadTime {
  /** Monotonic, ms. */
  now(): number;
  /** How long the event loop has waited for work since the process began, ms. On a busy machine a turn takes long even if the loop has no other work. */
  idle(): number;
  /** Resolves after this many ms, or when the signal aborts. */
  pause(ms: number, signal: AbortSignal): Promise<void>;
}

const SYSTEM_TIME: ThreadTime = {
  now: () => performance.now(),
  idle: () => performance.eventLoopUtilization().idle,
  pause: (ms, signal) => pause(ms, undefined, { signal }).catch(() => undefined),
};

export interface TurnsOptions {
  /** Whether to rest after a piece (default). */
  readonly rests?: boolean;
  /** A rest ends as soon as none of these is under way; default: unknown, so every rest lasts. */
  readonly before?: ShortRequests;
  readonly time?: ThreadTime;
}

/**
 * Runs long work in pieces, one at a time, first come, first served. After each piece it rests until no short request is under way, until the thread has
 * been idle for as long as the piece took, or at most nine times as long. So while there are short requests, long reads use at most half of the time
 * that other work leaves, and a tenth of a busy thread. Without rests, only one turn of the event loop passes between two pieces.
 */
export class Turns {
  readonly #options: TurnsOptions;
  readonly #time: ThreadTime;
  #last: Promise<void> = Promise.resolve();

  constructor(options: TurnsOptions = {}) {
    this.#options = options;
    this.#time = options.time ?? SYSTEM_TIME;
  }

  /** Runs one piece when its turn comes. The code of the caller up to its next `await` also counts as part of the piece. */
  async take<T>(work: () => Promise<T>): Promise<T> {
    const before = this.#last;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#last = promise;
    await before;
    const start = this.#time.now();
    try {
      return await work();
    } finally {
      void this.#rest(start).then(resolve);
    }
  }

  /** Waits for a turn. The piece is the caller's code up to its next `await`. */
  readonly begin = (): Promise<void> => this.take(async () => undefined);

  /** Yields the same pages and reads each in a separate turn. */
  async *each<T>(pages: AsyncIterable<T>): AsyncGenerator<T> {
    const iterator = pages[Symbol.asyncIterator]();
    try {
      for (;;) {
        const { done, value } = await this.take(() => iterator.next());
        if (done === true) return;
        yield value;
      }
    } finally {
      await iterator.return?.();
    }
  }

  async #rest(start: number): Promise<void> {
    const { rests = true, before } = this.#options;
    const worked = this.#time.now() - start;
    // Requests that have arrived meanwhile begin now.
    await nextTurn();
    if (!rests || worked < LEAST_WORK_MS) return;
    const idleBefore = this.#time.idle();
    for (let times = 0; times < LONGEST_REST; times += 1) {
      const ended = before?.ended();
      if (ended === null) return;
      await this.#wait(worked, ended);
      if (this.#time.idle() - idleBefore >= worked * IDLE_SHARE) return;
    }
  }

  /** Waits for `ms`, or until `ended` resolves. */
  async #wait(ms: number, ended: Promise<void> | undefined): Promise<void> {
    const timer = new AbortController();
    const waited = this.#time.pause(ms, timer.signal);
    await (ended === undefined ? waited : Promise.race([ended, waited]));
    timer.abort();
  }
}

export interface InTurnsOptions {
  /** A read of at most this many entries does not wait for a turn. */
  readonly shortQuery: number;
}

/** The same stores; their long reads (entries, records, snapshots) take turns. */
export function inTurns<S extends Pick<StoreParts, 'ledger' | 'records' | 'snapshots'>>(
  stores: S,
  turns: Turns,
  { shortQuery }: InTurnsOptions = { shortQuery: 0 },
): S {
  const { ledger, records, snapshots } = stores;
  const brief = <T>(limit: number, read: () => Promise<T>): Promise<T> =>
    limit <= shortQuery ? read() : turns.take(read);
  return {
    ...stores,
    ledger: {
      ...ledger,
      read: (chain, afterSeq, limit) => brief(limit, () => ledger.read(chain, afterSeq, limit)),
      readStored: (chain, afterSeq, limit) => turns.take(() => ledger.readStored(chain, afterSeq, limit)),
      query: (filter, page) => brief(page.limit, () => ledger.query(filter, page)),
      facts: (period) => turns.each(ledger.facts(period)),
      outline: (runId) => turns.take(() => ledger.outline(runId)),
      changedSince: (since) => turns.take(() => ledger.changedSince(since)),
      reachedSince: (since) => turns.take(() => ledger.reachedSince(since)),
      ends: () => turns.each(ledger.ends()),
      tails: (until) => turns.each(ledger.tails(until)),
    },
    records: {
      ...records,
      all: () => turns.each(records.all()),
      heads: () => turns.each(records.heads()),
      view: () => turns.take(() => records.view()),
      due: (until, limit) => turns.take(() => records.due(until, limit)),
    },
    snapshots: { ...snapshots, load: () => turns.take(() => snapshots.load()) },
  };
}
