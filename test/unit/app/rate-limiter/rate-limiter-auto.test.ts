import { describe, expect, it } from 'vitest';
import { memoryRegisters } from '../../../../shared/adapters/embedded/memory-registers.ts';
import { bucketRates, createLimiter, type Limiter } from '../../../../shared/app/rate-limiter/rate-limiter.ts';
import type { MeteredCall } from '../../../../shared/ports/cloud.ts';
import type { Registers } from '../../../../shared/ports/registers.ts';
import { limiterTimesOf } from '../../../support/limiter-times.ts';
import { type ManualClock, manualClock } from '../../../support/manual-clock.ts';

const ASSUME: MeteredCall = { service: 'sts', operation: 'AssumeRole', meteredIn: 'caller' };
const LIST: MeteredCall = { service: 'organizations', operation: 'ListAccounts', meteredIn: 'caller' };
const READ: MeteredCall = { service: 'compute-optimizer', operation: 'GetEnrollmentStatus', meteredIn: 'member' };
const CHANGE: MeteredCall = { service: 'compute-optimizer', operation: 'UpdateEnrollmentStatus', meteredIn: 'member' };

function limiterOf(clock: ManualClock, registers: Registers, ceiling: number | null = null, reserveMs = 100): Limiter {
  return createLimiter({ registers, clock, ...limiterTimesOf(clock), ceiling, reserveMs });
}

/** Registers that answer in 5 ms, like a table, and count writes. */
function countingTable(clock: ManualClock): { readonly registers: Registers; writes(): number } {
  const inner = memoryRegisters();
  let writes = 0;
  const registers: Registers = {
    ...inner,
    async read(name) {
      await clock.sleep(5);
      return inner.read(name);
    },
    async write(name, value, expected) {
      writes += 1;
      await clock.sleep(5);
      return inner.write(name, value, expected);
    },
  };
  return { registers, writes: () => writes };
}

/** Makes this call in 32 lanes, each taking 80 ms. @returns when each call was made, ms from now */
async function calls(
  clock: ManualClock,
  limiter: Limiter,
  call: MeteredCall,
  seconds: number,
  outcome: 'ok' | 'throttled' = 'ok',
): Promise<number[]> {
  const begin = clock.now();
  const times: number[] = [];
  const lane = async (): Promise<void> => {
    for (;;) {
      const leave = await limiter.acquire(call);
      if (clock.now() >= begin + seconds * 1_000) return;
      times.push(clock.now() - begin);
      await clock.sleep(80);
      limiter.report(call, outcome, leave);
    }
  };
  const lanes = Array.from({ length: 32 }, lane);
  await clock.advance(seconds * 1_000);
  while (clock.sleeping > 0) await clock.advanceToNext();
  await Promise.all(lanes);
  return times;
}

describe('without a total budget', () => {
  it('each operation has its own rate, higher in members than in the account of the caller', async () => {
    const clock = manualClock();
    const limiter = limiterOf(clock, memoryRegisters());
    const made = [ASSUME, READ, CHANGE].map((call) => calls(clock, limiter, call, 1));
    const [assumed = [], read = [], changed = []] = await Promise.all(made);
    expect(assumed.length).toBeGreaterThanOrEqual(18);
    expect(assumed.length).toBeLessThanOrEqual(28);
    for (const member of [read, changed]) {
      expect(member.length).toBeGreaterThanOrEqual(45);
      expect(member.length).toBeLessThanOrEqual(90);
    }
  });

  it('calls that wait for a slot when another is throttled take a slot at the lower rate', async () => {
    const clock = manualClock();
    const limiter = limiterOf(clock, memoryRegisters());
    const begin = clock.now();
    const left: number[] = [];
    let throttledAt = Number.POSITIVE_INFINITY;
    const lane = async (): Promise<void> => {
      while (clock.now() < begin + 4_000) {
        const leave = await limiter.acquire(ASSUME);
        left.push(clock.now() - begin);
        await clock.sleep(80);
        const first = throttledAt === Number.POSITIVE_INFINITY && clock.now() >= begin + 3_000;
        if (first) throttledAt = clock.now() - begin;
        limiter.report(ASSUME, first ? 'throttled' : 'ok', leave);
      }
    };
    const lanes = Array.from({ length: 32 }, lane);
    await clock.advance(4_000);
    while (clock.sleeping > 0) await clock.advanceToNext();
    await Promise.all(lanes);
    const everyMs = (from: number, to: number): number =>
      (to - from) / left.filter((at) => at > from && at <= to).length;
    const before = everyMs(throttledAt - 200, throttledAt);
    expect(before).toBeLessThan(25);
    expect(everyMs(throttledAt, throttledAt + 500)).toBeGreaterThan(2 * before);
  });

  it('the rate grows while calls wait and are accepted, up to four fifths of the quota that AWS documents', async () => {
    const clock = manualClock();
    const registers = memoryRegisters();
    const limiter = limiterOf(clock, registers);
    await calls(clock, limiter, ASSUME, 20);
    // 32 lanes of 80 ms need 400 calls a second. The rate does not grow beyond what they use.
    const { 'sts:AssumeRole': rate = 0 } = await bucketRates(registers);
    expect(rate).toBeGreaterThan(200);
    expect(rate).toBeLessThanOrEqual(480);
  });

  it('the rate does not grow while calls are rare', async () => {
    const clock = manualClock();
    const registers = memoryRegisters();
    const limiter = limiterOf(clock, registers);
    for (let n = 0; n < 50; n += 1) {
      limiter.report(ASSUME, 'ok', await limiter.acquire(ASSUME));
      await clock.advance(500);
    }
    expect(await bucketRates(registers)).toEqual({ 'sts:AssumeRole': 20 });
  });

  it('a throttled answer slows the workers of every process', async () => {
    const clock = manualClock();
    const registers = memoryRegisters();
    const [one, other] = [limiterOf(clock, registers), limiterOf(clock, registers)];
    await calls(clock, other, ASSUME, 1);
    const { 'sts:AssumeRole': before = 0 } = await bucketRates(registers);
    await calls(clock, one, ASSUME, 0.3, 'throttled');
    const { 'sts:AssumeRole': after = 0 } = await bucketRates(registers);
    expect(after).toBeLessThan(before / 2);
    expect((await calls(clock, other, ASSUME, 1)).length).toBeLessThanOrEqual(after + 2);
  });

  it('a throttled answer is stored while its process waits for slots that other processes have reserved', async () => {
    const clock = manualClock();
    const registers = memoryRegisters();
    const one = limiterOf(clock, registers);
    const leave = await one.acquire(ASSUME);
    const waiting = Array.from({ length: 8 }, () => limiterOf(clock, registers).acquire(ASSUME));
    await clock.advance(1);
    waiting.push(one.acquire(ASSUME));
    await clock.advance(1);
    one.report(ASSUME, 'throttled', leave);
    await clock.advance(1);
    expect(await bucketRates(registers)).toEqual({ 'sts:AssumeRole': 8 });
    await clock.advance(5_000);
    await Promise.all(waiting);
  });

  it('a throttled answer to a call made before the last cut does not cut the rate again', async () => {
    const clock = manualClock();
    const registers = memoryRegisters();
    const [one, other] = [limiterOf(clock, registers), limiterOf(clock, registers)];
    const acquired = Promise.all([one.acquire(ASSUME), other.acquire(ASSUME)]);
    await clock.advance(200);
    const [early, late] = await acquired;
    one.report(ASSUME, 'throttled', early);
    // Accepted calls at the lower rate end the evaluation of the cut.
    await calls(clock, one, ASSUME, 5);
    const { 'sts:AssumeRole': before } = await bucketRates(registers);
    other.report(ASSUME, 'throttled', late);
    const next = other.acquire(ASSUME);
    await clock.advance(1_000);
    await next;
    expect(await bucketRates(registers)).toEqual({ 'sts:AssumeRole': before });
  });

  it.each([ASSUME, READ])('rare throttling does not lower the rate of $operation further and further', async (call) => {
    const clock = manualClock();
    const limiter = limiterOf(clock, memoryRegisters());
    const begin = clock.now();
    const times: number[] = [];
    // Another caller uses up the quota for 200 ms every 20 s.
    const isThrottled = (at: number): boolean => at > 5_000 && at % 20_000 < 200;
    const lane = async (): Promise<void> => {
      for (let at = 0; at < 600_000; ) {
        const leave = await limiter.acquire(call);
        at = clock.now() - begin;
        times.push(at);
        await clock.sleep(isThrottled(at) ? 300 : 80);
        limiter.report(call, isThrottled(at) ? 'throttled' : 'ok', leave);
      }
    };
    const lanes = [lane(), lane()];
    await clock.advance(600_000);
    while (clock.sleeping > 0) await clock.advanceToNext();
    await Promise.all(lanes);
    const inMinute = (minute: number): number => times.filter((at) => Math.floor(at / 60_000) === minute).length;
    const [early, late] = [inMinute(2), inMinute(9)];
    expect(early).toBeGreaterThan(300);
    expect(late).toBeGreaterThanOrEqual(0.95 * early);
  });

  it.each([
    { callMs: 50, most: 35 },
    { callMs: 80, most: 50 },
  ])('a listing of 500 pages of $callMs ms, one after the other, makes at most $most writes', async (listing) => {
    const { callMs, most } = listing;
    const clock = manualClock();
    const { registers, writes } = countingTable(clock);
    const limiter = limiterOf(clock, registers, null, 2_500);
    let listedAt = 0;
    const list = async (): Promise<void> => {
      for (let page = 0; page < 500; page += 1) {
        const leave = await limiter.acquire(LIST);
        await clock.sleep(callMs);
        limiter.report(LIST, 'ok', leave);
      }
      listedAt = clock.now();
    };
    const begun = clock.now();
    const listed = list();
    await clock.advance(500 * 2 * callMs);
    await listed;
    expect(listedAt - begun).toBeLessThanOrEqual(1.05 * 500 * callMs);
    expect(writes()).toBeLessThanOrEqual(most);
  });

  it('a slow listing does not hold up the calls of another process', async () => {
    const clock = manualClock();
    const { registers } = countingTable(clock);
    const [one, other] = [limiterOf(clock, registers, null, 2_500), limiterOf(clock, registers, null, 2_500)];
    const list = async (): Promise<void> => {
      for (let page = 0; page < 200; page += 1) {
        const leave = await one.acquire(LIST);
        await clock.sleep(80);
        one.report(LIST, 'ok', leave);
      }
    };
    const listed = list();
    await clock.advance(5_000);
    // The rate grows for the calls that wait, although the listing reserves more slots than it uses.
    expect((await calls(clock, other, LIST, 5)).length).toBeGreaterThanOrEqual(100);
    await clock.advance(60_000);
    await listed;
  });

  it('does not release a burst of reserved slots that were not used in time', async () => {
    const clock = manualClock();
    const limiter = limiterOf(clock, memoryRegisters());
    await calls(clock, limiter, ASSUME, 2);
    await clock.advance(60_000);
    const times = await calls(clock, limiter, ASSUME, 1);
    expect(times.filter((at) => at <= 20).length).toBeLessThanOrEqual(2);
  });

  it('shows no total, and the rates of the mode that was used last', async () => {
    const clock = manualClock();
    const registers = memoryRegisters();
    const fixed = limiterOf(clock, registers, 10);
    fixed.report(READ, 'ok', await fixed.acquire(READ));
    expect(await bucketRates(registers)).toEqual({ total: 10, 'compute-optimizer:GetEnrollmentStatus': 10 });
    await clock.advance(1_000);
    const auto = limiterOf(clock, registers);
    auto.report(ASSUME, 'ok', await auto.acquire(ASSUME));
    expect(await bucketRates(registers)).toEqual({ 'sts:AssumeRole': 20 });
  });
});
