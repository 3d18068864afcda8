import { describe, expect, it } from 'vitest';
import { TokenBucket } from '../../../../services/sandbox/engine/throttle.ts';
import { memoryRegisters } from '../../../../shared/adapters/embedded/memory-registers.ts';
import { createLimiter, type Limiter } from '../../../../shared/app/rate-limiter/rate-limiter.ts';
import type { MeteredCall } from '../../../../shared/ports/cloud.ts';
import { limiterTimesOf } from '../../../support/limiter-times.ts';
import { type ManualClock, manualClock } from '../../../support/manual-clock.ts';

const KEY: MeteredCall = { service: 'compute-optimizer', operation: 'UpdateEnrollmentStatus', meteredIn: 'member' };
const LIMIT = 50;

interface Seen {
  changes: number;
  throttled: number;
}

/** A worker as in a pool: some other work, then the call, repeated after a rest as long as it is throttled. */
async function lane(clock: ManualClock, limiter: Limiter, service: TokenBucket, total: number, seen: Seen, n: number) {
  for (let attempt = 0; seen.changes < total; ) {
    if (attempt === 0) await clock.sleep(10 + (n % 7) * 5);
    const leave = await limiter.acquire(KEY);
    await clock.sleep(5 + (n % 3));
    if (service.has(clock.now())) {
      service.take();
      seen.changes += 1;
      limiter.report(KEY, 'ok', leave);
      attempt = 0;
    } else {
      seen.throttled += 1;
      limiter.report(KEY, 'throttled', leave);
      attempt += 1;
      await clock.sleep(((n % 10) + 1) * 10 * 2 ** Math.min(attempt, 5));
    }
  }
}

describe('workers that queue for an unknown limit', () => {
  it.each([8, 16, 64, 200])('are throttled in less than one call of twenty, with %i in parallel', async (lanes) => {
    const clock = manualClock();
    const limiter = createLimiter({
      registers: memoryRegisters(),
      clock,
      ...limiterTimesOf(clock),
      ceiling: 500,
      reserveMs: 100,
    });
    const service = new TokenBucket(LIMIT, clock.now());
    const seen: Seen = { changes: 0, throttled: 0 };
    const begun = clock.now();
    const all = Promise.all(Array.from({ length: lanes }, (_, n) => lane(clock, limiter, service, 1_500, seen, n)));
    while (await clock.advanceToNext());
    await all;
    expect(seen.throttled / (seen.changes + seen.throttled)).toBeLessThan(0.05);
    // The burst that the service allows is used up early; afterwards the limit is what can be had.
    const seconds = (clock.now() - begun) / 1000;
    expect(seen.changes / seconds).toBeGreaterThan(0.8 * LIMIT);
  });
});
