import { describe, expect, it } from 'vitest';
import { memoryRegisters } from '../../shared/adapters/embedded/memory-registers.ts';
import { bucketRates, createLimiter, type Limiter } from '../../shared/app/limiter.ts';
import type { CallKey } from '../../shared/ports/cloud.ts';
import type { Registers } from '../../shared/ports/registers.ts';
import type { Clock } from '../../shared/ports/system.ts';
import { type ManualClock, manualClock } from '../support/manual-clock.ts';

const KEY: CallKey = { service: 'compute-optimizer', operation: 'GetEnrollmentStatus' };
const OTHER: CallKey = { service: 'organizations', operation: 'ListAccounts' };

function limiters(count: number, ceiling: number, registers: Registers, clock: Clock): Limiter[] {
  return Array.from({ length: count }, () => createLimiter({ registers, clock, ceiling, reserveMs: 100 }));
}

/** Calls without pause until `stop`; answers go to `times`. Between acquire and report nothing happens. */
async function caller(
  limiter: Limiter,
  key: CallKey,
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

  it('lets what a dead process reserved lapse, and makes nobody wait for it', async () => {
    const clock = manualClock();
    const registers = memoryRegisters();
    const [dead, living] = limiters(2, 20, registers, clock);
    if (dead === undefined || living === undefined) expect.fail('two limiters');
    await dead.acquire(KEY);
    const times = await run(clock, [living], 3, 5);
    expect(times.length).toBeGreaterThanOrEqual(80);
  });

  it('does not let out at once what it reserved and did not use in time', async () => {
    const clock = manualClock();
    const limiter = createLimiter({ registers: memoryRegisters(), clock, ceiling: 50, reserveMs: 1_000 });
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

  it('is not brought to a stand by a process whose clock is an hour fast', async () => {
    const clock = manualClock();
    const registers = memoryRegisters();
    const hour = 3_600_000;
    const fast: Clock = { now: () => clock.now() + hour, sleep: (ms, signal) => clock.sleep(ms, signal) };
    const [honest] = limiters(1, 20, registers, clock);
    const [wrong] = limiters(1, 20, registers, fast);
    if (honest === undefined || wrong === undefined) expect.fail('two limiters');
    const times: number[] = [];
    const wrongTimes: number[] = [];
    const end = clock.now() + 10_000;
    const stop = (): boolean => clock.now() >= end;
    const callers = [
      caller(wrong, KEY, clock, wrongTimes, stop),
      caller(honest, KEY, clock, times, stop),
      caller(honest, KEY, clock, times, stop),
    ];
    await clock.advance(10_000);
    while (clock.sleeping > 0) await clock.advanceToNext();
    await Promise.all(callers);
    // One budget, shared: not twice the budget, as if each were alone.
    expect(Math.min(times.length, wrongTimes.length)).toBeGreaterThanOrEqual(80);
    expect(times.length + wrongTimes.length).toBeGreaterThanOrEqual(180);
    expect(busiest([...times, ...wrongTimes])).toBeLessThanOrEqual(22);
  });

  it('is not brought to a stand by a process whose clock is an hour slow', async () => {
    const clock = manualClock();
    const registers = memoryRegisters();
    const slow: Clock = { now: () => clock.now() - 3_600_000, sleep: (ms, signal) => clock.sleep(ms, signal) };
    const [honest] = limiters(1, 20, registers, clock);
    const [wrong] = limiters(1, 20, registers, slow);
    if (honest === undefined || wrong === undefined) expect.fail('two limiters');
    await honest.acquire(KEY);
    const times: number[] = [];
    const end = clock.now() + 5_000;
    const calling = caller(wrong, KEY, clock, times, () => clock.now() >= end);
    await clock.advance(5_000);
    while (clock.sleeping > 0) await clock.advanceToNext();
    await calling;
    expect(times.length).toBeGreaterThan(50);
  });

  it('refuses a register of a shape that it does not know, instead of pacing by it', async () => {
    const registers = memoryRegisters();
    await registers.write('limiter/shared', { at: 'soon' }, null);
    const limiter = createLimiter({ registers, clock: manualClock(), ceiling: 10, reserveMs: 100 });
    await expect(limiter.acquire(KEY)).rejects.toThrow('limiter/shared');
  });
});
