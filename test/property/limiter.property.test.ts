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

describe('the budget of all workers', () => {
  it('holds in every second and is used, whoever joins, dies or has a wrong clock', { timeout: 120_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(anyFleet, async (fleet) => {
        const { calls } = await runFleet(fleet);
        const deaths = fleet.workers.filter(({ diesAt }) => diesAt !== null).length;
        // Who dies takes along what it holds: one reservation.
        const usable = SECONDS - (deaths * fleet.reserveMs) / 1_000;
        expect(busiestSecond(calls).calls).toBeLessThanOrEqual(fleet.rate * 1.1);
        expect(calls.length).toBeGreaterThanOrEqual(0.9 * fleet.rate * usable);
      }),
      { numRuns: Number(process.env['RUNS'] ?? 25) },
    );
  });
});
