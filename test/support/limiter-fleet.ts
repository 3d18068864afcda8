import { memoryRegisters } from '../../shared/adapters/embedded/memory-registers.ts';
import { createLimiter } from '../../shared/app/rate-limiter/rate-limiter.ts';
import type { Registers } from '../../shared/ports/registers.ts';
import { ClockDifferenceError, type StoreTime, type TimeReading } from '../../shared/ports/store-time.ts';
import type { Clock } from '../../shared/ports/system.ts';
import { type ManualClock, manualClock } from './manual-clock.ts';

const KEY = { service: 'compute-optimizer', operation: 'UpdateEnrollmentStatus' };

export interface FleetWorker {
  /** How far its clock is ahead of the store's, ms. */
  readonly skewMs: number;
  readonly joinsAt: number;
  /** When it is killed, with its reservation; `null`: never. */
  readonly diesAt: number | null;
  /** Its number of concurrent calls, and the duration of each, ms. */
  readonly lanes: number;
  readonly callMs: number;
  /** The clock is set by `byMs` while the worker runs. */
  readonly set?: { readonly at: number; readonly byMs: number };
  /** See `LimiterOptions` (default `true`). */
  readonly mayWait?: boolean;
}

export interface Fleet {
  readonly rate: number;
  readonly reserveMs: number;
  readonly seconds: number;
  /** How long the store takes to answer, ms. */
  readonly storeMs: number;
  readonly workers: readonly FleetWorker[];
}

interface WorkerResult {
  /** When each call was made: ms from the start, in true time, ascending. */
  readonly calls: readonly number[];
  /** When it was rejected because of its clock, in the same form. */
  readonly refused: readonly number[];
}

export interface FleetResult {
  /** Of all workers, ascending. */
  readonly calls: readonly number[];
  readonly workers: readonly WorkerResult[];
  readonly writes: number;
}

/** The delay of a worker after a rejection, ms. */
const REFUSED_MS = 5_000;

/** The shared limiter under many workers, in virtual time. */
export async function runFleet({ rate, reserveMs, seconds, storeMs, workers }: Fleet): Promise<FleetResult> {
  const clock = manualClock();
  const begin = clock.now();
  const end = begin + seconds * 1_000;
  const store = simulatedStore(clock, storeMs);
  const runs = workers.map((worker) => {
    const calls: number[] = [];
    const refused: number[] = [];
    const ahead = (): number => {
      const { skewMs, set } = worker;
      return skewMs + (set !== undefined && clock.now() >= begin + set.at ? set.byMs : 0);
    };
    const own: Clock = { now: () => clock.now() + ahead(), sleep: (ms, signal) => clock.sleep(ms, signal) };
    const { registers, time } = store.client();
    const { mayWait = true } = worker;
    const gone = (): boolean => clock.now() >= Math.min(end, begin + (worker.diesAt ?? Number.POSITIVE_INFINITY));
    const start = () => {
      const monotonic = (): number => clock.now() - begin;
      return createLimiter({ registers, clock: own, monotonic, storeTime: time, mayWait, ceiling: rate, reserveMs });
    };
    const lane = async (limiter: ReturnType<typeof start>): Promise<void> => {
      while (!gone()) {
        try {
          const leave = await limiter.acquire(KEY);
          if (gone()) return;
          calls.push(clock.now() - begin);
          if (worker.callMs > 0) await clock.sleep(worker.callMs);
          limiter.report(KEY, 'ok', leave);
        } catch (error) {
          if (!(error instanceof ClockDifferenceError)) throw error;
          refused.push(clock.now() - begin);
          await clock.sleep(REFUSED_MS);
        }
      }
    };
    const live = async (): Promise<void> => {
      await clock.sleep(worker.joinsAt);
      const limiter = start();
      await Promise.all(Array.from({ length: worker.lanes }, () => lane(limiter)));
    };
    return { result: { calls, refused }, done: live() };
  });
  await clock.advance(seconds * 1_000);
  while (clock.sleeping > 0) await clock.advanceToNext();
  await Promise.all(runs.map(({ done }) => done));
  const results = runs.map(({ result }) => result);
  const calls = results.flatMap((result) => result.calls).sort((a, b) => a - b);
  return { calls, workers: results, writes: store.writes() };
}

/** Registers that answer after a delay, with the store's time in whole seconds like DynamoDB. */
function simulatedStore(clock: ManualClock, answerMs: number) {
  const inner = memoryRegisters();
  let writes = 0;
  const client = (): { readonly registers: Registers; readonly time: StoreTime } => {
    const listeners: ((reading: TimeReading) => void)[] = [];
    let last: TimeReading | null = null;
    const half = async (): Promise<void> => {
      if (answerMs > 0) await clock.sleep(answerMs / 2);
    };
    // The store's clock is the true time; every worker's monotonic clock runs at the same rate.
    const begin = clock.now();
    const answered = async <T>(answer: () => Promise<T>): Promise<T> => {
      const asked = clock.now();
      await half();
      const given = await answer();
      const earliest = Math.floor(clock.now() / 1_000) * 1_000;
      await half();
      last = { askedAt: asked - begin, answeredAt: clock.now() - begin, earliest, latest: earliest + 1_000 };
      for (const listener of listeners) listener(last);
      return given;
    };
    const registers: Registers = {
      ...inner,
      read: (name) => answered(() => inner.read(name)),
      write(name, value, expected) {
        writes += 1;
        return answered(() => inner.write(name, value, expected));
      },
    };
    const time: StoreTime = {
      async read() {
        await registers.read('none');
        return last;
      },
      follow: (listener) => void listeners.push(listener),
    };
    return { registers, time };
  };
  return { client, writes: () => writes };
}

/** The maximum number of calls in any window of one second. `calls` ascending, ms. */
export function busiestSecond(calls: readonly number[]): { readonly calls: number; readonly at: number } {
  let most = { calls: 0, at: 0 };
  let first = 0;
  for (const [last, at] of calls.entries()) {
    while ((calls[first] ?? at) <= at - 1_000) first += 1;
    if (last - first + 1 > most.calls) most = { calls: last - first + 1, at: calls[first] ?? at };
  }
  return most;
}
