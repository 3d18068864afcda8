import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { busiestSecond, type Fleet, type FleetWorker, runFleet } from '../support/limiter-fleet.ts';

const SECONDS = 40;

const anyWorker: fc.Arbitrary<FleetWorker> = fc.record({
  skewMs: fc.oneof(fc.constant(0), fc.integer({ min: -5_000, max: 5_000 })),
  joinsAt: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 20_000 })),
  diesAt: fc.oneof({ weight: 3, arbitrary: fc.constant(null) }, fc.integer({ min: 1_000, max: 35_000 })),
  lanes: fc.integer({ min: 4, max: 8 }),
  callMs: fc.integer({ min: 0, max: 100 }),
});

const anyFleet: fc.Arbitrary<Fleet> = fc.record({
  rate: fc.constantFrom(10, 20, 30),
  reserveMs: fc.constantFrom(1_000, 2_000),
  seconds: fc.constant(SECONDS),
  storeMs: fc.constantFrom(0, 10, 40),
  workers: fc.array(anyWorker, { minLength: 1, maxLength: 7 }).map((others) => [steady, ...others]),
});

/** Somebody wants to call all the time. */
const steady: FleetWorker = { skewMs: 0, joinsAt: 0, diesAt: null, lanes: 6, callMs: 20 };

/** One compared its clock by a page of one who had just compared: each took the page for younger than it was. */
const newcomersMeasuredByNewcomers: Fleet = {
  ...{ rate: 10, reserveMs: 1_000, seconds: SECONDS, storeMs: 40 },
  workers: [
    steady,
    { skewMs: -55, joinsAt: 0, diesAt: null, lanes: 4, callMs: 0 },
    { skewMs: 0, joinsAt: 14_381, diesAt: null, lanes: 4, callMs: 0 },
    { skewMs: 0, joinsAt: 0, diesAt: 15_266, lanes: 7, callMs: 0 },
    { skewMs: 0, joinsAt: 15_306, diesAt: 19_807, lanes: 4, callMs: 0 },
  ],
};

const FLEET = { rate: 20, reserveMs: 2_500, seconds: SECONDS, storeMs: 10 };

describe('the budget of all workers', () => {
  it('holds in every second and is used, whoever joins, dies or has a wrong clock', { timeout: 120_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(anyFleet, async (fleet) => {
        const { calls } = await runFleet(fleet);
        const deaths = fleet.workers.filter(({ diesAt }) => diesAt !== null).length;
        // Who dies takes along what it holds: one reservation.
        const usable = SECONDS - (deaths * fleet.reserveMs) / 1_000;
        // How long a page is under way is how well clocks can be compared: so much may be the calls of two seconds together.
        const skewed = fleet.workers.some(({ skewMs }) => skewMs !== 0);
        const allowance = skewed ? 1 + (fleet.rate * 2 * fleet.storeMs) / 1_000 : 0;
        expect(busiestSecond(calls).calls).toBeLessThanOrEqual(fleet.rate * 1.1 + allowance);
        expect(calls.length).toBeGreaterThanOrEqual(0.9 * fleet.rate * usable);
      }),
      { numRuns: 25, examples: [[newcomersMeasuredByNewcomers]] },
    );
  });

  it.each([-5_000, 5_000])('is shared evenly with a worker whose clock is %i ms off', async (skewMs) => {
    const workers = [steady, steady, { ...steady, skewMs, joinsAt: 5_000 }];
    const { calls, callsOfEach } = await runFleet({ ...FLEET, workers });
    expect(busiestSecond(calls).calls).toBeLessThanOrEqual(22);
    expect(calls.length).toBeGreaterThanOrEqual(0.95 * 20 * SECONDS);
    for (const own of callsOfEach) expect(own).toBeGreaterThanOrEqual(0.2 * calls.length);
  });

  it.each([10, 20])('costs less than a write for ten calls, at %i a second', async (rate) => {
    const { calls, writes } = await runFleet({ ...FLEET, rate, workers: [steady, steady, steady, steady] });
    expect(writes / calls.length).toBeLessThan(0.1);
    expect(calls.length).toBeGreaterThanOrEqual(0.95 * rate * SECONDS);
  });

  it('is there for the others within a reservation after half of the workers died', async () => {
    const dying = { ...steady, diesAt: 20_000 };
    const { calls } = await runFleet({ ...FLEET, workers: [steady, steady, dying, dying] });
    // The slots of both lapse; from then on the whole budget is the survivors'.
    const after = calls.filter((at) => at >= 30_000).length;
    expect(after).toBeGreaterThanOrEqual(0.95 * 20 * 10);
    expect(busiestSecond(calls).calls).toBeLessThanOrEqual(22);
  });

  it('is had by workers that can use few slots each, without a write for each call', async () => {
    const slow = { ...steady, lanes: 1, callMs: 900 };
    const { calls, writes } = await runFleet({ ...FLEET, workers: Array.from({ length: 6 }, () => slow) });
    // At most 6 workers × 1 call in 0.9 s; each waits for a slot besides.
    expect(calls.length).toBeGreaterThanOrEqual(0.7 * 6 * (SECONDS / 0.9));
    expect(writes / calls.length).toBeLessThan(0.35);
  });
});
