import { describe, expect, it } from 'vitest';
import { ClockCheck } from '../../../../shared/app/rate-limiter/clock-check.ts';
import { isWithin, narrowed, provenError, widened } from '../../../../shared/domain/rate-limit/clock-difference.ts';
import type { StoreTime, TimeReading } from '../../../../shared/ports/store-time.ts';
import { MANUAL_CLOCK_START, manualClock } from '../../../support/manual-clock.ts';

/** A store whose clock is right, and a process whose clock is `aheadMs` ahead; both can be set. */
function pair(aheadMs: number, answerMs = 10, mayWait = true) {
  const time = manualClock(MANUAL_CLOCK_START + 340);
  const state = { aheadMs, asleepMs: 0, reads: 0, dated: true };
  const listeners: ((reading: TimeReading) => void)[] = [];
  const monotonic = (): number => time.now() - MANUAL_CLOCK_START - state.asleepMs;
  const store: StoreTime = {
    async read() {
      state.reads += 1;
      const askedAt = monotonic();
      await time.sleep(answerMs / 2);
      const earliest = Math.floor(time.now() / 1_000) * 1_000;
      await time.sleep(answerMs / 2);
      return state.dated ? { askedAt, answeredAt: monotonic(), earliest, latest: earliest + 1_000 } : null;
    },
    follow: (listener) => void listeners.push(listener),
  };
  const clock = { now: () => time.now() + state.aheadMs, sleep: time.sleep };
  const check = new ClockCheck({ clock, monotonic, store, mayWait });
  const verify = async (): Promise<unknown> => {
    const done = check.verify().then(
      () => null,
      (error: unknown) => error,
    );
    while (await time.advanceToNext());
    return done;
  };
  return { time, state, check, verify, listeners, monotonic };
}

describe('the check of the clock', () => {
  it.each([0, 80, -80, 100, -100])(
    'accepts a clock that is %i ms ahead, with a few reads and within a second',
    async (aheadMs) => {
      const { check, verify, state, time } = pair(aheadMs);
      const begun = time.now();
      expect(await verify()).toBeNull();
      expect(time.now() - begun).toBeLessThanOrEqual(2_100);
      const { low, high } = check.difference() ?? expect.fail('nothing is known');
      expect(-aheadMs).toBeGreaterThanOrEqual(low);
      expect(-aheadMs).toBeLessThanOrEqual(high);
      if (aheadMs === 0) expect(state.reads).toBeLessThanOrEqual(8);
      const { reads } = state;
      expect(await verify()).toBeNull();
      expect(state.reads).toBe(reads);
    },
  );

  it.each([150, -150, 990, -990, 1_500, -1_500, 86_400_000])('refuses a clock that is %i ms ahead', async (aheadMs) => {
    expect(await pair(aheadMs).verify()).toMatchObject({ name: 'ClockDifferenceError' });
  });

  it('refuses while the clock is off, each time after a fresh look, and accepts it when it is right again', async () => {
    const { verify, state } = pair(700);
    expect(await verify()).not.toBeNull();
    const { reads } = state;
    expect(await verify()).not.toBeNull();
    expect(state.reads).toBeGreaterThan(reads);
    state.aheadMs = 20;
    expect(await verify()).toBeNull();
  });

  it('notices a clock that is set while the process runs', async () => {
    const { verify, state, check } = pair(0);
    await verify();
    const steps = check.steps();
    state.aheadMs = 250;
    expect(check.steps()).toBe(steps + 1);
    expect(await verify()).not.toBeNull();
  });

  it('does not take a machine that was asleep for a clock that was set wrong', async () => {
    const { verify, state, check, time } = pair(0);
    await verify();
    await time.advance(7_000);
    state.asleepMs += 7_000;
    expect(check.steps()).toBe(1);
    expect(await verify()).toBeNull();
  });

  it('learns from the answers of other calls', async () => {
    const { verify, state, listeners, monotonic, time } = pair(600, 10, false);
    expect(await verify()).toBeNull();
    expect(state.reads).toBe(0);
    const at = monotonic();
    // The store has just begun a second that this clock has more than half behind it.
    const earliest = Math.floor(time.now() / 1_000) * 1_000;
    for (const listener of listeners)
      listener({ askedAt: at - 1, answeredAt: at + 640, earliest, latest: earliest + 1_000 });
    for (const listener of listeners)
      listener({ askedAt: at + 640, answeredAt: at + 645, earliest, latest: earliest + 1_000 });
    expect(await verify()).toMatchObject({ name: 'ClockDifferenceError' });
    expect(state.reads).toBe(1);
  });

  it('works with a store whose answers carry no time', async () => {
    const { verify, state } = pair(0);
    state.dated = false;
    expect(await verify()).toBeNull();
  });
});

describe('the known clock difference', () => {
  const reading = (askedAt: number, answeredAt: number, earliest: number) => ({
    ...{ askedAt, answeredAt, earliest, latest: earliest + 1_000 },
  });

  it('narrows with every answer and widens with time', () => {
    const one = narrowed(null, reading(0, 10, 5_000));
    expect(widened(one, 10)).toEqual({ low: 4_990, high: 6_000 });
    const two = narrowed(one, reading(900, 910, 5_000));
    expect(widened(two, 910).high).toBe(5_100);
    expect(widened(two, 910).low).toBeCloseTo(4_989.91);
    const later = widened(two, 1_000_910);
    expect([later.low, later.high].map(Math.round)).toEqual([4_890, 5_200]);
  });

  it('is replaced by an answer that contradicts it', () => {
    const one = narrowed(null, reading(0, 10, 5_000));
    expect(widened(narrowed(one, reading(100, 110, 99_000)), 110)).toEqual({ low: 98_890, high: 99_900 });
  });

  it('proves an error only where every possible difference is one', () => {
    expect(provenError({ low: -400, high: -101 })).toBe(101);
    expect(provenError({ low: 150, high: 900 })).toBe(-150);
    expect(provenError({ low: -900, high: -99 })).toBeNull();
    expect(isWithin({ low: -100, high: 100 })).toBe(true);
    expect(isWithin({ low: -100, high: 101 })).toBe(false);
  });
});
