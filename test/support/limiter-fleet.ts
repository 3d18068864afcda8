import { memoryRegisters } from '../../shared/adapters/embedded/memory-registers.ts';
import { createLimiter } from '../../shared/app/limiter.ts';
import type { Registers } from '../../shared/ports/registers.ts';
import type { Clock } from '../../shared/ports/system.ts';
import { manualClock } from './manual-clock.ts';

const KEY = { service: 'compute-optimizer', operation: 'UpdateEnrollmentStatus' };

export interface FleetWorker {
  /** How far its clock is ahead, ms. */
  readonly skewMs: number;
  readonly joinsAt: number;
  /** When it is killed, holding what it holds; `null`: never. */
  readonly diesAt: number | null;
  /** How many calls it has under way at once, and how long each takes, ms. */
  readonly lanes: number;
  readonly callMs: number;
}

export interface Fleet {
  readonly rate: number;
  readonly reserveMs: number;
  readonly seconds: number;
  /** How long the store takes to answer, ms. */
  readonly storeMs: number;
  readonly workers: readonly FleetWorker[];
}

export interface FleetResult {
  /** When each call was made, ms from the beginning, in true time, ascending. */
  readonly calls: readonly number[];
  readonly callsOfEach: readonly number[];
  readonly writes: number;
}

/** The shared limiter under many workers, in virtual time. */
export async function runFleet({ rate, reserveMs, seconds, storeMs, workers }: Fleet): Promise<FleetResult> {
  const clock = manualClock();
  const begin = clock.now();
  const end = begin + seconds * 1_000;
  const { registers, writes } = slow(memoryRegisters(), clock, storeMs);
  const made = workers.map((worker) => {
    const calls: number[] = [];
    const own: Clock = { now: () => clock.now() + worker.skewMs, sleep: (ms, signal) => clock.sleep(ms, signal) };
    const limiter = createLimiter({ registers, clock: own, ceiling: rate, reserveMs });
    const gone = (): boolean => clock.now() >= Math.min(end, begin + (worker.diesAt ?? Number.POSITIVE_INFINITY));
    const lane = async (): Promise<void> => {
      await clock.sleep(worker.joinsAt);
      while (!gone()) {
        const leave = await limiter.acquire(KEY);
        if (gone()) return;
        calls.push(clock.now() - begin);
        if (worker.callMs > 0) await clock.sleep(worker.callMs);
        limiter.report(KEY, 'ok', leave);
      }
    };
    return { calls, done: Promise.all(Array.from({ length: worker.lanes }, lane)) };
  });
  await clock.advance(seconds * 1_000);
  while (clock.sleeping > 0) await clock.advanceToNext();
  await Promise.all(made.map(({ done }) => done));
  const calls = made.flatMap((worker) => worker.calls).sort((a, b) => a - b);
  return { calls, callsOfEach: made.map((worker) => worker.calls.length), writes: writes.count };
}

function slow(inner: Registers, clock: Clock, ms: number): { registers: Registers; writes: { count: number } } {
  const writes = { count: 0 };
  const half = async (): Promise<void> => {
    if (ms > 0) await clock.sleep(ms / 2);
  };
  const registers: Registers = {
    ...inner,
    async read(name) {
      await half();
      const found = await inner.read(name);
      await half();
      return found;
    },
    async write(name, value, expected) {
      writes.count += 1;
      await half();
      const version = await inner.write(name, value, expected);
      await half();
      return version;
    },
  };
  return { registers, writes };
}

/** The most calls in any window of one second. `calls` ascending, ms. */
export function busiestSecond(calls: readonly number[]): { readonly calls: number; readonly at: number } {
  let most = { calls: 0, at: 0 };
  let first = 0;
  for (const [last, at] of calls.entries()) {
    while ((calls[first] ?? at) <= at - 1_000) first += 1;
    if (last - first + 1 > most.calls) most = { calls: last - first + 1, at: calls[first] ?? at };
  }
  return most;
}
