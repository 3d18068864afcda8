import { expect, it } from 'vitest';
import { memoryRegisters } from '../../../../shared/adapters/embedded/memory-registers.ts';
import { bucketRates, createLimiter, type Limiter } from '../../../../shared/app/rate-limiter/rate-limiter.ts';
import type { MeteredCall } from '../../../../shared/ports/cloud.ts';
import type { Registers } from '../../../../shared/ports/registers.ts';
import { limiterTimesOf } from '../../../support/limiter-times.ts';
import { type ManualClock, manualClock } from '../../../support/manual-clock.ts';

const ASSUME: MeteredCall = { service: 'sts', operation: 'AssumeRole', meteredIn: 'caller' };

/** A worker, by default without a total budget. */
function limiterOf(clock: ManualClock, registers: Registers, ceiling: number | null = null): Limiter {
  return createLimiter({ registers, clock, ...limiterTimesOf(clock), ceiling, reserveMs: 250 });
}

it('a throttled answer brings no call forward', async () => {
  const clock = manualClock();
  const limiter = limiterOf(clock, memoryRegisters());
  const left: number[] = [];
  const lane = async (): Promise<void> => {
    for (let n = 0; n < 2; n += 1) {
      const leave = await limiter.acquire(ASSUME);
      left.push(clock.now());
      await clock.sleep(10);
      limiter.report(ASSUME, 'throttled', leave);
    }
  };
  const made = lane();
  await clock.advance(5_000);
  await made;
  const [first = 0, second = 0] = left;
  // The rate was 20 a second.
  expect(second - first).toBeGreaterThanOrEqual(50);
});

it.each([1, 2, 3])('the calls of %s processes keep their distance when slots are given up', async (processes) => {
  const clock = manualClock();
  const registers = memoryRegisters();
  const begin = clock.now();
  const left: number[] = [];
  let [fastest, throttledAt] = [0, Number.POSITIVE_INFINITY];
  const lane = async (limiter: Limiter): Promise<void> => {
    while (clock.now() < begin + 6_000) {
      const leave = await limiter.acquire(ASSUME);
      left.push(clock.now());
      fastest = Math.max(fastest, (await bucketRates(registers))['sts:AssumeRole'] ?? 0);
      await clock.sleep(80);
      const first = throttledAt === Number.POSITIVE_INFINITY && clock.now() >= begin + 3_000;
      if (first) throttledAt = clock.now();
      limiter.report(ASSUME, first ? 'throttled' : 'ok', leave);
    }
  };
  const lanes = Array.from({ length: processes }, () => {
    const limiter = limiterOf(clock, registers);
    return Array.from({ length: 32 }, () => lane(limiter));
  });
  await clock.advance(6_000);
  while (clock.sleeping > 0) await clock.advanceToNext();
  await Promise.all(lanes.flat());
  const gaps = left.sort((a, b) => a - b).map((at, n) => at - (left[n - 1] ?? 0));
  expect(Math.min(...gaps)).toBeGreaterThanOrEqual(1_000 / (fastest + 0.1) - 0.01);
});

it.each([0, 60])('no call fails if a reservation of slots for later calls fails after %s ms', async (failMs) => {
  const clock = manualClock();
  const stored = memoryRegisters();
  let [inCall, failed] = [false, 0];
  const registers: Registers = {
    ...stored,
    write: async (name, value, expected) => {
      if (inCall) return stored.write(name, value, expected);
      // A later call may begin in this time.
      await clock.sleep(failMs);
      failed += 1;
      throw new Error('the store does not answer');
    },
  };
  const limiter = limiterOf(clock, registers, 1_000);
  const listing = async (): Promise<void> => {
    for (let page = 0; page < 200; page += 1) {
      inCall = true;
      const leave = await limiter.acquire(ASSUME);
      inCall = false;
      await clock.sleep(43);
      limiter.report(ASSUME, 'ok', leave);
    }
  };
  const read = listing();
  await clock.advance(60_000);
  await read;
  expect(failed).toBeGreaterThan(5);
});

/** How long the last of three calls takes that are made together after a listing and a pause, ms. */
async function afterListing(pages: number): Promise<number> {
  const clock = manualClock();
  const limiter = limiterOf(clock, memoryRegisters(), 1_000);
  const call = async (): Promise<void> => limiter.report(ASSUME, 'ok', await limiter.acquire(ASSUME));
  const listing = async (): Promise<void> => {
    for (let page = 0; page < pages; page += 1) {
      await call();
      await clock.sleep(43);
    }
  };
  const read = listing();
  await clock.advance(60_000);
  await read;
  const begin = clock.now();
  const waits = [1, 2, 3].map(async () => {
    await call();
    return clock.now() - begin;
  });
  await clock.advance(2_000);
  return Math.max(...(await Promise.all(waits)));
}

it('calls after a pause do not wait for slots that are spaced for a pace that has ended', async () => {
  const waits = await Promise.all(Array.from({ length: 20 }, (_, n) => afterListing(180 + n)));
  expect(Math.max(...waits)).toBeLessThan(10);
});
