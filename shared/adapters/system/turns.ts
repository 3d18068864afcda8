import { setImmediate as nextTurn, setTimeout as pause } from 'node:timers/promises';
import type { Ledger } from '../../ports/ledger.ts';
import type { Records } from '../../ports/records.ts';
import type { SnapshotStore } from '../../ports/snapshot-store.ts';

/** A turn of the event loop that is shorter than this has no other work, ms. */
const QUIET_TURN_MS = 0.1;
/** Work that is shorter than this needs no pause, ms. */
const LEAST_WORK_MS = 1;
/** After each piece the queue rests at most this many times the piece's length, while the event loop has other work. */
const LONGEST_REST = 9;

/**
 * Runs long work in pieces, one at a time and first come, first served. After each piece the queue rests for as long as the piece took, and for up to
 * nine times as long while the thread has other work. So long reads use at most half of an idle thread and a tenth of a busy one, and never block it
 * for longer than one piece takes.
 */
export class Turns {
  #last: Promise<void> = Promise.resolve();

  /** @param work one piece, including what the caller then computes synchronously from the result */
  async take<T>(work: () => Promise<T>): Promise<T> {
    const before = this.#last;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#last = promise;
    await before;
    const start = performance.now();
    try {
      return await work();
    } finally {
      void rest(start).then(resolve);
    }
  }

  /** Waits for a turn. The piece is the caller's code up to its next `await`. */
  readonly begin = (): Promise<void> => this.take(async () => undefined);

  /** Yields the same pages, each read in a turn of its own. */
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
  for (let times = 0; times < LONGEST_REST; times += 1) {
    await pause(worked);
    const turn = performance.now();
    await nextTurn();
    if (performance.now() - turn < QUIET_TURN_MS) return;
  }
}

interface Readable {
  readonly ledger: Ledger;
  readonly records: Records;
  readonly snapshots: SnapshotStore;
}

/** The same stores, with long reads (entries, records, snapshots) taking turns. */
export function inTurns<S extends Readable>(stores: S, turns: Turns): S {
  const { ledger, records, snapshots } = stores;
  return {
    ...stores,
    ledger: {
      ...ledger,
      read: (chain, afterSeq, limit) => turns.take(() => ledger.read(chain, afterSeq, limit)),
      query: (filter, page) => turns.take(() => ledger.query(filter, page)),
      changedSince: (since) => turns.take(() => ledger.changedSince(since)),
      reachedSince: (since) => turns.take(() => ledger.reachedSince(since)),
      ends: () => turns.each(ledger.ends()),
      tails: (until) => turns.each(ledger.tails(until)),
    },
    records: {
      ...records,
      all: () => turns.each(records.all()),
      heads: () => turns.each(records.heads()),
      due: (until, limit) => turns.take(() => records.due(until, limit)),
    },
    snapshots: { ...snapshots, load: () => turns.take(() => snapshots.load()) },
  };
}
