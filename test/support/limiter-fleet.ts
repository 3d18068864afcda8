import { TokenBucket } from '../../services/sandbox/engine/throttle.ts';
import { memoryRegisters } from '../../shared/adapters/embedded/memory-registers.ts';
import { createLimiter } from '../../shared/app/rate-limiter/rate-limiter.ts';
import type { MeteredCall } from '../../shared/ports/cloud.ts';
import type { Registers } from '../../shared/ports/registers.ts';
import { ClockDifferenceError, type StoreTime, type TimeReading } from '../../shared/ports/store-time.ts';
import type { Clock } from '../../shared/ports/system.ts';
import { type ManualClock, manualClock } from './manual-clock.ts';

const KEY: MeteredCall = { service: 'compute-optimizer', operation: 'UpdateEnrollmentStatus', meteredIn: 'member' };

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

/** What AWS accepts: `rate` calls a second, and bursts of twice that. */
interface FleetService {
  readonly rate: number;
  readonly meteredIn: MeteredCall['meteredIn'];
}

export interface Fleet {
  /** The total budget, calls a second. */
  readonly rate: number;
  readonly reserveMs: number;
  readonly seconds: number;
  /** How long the store takes to answer, ms. */
  readonly storeMs: number;
  readonly workers: readonly FleetWorker[];
}

/** A fleet without a total budget (`auto`), under what AWS accepts. */
export interface AutoFleet extends Omit<Fleet, 'rate'> {
  readonly rate: null;
  readonly service: FleetService;
}

interface WorkerResult {
  /** When each call was made: ms from the start, in true time, ascending. */
  readonly calls: readonly number[];
  /** Which of them were throttled. */
  readonly throttled: readonly number[];
  /** When it was rejected because of its clock, in the same form. */
  readonly refused: readonly number[];
}

export interface FleetResult {
  /** Of all workers, ascending. */
  readonly calls: readonly number[];
  readonly throttled: readonly number[];
  readonly workers: readonly WorkerResult[];
  readonly writes: number;
}

/** The delay of a worker after a rejection, ms. */
const REFUSED_MS = 5_000;

/** The pause before a throttled call is made again, as in `support/retry.ts`, without its randomness. */
const pauseMs = (attempt: number): number => Math.min(5_000, 100 * 2 ** attempt) / 2;

/** The shared limiter under many workers, in virtual time. */
export async function runFleet(fleet: Fleet | AutoFleet): Promise<FleetResult> {
  const { rate, reserveMs, seconds, storeMs, workers } = fleet;
  const service = fleet.rate === null ? fleet.service : null;
  const call = { ...KEY, meteredIn: service?.meteredIn ?? KEY.meteredIn };
  const clock = manualClock();
  const begin = clock.now();
  const end = begin + seconds * 1_000;
  const store = simulatedStore(clock, storeMs);
  const bucket = service === null ? null : new TokenBucket(service.rate, begin);
  const isAccepted = (): boolean => {
    const accepted = bucket?.has(Math.floor(clock.now())) ?? true;
    if (accepted) bucket?.take();
    return accepted;
  };
  const runs = workers.map((worker) => {
    const calls: number[] = [];
    const throttled: number[] = [];
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
    const make = async (limiter: ReturnType<typeof start>): Promise<'ok' | 'throttled' | null> => {
      const leave = await limiter.acquire(call);
      if (gone()) return null;
      calls.push(clock.now() - begin);
      const outcome = isAccepted() ? 'ok' : 'throttled';
      if (outcome === 'throttled') throttled.push(clock.now() - begin);
      if (worker.callMs > 0) await clock.sleep(worker.callMs);
      limiter.report(call, outcome, leave);
      return outcome;
    };
    const lane = async (limiter: ReturnType<typeof start>): Promise<void> => {
      for (let attempt = 0; !gone(); ) {
        try {
          attempt = (await make(limiter)) === 'throttled' ? attempt + 1 : 0;
          if (attempt > 0) await clock.sleep(pauseMs(attempt));
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
    return { result: { calls, throttled, refused }, done: live() };
  });
  await clock.advance(seconds * 1_000);
  while (clock.sleeping > 0) await clock.advanceToNext();
  await Promise.all(runs.map(({ done }) => done));
  const results = runs.map(({ result }) => result);
  const all = (of: (result: WorkerResult) => readonly number[]): number[] => results.flatMap(of).sort((a, b) => a - b);
  const [calls, throttled] = [all((result) => result.calls), all((result) => result.throttled)];
  return { calls, throttled, workers: results, writes: store.writes() };
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
