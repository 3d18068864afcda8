import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { ClientRequest, IncomingMessage } from 'node:http';
import { setImmediate as nextTurn, setTimeout as pause } from 'node:timers/promises';
import type { Clock } from '../../shared/ports/system.ts';

interface Sleeper {
  readonly until: number;
  /** The length of the sleep, ms. */
  readonly ms: number;
  readonly wake: () => void;
}

/** How many turns of the event loop without a request in flight mean that nothing can go on without time. */
const QUIET_TURNS = 4;
/** Sleeps up to this length only poll, ms: the queue, due work, the policy file. */
const POLL_MS = 5_000;
/** A running daemon polls. If nothing does, something takes real time, such as loading a module: time waits so many real ms at most. */
const PATIENCE_MS = 1_000;
/** For this long after something has happened, every sleep ends at its own time, ms. */
const BUSY_MS = 8_000;
/** Later, polls are made this far apart, ms, as by a process that the machine has paused. */
const COARSE_MS = 60_000;

/**
 * Time that passes only while this process has nothing to do: no request is in flight, and every task sleeps. Hours in which little happens take
 * seconds, with real sockets and a real store.
 */
export class IdleTime implements Clock {
  readonly #sleepers = new Set<Sleeper>();
  readonly #inFlight = new Set<object>();
  /** Timers of the test runner: the fewest that were ever seen. */
  #foreignWaits = Number.POSITIVE_INFINITY;
  #now: number;
  #busyUntil: number;

  constructor(start: number) {
    this.#now = start;
    this.#busyUntil = start + BUSY_MS;
  }

  readonly now = (): number => this.#now;

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (signal?.aborted === true) return resolve();
      const wake = (): void => {
        this.#sleepers.delete(sleeper);
        signal?.removeEventListener('abort', wake);
        resolve();
      };
      const sleeper: Sleeper = { until: Math.ceil(this.#now + Math.max(0, ms)), ms, wake };
      this.#sleepers.add(sleeper);
      signal?.addEventListener('abort', wake, { once: true });
    });
  }

  /** Reports an event without a request. */
  readonly stir = (): void => {
    this.#busyUntil = this.#now + BUSY_MS;
  };

  /** Lets time pass until `over` is true or nothing sleeps. */
  async run(over: () => boolean): Promise<void> {
    const begun = (message: unknown): void => this.#begun(message);
    subscribe('http.client.request.start', begun);
    try {
      for (;;) {
        await this.#settled();
        for (let waited = 0; waited < PATIENCE_MS && !this.#polls() && !over(); waited += 1) {
          await pause(1);
          await this.#settled();
        }
        if (over() || !this.#pass()) return;
      }
    } finally {
      unsubscribe('http.client.request.start', begun);
    }
  }

  #begun(message: unknown): void {
    if (!isRequestMessage(message)) return;
    const { request } = message;
    const ended = (): void => void this.#inFlight.delete(request);
    this.#inFlight.add(request);
    this.stir();
    request.once('response', (response: IncomingMessage) => response.once('close', ended));
    request.once('error', ended);
    request.once('close', ended);
  }

  async #settled(): Promise<void> {
    for (let quiet = 0; quiet < QUIET_TURNS; ) {
      await nextTurn();
      const waits = realWaits();
      this.#foreignWaits = Math.min(this.#foreignWaits, waits);
      const isQuiet = this.#inFlight.size === 0 && waits <= this.#foreignWaits;
      quiet = isQuiet ? quiet + 1 : 0;
      // Real timers and files take a while, in which this process need not spin.
      if (!isQuiet && this.#inFlight.size === 0) await pause(1);
    }
  }

  #polls(): boolean {
    for (const { ms } of this.#sleepers) if (ms <= POLL_MS) return true;
    return false;
  }

  /** @returns false if nothing sleeps */
  #pass(): boolean {
    const sleepers = [...this.#sleepers].sort((a, b) => a.until - b.until);
    const [first] = sleepers;
    if (first === undefined) return false;
    const exact = sleepers.find(({ ms }) => ms > POLL_MS)?.until ?? Number.POSITIVE_INFINITY;
    const next =
      this.#now < this.#busyUntil ? first.until : Math.max(first.until, Math.min(exact, this.#now + COARSE_MS));
    this.#now = Math.max(this.#now, next);
    for (const { until, wake } of sleepers) if (until <= this.#now) wake();
    return true;
  }
}

/** Reads of files, and timers in real time: libraries pause for a millisecond, and long reads of the store rest between two pieces. */
const realWaits = (): number =>
  process.getActiveResourcesInfo().filter((name) => name === 'Timeout' || name.startsWith('FSReq')).length;

function isRequestMessage(message: unknown): message is { readonly request: ClientRequest } {
  return typeof message === 'object' && message !== null && 'request' in message;
}
