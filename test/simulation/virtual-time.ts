import type { Random } from '../../services/sandbox/engine/random.ts';
import type { Clock } from '../../shared/ports/system.ts';

interface Event {
  readonly at: number;
  /** Orders events of the same time. */
  readonly tie: number;
  readonly run: () => void;
  cancelled: boolean;
}

/** Resolves when no promise can make progress without time passing: nextTick runs after all promise jobs, and the second one after other ticks. */
const settled = (): Promise<void> => new Promise((resolve) => process.nextTick(() => process.nextTick(resolve)));

/** A turn of the real event loop, which releases memory. It costs as much as an event, so it is not done after each. */
const turned = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const TURN_EVERY = 64;

/**
 * Time that passes only when no work is left at the current moment. The seed decides the order of events at the same time, so one seed gives
 * exactly one history.
 */
export class VirtualTime implements Clock {
  readonly #random: Random;
  readonly #heap: Event[] = [];
  #now: number;

  constructor(start: number, random: Random) {
    this.#now = start;
    this.#random = random;
  }

  now(): number {
    return this.#now;
  }

  /** Calls `run` in `ms`. @returns a function that cancels it */
  after(ms: number, run: () => void): () => void {
    const event: Event = { at: this.#now + Math.max(0, ms), tie: this.#random(), run, cancelled: false };
    this.#push(event);
    return () => {
      event.cancelled = true;
    };
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (signal?.aborted) return resolve();
      const wake = (): void => {
        cancel();
        signal?.removeEventListener('abort', wake);
        resolve();
      };
      const cancel = this.after(ms, wake);
      signal?.addEventListener('abort', wake, { once: true });
    });
  }

  /**
   * Lets time pass until `end` returns true, no events are left, or the time is `limit` (epoch ms).
   * @returns whether `end` returned true
   */
  async run(end: () => boolean, limit: number): Promise<boolean> {
    for (let events = 1; ; events += 1) {
      await (events % TURN_EVERY === 0 ? turned() : settled());
      if (end()) return true;
      const event = this.#pop();
      if (event === null || event.at > limit) {
        if (event !== null) this.#push(event);
        this.#now = Math.max(this.#now, limit);
        return false;
      }
      this.#now = Math.max(this.#now, event.at);
      event.run();
    }
  }

  #push(event: Event): void {
    const heap = this.#heap;
    let index = heap.push(event) - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!before(event, heap[parent])) break;
      this.#put(index, heap[parent]);
      index = parent;
    }
    this.#put(index, event);
  }

  #pop(): Event | null {
    for (;;) {
      const heap = this.#heap;
      const first = heap[0];
      const last = heap.pop();
      if (first === undefined || last === undefined) return null;
      if (heap.length > 0) this.#sink(last);
      if (!first.cancelled) return first;
    }
  }

  #sink(event: Event): void {
    const heap = this.#heap;
    let index = 0;
    for (;;) {
      const left = 2 * index + 1;
      const right = left + 1;
      const child = before(heap[right], heap[left]) ? right : left;
      if (!before(heap[child], event)) break;
      this.#put(index, heap[child]);
      index = child;
    }
    this.#put(index, event);
  }

  #put(index: number, event: Event | undefined): void {
    if (event !== undefined) this.#heap[index] = event;
  }
}

function before(a: Event | undefined, b: Event | undefined): boolean {
  if (a === undefined) return false;
  return b === undefined || a.at < b.at || (a.at === b.at && a.tie < b.tie);
}

/**
 * Replaces the process's timers with `time` while `work` runs, for libraries that use timers (p-retry). The process must do nothing else
 * in that time.
 */
export async function withTimersOf<T>(time: VirtualTime, work: () => Promise<T>): Promise<T> {
  const { setTimeout: set, clearTimeout: clear } = globalThis;
  const handles = new Map<unknown, () => void>();
  const fakeSet = (run: (...args: unknown[]) => void, ms = 0, ...args: unknown[]) => {
    const handle = { unref: () => handle, ref: () => handle, hasRef: () => true };
    handles.set(
      handle,
      time.after(ms, () => {
        handles.delete(handle);
        run(...args);
      }),
    );
    return handle;
  };
  const fakeClear = (handle: unknown): void => {
    handles.get(handle)?.();
    handles.delete(handle);
  };
  Object.assign(globalThis, { setTimeout: fakeSet, clearTimeout: fakeClear });
  try {
    return await work();
  } finally {
    Object.assign(globalThis, { setTimeout: set, clearTimeout: clear });
  }
}
