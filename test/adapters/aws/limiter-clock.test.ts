import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { systemClock, systemMonotonic } from '../../../shared/adapters/system/clock.ts';
import { clockCheck } from '../../../shared/app/doctor/clock-check.ts';
import { createLimiter } from '../../../shared/app/rate-limiter/rate-limiter.ts';
import type { MeteredCall } from '../../../shared/ports/cloud.ts';
import type { Clock } from '../../../shared/ports/system.ts';
import { makeBench, type SimulatedAws, startSimulatedAws } from './stores.ts';

const KEY: MeteredCall = { service: 'compute-optimizer', operation: 'GetEnrollmentStatus', meteredIn: 'member' };

let aws: SimulatedAws;
beforeAll(async () => {
  aws = await startSimulatedAws();
});
afterAll(() => aws.close());

/** The real time, which the Date header of the store follows even if a test changes `Date`. */
const realNow = (): number => performance.timeOrigin + performance.now();
const clockOff = (ms: number): Clock => ({ now: () => realNow() + ms, sleep: systemClock.sleep });

async function open() {
  const bench = await makeBench(aws);
  onTestFinished(() => bench.dispose());
  return bench.open();
}

it.each([2_000, -2_000, 3_600_000])('a worker whose clock is %i ms ahead of the table makes no call', async (ms) => {
  const { registers, time } = await open();
  const limiter = createLimiter({
    ...{ registers, clock: clockOff(ms), monotonic: systemMonotonic, storeTime: time, ceiling: 10, reserveMs: 1_000 },
  });
  await expect(limiter.acquire(KEY)).rejects.toThrow(ms > 0 ? 'ahead of the store' : 'behind the store');
  expect(await registers.list('')).toEqual([]);
});

it('the doctor reports bounds of the difference', async () => {
  const { time } = await open();
  const parts = { monotonic: systemMonotonic, store: time };
  expect(await clockCheck({ ...parts, clock: clockOff(2_000) })).toMatchObject({ status: 'fail', reason: 'wrong' });
  // A busy machine may answer too late for exact bounds; the message then states that.
  const { status, message } = await clockCheck({ ...parts, clock: clockOff(0) });
  expect(['pass', 'warn']).toContain(status);
  expect(message).toMatch(/between \d+ ms (ahead|behind) and \d+ ms (ahead|behind) of the table's/);
});
