import { setImmediate as nextTurn, setTimeout as pause } from 'node:timers/promises';
import type { StoreParts } from '../store-parts.ts';

/** No rest follows a piece that took less time than this, ms. */
const LEAST_WORK_MS = 1;
/** The longest rest after a piece, as a multiple of the piece's duration. */
const LONGEST_REST = 9;
/** Less than 1, because even an idle thread does something during a rest. */
const IDLE_SHARE = 0.8;

/**
 * Runs long work in pieces, one at a time, first come, first served. After each piece it rests until the thread has been idle for as long as the piece
 * took, or at most nine times as long. So long reads use at most half of the time that other work leaves, and a tenth of a busy thread. Without rests,
 * only one turn of the event loop passes between two pieces.
 */
export class Turns {
  readonly #pause: (start: number) => Promise<void>;
  #last: Promise<void> = Promise.resolve();

  constructor({ rests }: { readonly rests: boolean } = { rests: true }) {
    this.#pause = rests ? rest : () => nextTurn();
  }

  /** Runs one piece when its turn comes. The code of the caller up to its next `await` also counts as part of the piece. */
  async take<T>(work: () => Promise<T>): Promise<T> {
    const before = this.#last;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#last = promise;
    await before;
    const start = performance.now();
    try {
      return await work();
    } finally {
      void this.#pause(start).then(resolve);
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
}

async function rest(start: number): Promise<void> {
  await nextTurn();
  const worked = performance.now() - start;
  if (worked < LEAST_WORK_MS) return;
  const idleBefore = idleMs();
  for (let times = 0; times < LONGEST_REST; times += 1) {
    await pause(worked);
    if (idleMs() - idleBefore >= worked * IDLE_SHARE) return;
  }
}

/** How long the event loop has waited for work since the process began, ms. On a busy machine a turn takes long even if the loop has no other work. */
const idleMs = (): number => performance.eventLoopUtilization().idle;

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
