import { describe, expect, it } from 'vitest';
import { hostTime } from '../../../../shared/adapters/embedded/host-time.ts';
import { memoryRegisters } from '../../../../shared/adapters/embedded/memory-registers.ts';
import { bucketRates, createLimiter, type Limiter } from '../../../../shared/app/rate-limiter/rate-limiter.ts';
import type { MeteredCall } from '../../../../shared/ports/cloud.ts';
import type { Registers } from '../../../../shared/ports/registers.ts';
import { ClockDifferenceError } from '../../../../shared/ports/store-time.ts';
import type { Clock } from '../../../../shared/ports/system.ts';
import { limiterTimesOf } from '../../../support/limiter-times.ts';
import { MANUAL_CLOCK_START, type ManualClock, manualClock } from '../../../support/manual-clock.ts';

const KEY: MeteredCall = { service: 'compute-optimizer', operation: 'GetEnrollmentStatus', meteredIn: 'member' };
const OTHER: MeteredCall = { service: 'organizations', operation: 'ListAccounts', meteredIn: 'member' };

function limiters(count: number, ceiling: number, registers: Registers, clock: Clock): Limiter[] {
  return Array.from({ length: count }, () =>
    createLimiter({ registers, clock, ...limiterTimesOf(clock), ceiling, reserveMs: 100 }),
  );
}

/** Calls without pause until `stop`; answers go to `times`. Between acquire and report nothing happens. */
async function caller(
  limiter: Limiter,
  key: MeteredCall,
  clock: Clock,
  times: number[],
  stop: () => boolean,
  outcome: () => 'ok' | 'throttled' = () => 'ok',
): Promise<void> {
  while (!stop()) {
    const leave = await limiter.acquire(key);
    if (stop()) return;
    times.push(clock.now());
    limiter.report(key, outcome(), leave);
  }
}

/** The most calls in any second. */
function busiest(times: readonly number[]): number {
  const sorted = [...times].sort((a, b) => a - b);
  let end = 0;
  let most = 0;
  sorted.forEach((time, begin) => {
    while (end < sorted.length && (sorted[end] ?? 0) < time + 1_000) end += 1;
    most = Math.max(most, end - begin);
  });
  return most;
}

/** Lets `lanes` callers on each limiter call for `seconds`. */
async function run(clock: ManualClock, all: readonly Limiter[], lanes: number, seconds: number, key = KEY) {
  const times: number[] = [];
  const end = clock.now() + seconds * 1000;
  const stop = (): boolean => clock.now() >= end;
  const callers = all.flatMap((limiter) =>
    Array.from({ length: lanes }, () => caller(limiter, key, clock, times, stop)),
  );
  await clock.advance(seconds * 1000);
  while (clock.sleeping > 0) await clock.advanceToNext();
  await Promise.all(callers);
  return times;
}

describe('the limiter', () => {
  it('keeps the ceiling over all processes together, in every second', async () => {
    const clock = manualClock();
    const times = await run(clock, limiters(4, 20, memoryRegisters(), clock), 3, 10);
    // Sleeping is to the millisecond, so one slot may slip into the window at either end.
    expect(busiest(times)).toBeLessThanOrEqual(22);
    expect(times.length).toBeGreaterThanOrEqual(180);
    expect(times.length).toBeLessThanOrEqual(203);
  });

  it('keeps one ceiling over all operations', async () => {
    const clock = manualClock();
    const all = limiters(2, 20, memoryRegisters(), clock);
    const [a, b] = await Promise.all([run(clock, all.slice(0, 1), 2, 10), run(clock, all.slice(1), 2, 10, OTHER)]);
    expect(busiest([...a, ...b])).toBeLessThanOrEqual(22);
    expect(Math.min(a.length, b.length)).toBeGreaterThan(50);
  });

  it('lets reservations of a dead process expire without delaying others', async () => {
    const clock = manualClock();
    const registers = memoryRegisters();
    const [dead, living] = limiters(2, 20, registers, clock);
    if (dead === undefined || living === undefined) expect.fail('two limiters');
    await dead.acquire(KEY);
    const times = await run(clock, [living], 3, 5);
    expect(times.length).toBeGreaterThanOrEqual(80);
  });

  it('does not release a burst of reserved slots that were not used in time', async () => {
    const clock = manualClock();
    const limiter = createLimiter({
      registers: memoryRegisters(),
      clock,
      ...limiterTimesOf(clock),
      ceiling: 50,
      reserveMs: 1_000,
    });
    await limiter.acquire(KEY);
    await clock.advance(60_000);
    const times = await run(clock, [limiter], 50, 1);
    expect(busiest(times)).toBeLessThanOrEqual(52);
    expect(times.filter((time) => time <= (times[0] ?? 0) + 19)).toHaveLength(1);
  });

  it('slows down everybody when one is throttled, and that operation only', async () => {
    const clock = manualClock();
    const registers = memoryRegisters();
    const [one, two] = limiters(2, 100, registers, clock);
    if (one === undefined || two === undefined) expect.fail('two limiters');
    await run(clock, [one, two], 4, 5);
    await run(clock, [one, two], 4, 1, OTHER);
    const before = await bucketRates(registers);
    let left = 10;
    const times: number[] = [];
    const outcome = (): 'ok' | 'throttled' => (left-- > 0 ? 'throttled' : 'ok');
    const end = clock.now() + 300;
    const throttled = caller(one, KEY, clock, times, () => clock.now() >= end, outcome);
    await clock.advance(300);
    while (clock.sleeping > 0) await clock.advanceToNext();
    await throttled;
    await run(clock, [two], 2, 1);
    const after = await bucketRates(registers);
    const name = 'compute-optimizer:GetEnrollmentStatus';
    expect(before[name]).toBe(100);
    expect(after[name]).toBeLessThan(60);
    expect(after['organizations:ListAccounts']).toBe(before['organizations:ListAccounts']);
    expect(one.counts[name]?.throttled).toBeGreaterThan(0);
  });

  it.each([
    ['ahead of', 3_600_000],
    ['behind', -3_600_000],
  ])('refuses a process whose clock is an hour %s the store, and the others keep the budget', async (words, byMs) => {
    const clock = manualClock();
    const registers = memoryRegisters();
    const off: Clock = { now: () => clock.now() + byMs, sleep: (ms, signal) => clock.sleep(ms, signal) };
    const wrong = createLimiter({ registers, clock: off, ...limiterTimesOf(clock), ceiling: 20, reserveMs: 100 });
    const error: unknown = await wrong.acquire(KEY).catch((failure: unknown) => failure);
    if (!(error instanceof ClockDifferenceError)) expect.fail('a ClockDifferenceError');
    expect(error.message).toContain(`at least 3600 s ${words} the store's clock; at most 100 ms are allowed`);
    expect(error.message).toContain('enable time synchronization');
    expect(await registers.list('')).toEqual([]);
    const times = await run(clock, limiters(1, 20, registers, clock), 3, 5);
    expect(times.length).toBeGreaterThanOrEqual(95);
    expect(busiest(times)).toBeLessThanOrEqual(22);
  });

  it('does not wait for slots that a process with a clock an hour fast has reserved', async () => {
    const clock = manualClock();
    const registers = memoryRegisters();
    const fast: Clock = { now: () => clock.now() + 3_600_000, sleep: (ms, signal) => clock.sleep(ms, signal) };
    const [trusting] = limiters(1, 20, registers, fast);
    if (trusting === undefined) expect.fail('a limiter');
    const unnoticed = trusting.acquire(KEY);
    while (await clock.advanceToNext());
    await unnoticed;
    const times = await run(clock, limiters(1, 20, registers, clock), 3, 5);
    expect(times.length).toBeGreaterThanOrEqual(95);
    expect(busiest(times)).toBeLessThanOrEqual(22);
  });

  it.each([3_600_000, -3_600_000, 300, -300])(
    'keeps the budget and goes on when the host clock that all processes share is set by %i ms',
    async (byMs) => {
      const clock = manualClock();
      const registers = memoryRegisters();
      const setAt = clock.now() + 5_000;
      const host: Clock = {
        now: () => clock.now() + (clock.now() >= setAt ? byMs : 0),
        sleep: (ms, signal) => clock.sleep(ms, signal),
      };
      const monotonic = (): number => clock.now();
      const options = { registers, clock: host, monotonic, ceiling: 20, reserveMs: 1_000 };
      const all = [1, 2, 3].map(() => createLimiter({ ...options, storeTime: hostTime(host, monotonic) }));
      const times = await run(clock, all, 3, 10);
      // The second in which the clock was set may hold a slot more: the new moments begin where they will.
      expect(busiest(times)).toBeLessThanOrEqual(23);
      // What each of them held lapses: a reservation of a second.
      expect(times.filter((at) => at > setAt).length).toBeGreaterThanOrEqual(100 - 3 * 20);
    },
  );

  it('continues with a page that an earlier version wrote', async () => {
    const clock = manualClock();
    const registers = memoryRegisters();
    const at = clock.now();
    const operation = {
      ...{ tat: at + 100, rate: 8, limit: 9, cutAt: at - 20_000, ok: 3, throttled: 0, countedFrom: at - 1_000 },
      ...{ settling: false, share: null, shareRate: 8, tolerated: 0, at },
    };
    // The next 8 ticks of 50 ms but the third are taken.
    const calendar = { rate: 20, head: at / 50 + 1, taken: 'bf' };
    const operations = { 'compute-optimizer:GetEnrollmentStatus': operation };
    await registers.write('limiter/shared', { at, calendar, operations }, null);
    const times = await run(clock, limiters(1, 20, registers, clock), 1, 2, OTHER);
    expect(times.slice(0, 2).map((time) => time - at)).toEqual([150, 450]);
    expect((await bucketRates(registers))['compute-optimizer:GetEnrollmentStatus']).toBe(8);
  });

  it('gets calls through a store that takes longer than a reservation lasts, and more each time', async () => {
    const clock = manualClock();
    const inner = memoryRegisters();
    let writes = 0;
    const registers: Registers = {
      ...inner,
      async write(name, value, expected) {
        writes += 1;
        await clock.sleep(Math.min(2_000, 200 * 1.6 ** writes));
        return inner.write(name, value, expected);
      },
    };
    const times = await run(clock, limiters(1, 20, registers, clock), 3, 20);
    expect(times.length).toBeGreaterThan(0);
    expect((times[0] ?? Number.POSITIVE_INFINITY) - MANUAL_CLOCK_START).toBeLessThan(3_000);
  });

  it('refuses a register of a shape that it does not know, instead of pacing by it', async () => {
    const registers = memoryRegisters();
    await registers.write('limiter/shared', { at: 'soon' }, null);
    const clock = manualClock();
    const limiter = createLimiter({ registers, clock, ...limiterTimesOf(clock), ceiling: 10, reserveMs: 100 });
    await expect(limiter.acquire(KEY)).rejects.toThrow('limiter/shared');
  });
});
